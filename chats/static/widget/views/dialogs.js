// The two questions that stand above everything: end the chat? where should the transcript go?
import { h } from "../dom.js";
import { t } from "../words.js";
import { sentence } from "./app.js";
import { FormField } from "./fields.js";

/** @typedef {import("./app.js").App} App */

let counter = 0;

/**
 * A modal dialog; focus returns to where it was (the browser does that).
 * @param {string} title
 * @param {...any} content
 */
function show(title, ...content) {
  counter += 1;
  const id = `dialog${counter}`;
  const dialog = h("dialog.dialog", { "aria-labelledby": id }, h("h2", { id }, title), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @param {App} app */
export function askEnd(app) {
  const end = h("button.button.danger", { type: "button" }, t("end.chat"));
  const keep = h("button.button", { type: "button", autofocus: true, onclick: () => dialog.close() }, t("end.keep"));
  const error = h("p.field-error", { role: "alert", hidden: true });
  const dialog = show(t("end.sure"), h("p.muted", {}, t("end.text")), error, h("div.dialog-actions", {}, keep, end));
  end.addEventListener("click", async () => {
    end.disabled = true;
    try {
      await app.client.act("close");
      app.client.link.resume();
      dialog.close();
    } catch (problem) {
      error.textContent = sentence(problem);
      error.hidden = false;
      end.disabled = false;
    }
  });
}

/** @param {App} app */
export function askTranscript(app) {
  const { customer, chat } = app.store.state;
  const email = customer?.email || app.typed.values.email || "";
  const field = new FormField({ key: "email", label: t("field.email"), kind: "email", required: true, options: [] }, email, () => undefined);
  const send = h("button.button.primary", { type: "submit" }, t("mail.send"));
  const cancel = h("button.button", { type: "button", onclick: () => dialog.close() }, t("cancel"));
  const later = chat?.state === "closed" ? null : h("p.muted", {}, t("mail.later"));
  const form = h("form.form", { novalidate: true }, later, field.node, h("div.dialog-actions", {}, cancel, send));
  const dialog = show(t("mail.title"), form);
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!field.check()) return field.control.focus();
    send.disabled = true;
    try {
      await app.client.act("transcript", { email: field.value });
      const done = t("mail.done", { email: field.value });
      form.replaceChildren(h("p", { dir: "auto" }, done), h("div.dialog-actions", {}, h("button.button.primary", { type: "button", onclick: () => dialog.close() }, t("close.panel"))));
      form.querySelector("button")?.focus();
      app.announce(done);
    } catch (problem) {
      field.say(sentence(problem));
      send.disabled = false;
    }
  });
}
