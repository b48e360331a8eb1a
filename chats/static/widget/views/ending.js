// After the end: rating, transcript by mail, start again.
import { h, icon } from "../dom.js";
import { t } from "../words.js";
import { sentence } from "./app.js";
import { askTranscript } from "./dialogs.js";

/** @typedef {import("./app.js").App} App */

const STARS = [1, 2, 3, 4, 5];

export class Ending {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.rating = 0;
    this.again = h("button.button.primary", { type: "button", onclick: () => void app.client.startAgain() }, t("end.again"));
    this.mail = h("button.button", { type: "button", onclick: () => askTranscript(app) }, icon("mail"), t("mail.action"));
    this.survey = h("div.survey", {});
    this.node = h("div.ending", {}, this.survey, h("div.actions", {}, this.mail, this.again));
    this.showSurvey();
  }

  /** Asked once, and not of who was never answered. */
  isAsked() {
    const { chat } = this.app.store.state;
    return this.app.config.survey && chat?.survey?.open !== false && !chat?.survey?.answered && chat?.close_reason !== "unanswered";
  }

  showSurvey() {
    this.isShown = this.isAsked();
    if (!this.isShown) return this.survey.replaceChildren();
    const name = `rating-${this.app.store.state.chat?.id}`;
    const stars = STARS.map((n) => h("label.star", {},
      h("input", { type: "radio", name, value: n, onchange: () => this.rate(n), "aria-label": t("survey.stars", { n }) }), icon("star")));
    this.stars = h("fieldset.stars", {}, h("legend.strong", {}, t("survey.title")), h("div.star-row", {}, stars));
    this.comment = h("textarea", { rows: 2, "aria-label": t("survey.comment"), placeholder: t("survey.comment"), maxlength: 2000, dir: "auto" });
    this.error = h("p.field-error", { role: "alert", hidden: true });
    this.send = h("button.button", { type: "submit" }, t("survey.send"));
    this.more = h("div.survey-more", { hidden: true }, this.comment, this.error, this.send);
    const form = h("form", { onsubmit: (/** @type {Event} */ event) => this.submit(event) }, this.stars, this.more);
    this.survey.replaceChildren(form);
  }

  /** @param {number} n */
  rate(n) {
    this.rating = n;
    this.more.hidden = false;
    [...this.stars.querySelectorAll(".star")].forEach((star, at) => star.classList.toggle("is-on", at < n));
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    this.send.disabled = true;
    const comment = this.comment.value.trim();
    try {
      await this.app.client.act("survey", { rating: this.rating, ...(comment ? { comment } : {}) });
      const { chat } = this.app.store.state;
      if (chat) chat.survey = { open: false, answered: true };
      this.survey.replaceChildren(h("p.thanks", {}, icon("circle-check"), t("survey.done")));
      this.app.announce(t("survey.done"));
      this.again.focus();
    } catch (error) {
      this.error.textContent = sentence(error);
      this.error.hidden = false;
      this.send.disabled = false;
    }
  }

  focus() {
    const first = this.survey.querySelector("input");
    (first || this.again).focus();
  }

  update() {
    if (!this.isShown && this.isAsked()) this.showSurvey();
  }
}
