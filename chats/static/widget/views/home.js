// Before the chat: the channel's questions and the first message.
import { h } from "../dom.js";
import { t } from "../words.js";
import { sentence } from "./app.js";
import { FormField, checkAll } from "./fields.js";

/** @typedef {import("./app.js").App} App */

export class Home {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.fields = this.makeFields();
    this.banner = h("p.notice.notice-danger", { role: "alert", hidden: true });
    this.button = h("button.button.primary", { type: "submit" }, t("form.start"));
    const { look } = app.config;
    this.node = h("form.screen.form", { novalidate: true, onsubmit: (/** @type {Event} */ event) => this.submit(event) },
      h("header.intro", {},
        look?.logo_url ? h("img.logo", { src: look.logo_url, alt: "" }) : null,
        h("h1", { tabindex: "-1" }, t("home.title")),
        h("p.muted", { dir: "auto" }, look?.greeting || t("home.open"))),
      this.fields.map((field) => field.node), this.banner, this.button);
    this.update();
  }

  makeFields() {
    const { config, typed, store } = this.app;
    const customer = store.state.customer;
    const asked = config.form.filter((field) => !(customer?.is_identified && customer[field.key]));
    const fields = asked.map((field) => {
      const known = typed.values[field.key] ?? customer?.[field.key] ?? "";
      return new FormField(field, known, (value) => this.keep(() => (typed.values[field.key] = value)));
    });
    if (config.teams.length > 1) {
      const options = /** @type {any} */ (config.teams.map((team) => [team.key, team.name]));
      const choice = { key: "team", label: t("form.team"), kind: /** @type {"select"} */ ("select"), required: true, options };
      this.team = new FormField(choice, typed.team, (value) => this.keep(() => (typed.team = value)));
      fields.push(this.team);
    }
    const message = { key: "message", label: t("form.message"), kind: /** @type {"textarea"} */ ("textarea"), required: true, options: [] };
    this.message = new FormField(message, typed.text, (value) => this.keep(() => (typed.text = value)));
    return [...fields, this.message];
  }

  /** @param {() => void} change */
  keep(change) {
    change();
    this.app.keepTyped();
  }

  focus() {
    const empty = this.fields.find((field) => !field.value) || this.fields[0];
    empty.control.focus();
  }

  update() {
    const isBusy = this.app.client.phase === "starting";
    this.button.disabled = isBusy;
    this.button.textContent = t(isBusy ? "form.starting" : "form.start");
    if (!isBusy || !this.app.client.starter.isStruggling) return;
    this.banner.textContent = t("unreachable");
    this.banner.hidden = false;
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    const { app } = this;
    if (app.client.phase === "starting" || !checkAll(this.fields)) return;
    this.banner.hidden = true;
    const form = Object.fromEntries(
      this.fields.filter((field) => field !== this.team && field !== this.message && field.value).map((field) => [field.field.key, field.value]),
    );
    try {
      // The banner may say that we are still trying; what is refused is said by refused().
      await app.client.start({ form, text: this.message?.value || "", team: this.team?.value || "" });
      app.typed.text = "";
      app.keepTyped();
    } catch (error) {
      this.refused(error);
    }
  }

  /** @param {any} error */
  refused(error) {
    if (error?.code === "outside_hours") {
      this.app.leaving = "closed";
      return this.app.refresh();
    }
    for (const field of this.fields) if (error?.fields?.[field.field.key]) field.say(String(error.fields[field.field.key]));
    this.banner.textContent = sentence(error);
    this.banner.hidden = false;
  }
}
