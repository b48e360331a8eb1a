// When nobody is there: what we can say of when we are back, and a message to leave.
import { h, icon } from "../dom.js";
import { newId } from "../ids.js";
import { back, t } from "../words.js";
import { sentence } from "./app.js";
import { FormField, checkAll } from "./fields.js";

/** @typedef {import("./app.js").App} App */

export class Offline {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.isBusy = false;
    this.id = "";
    this.heading = h("h1", { tabindex: "-1" }, t(app.leaving === "nobody" ? "offline.nobody" : "offline.title"));
    this.node = h("div.screen", {});
    this.showForm();
  }

  showForm() {
    const { config, leaving } = this.app;
    const opens = leaving !== "nobody" && config.opens_at ? h("p.opens", {}, icon("clock"), h("span", {}, back(config.opens_at))) : null;
    const intro = h("header.intro", {}, this.heading, opens, config.offline_form ? h("p.muted", {}, t("offline.leave")) : null);
    if (!config.offline_form) return this.node.replaceChildren(intro, ...this.way());
    this.fields = this.makeFields();
    this.banner = h("p.notice.notice-danger", { role: "alert", hidden: true });
    this.button = h("button.button.primary", { type: "submit" }, t("offline.send"));
    const form = h("form.form", { novalidate: true, onsubmit: (/** @type {Event} */ event) => this.submit(event) },
      this.fields.map((field) => field.node), this.banner, this.button);
    this.node.replaceChildren(intro, form, ...this.way());
  }

  /** The way back to a chat that goes on. */
  way() {
    const back = () => {
      this.app.leaving = "";
      this.app.refresh();
    };
    return this.app.leaving ? [h("button.button.quiet", { type: "button", onclick: back }, t("offline.again"))] : [];
  }

  makeFields() {
    const { typed, store } = this.app;
    const customer = store.state.customer || {};
    const asked = /** @type {const} */ ([["name", "text", false], ["email", "email", true], ["message", "textarea", true]]);
    return asked.map(([key, kind, required]) => {
      const label = t(key === "message" ? "form.message" : `field.${key}`);
      const value = key === "message" ? typed.text || this.unsent() : typed.values[key] ?? customer[key] ?? "";
      return new FormField({ key, label, kind, required, options: [] }, value, (text) => {
        if (key === "message") typed.text = text;
        else typed.values[key] = text;
        this.id = ""; // another message than the one that was tried
        this.app.keepTyped();
      });
    });
  }

  /** What the customer wrote into the chat that nobody took. */
  unsent() {
    const events = this.app.leaving === "nobody" ? this.app.store.state.log.events : [];
    return events.filter((event) => event.type === "message.posted" && event.sender?.kind === "customer").map((event) => event.text).join("\n");
  }

  focus() {
    const empty = this.fields?.find((field) => !field.value);
    (empty?.control || this.heading).focus();
  }

  update() {
    // Nothing of the chat shows here.
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    if (this.isBusy || !checkAll(this.fields || [])) return;
    const [name, email, text] = (this.fields || []).map((field) => field.value);
    this.setBusy(true);
    this.id = this.id || newId();
    try {
      const team = this.app.typed.team ? { team: this.app.typed.team } : {};
      await this.app.client.leaveMessage({ client_id: this.id, name, email, text, ...team });
      this.done(email);
    } catch (error) {
      this.banner.textContent = sentence(error);
      this.banner.hidden = false;
    }
    this.setBusy(false);
  }

  /** @param {boolean} isBusy */
  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.button.disabled = isBusy;
    this.button.textContent = t(isBusy ? "offline.sending" : "offline.send");
    if (isBusy) this.banner.hidden = true;
  }

  /** @param {string} email */
  done(email) {
    const { app } = this;
    app.typed.text = "";
    app.keepTyped();
    const { chat } = app.store.state;
    // The message stands in for the chat: nobody needs to look for an agent any more.
    if (app.leaving === "nobody" && chat && chat.state !== "closed") app.client.act("close").catch(() => undefined);
    this.heading.textContent = t("offline.done");
    const again = () => {
      app.leaving = "";
      void app.client.startAgain();
    };
    this.node.replaceChildren(h("div.done", {}, icon("circle-check", "icon-large"), this.heading, h("p.muted", {}, t("offline.answer", { email })),
      h("button.button", { type: "button", onclick: app.config.is_open ? again : app.close }, t(app.config.is_open ? "offline.again" : "close.panel"))));
    this.heading.focus();
    app.announce(t("offline.done"));
  }
}
