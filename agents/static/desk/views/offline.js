// A message that somebody left while nobody was there.
import { html } from "lit-html";
import { explain } from "../actions.js";
import { handleOffline } from "../loads.js";
import { setUi, ui } from "../ui.js";
import { moment, t } from "../words.js";
import { blank, icon, rich, safeLink } from "./bits.js";

/** @param {string} id */
export function offlineMessage(id) {
  const message = ui.offline.items.find((item) => item.id === id);
  if (!message) return html`<section class="column thread">${blank("inbox", t("offline.gone"))}</section>`;
  const done = () => handleOffline(message).then(() => setUi({ open: null, pane: "list" }), explain);
  return html`
    <section class="column thread">
      <header class="thread-head">
        <button class="button button-quiet button-icon only-narrow" aria-label=${t("back")} @click=${() => setUi({ pane: "list" })}>${icon("arrow-left")}</button>
        <div class="thread-who"><span><b dir="auto">${message.name || message.email}</b><small>${moment(message.created_at || message.at)}</small></span></div>
        <div class="thread-actions"><button class="button button-primary" @click=${done}>${icon("check")}${t("offline.handle")}</button></div>
      </header>
      <div class="lines"><div class="lines-inner">
        <dl class="facts">
          ${fact("mail", t("field.email"), message.email ? html`<a href="mailto:${encodeURIComponent(message.email).replace("%40", "@")}">${message.email}</a>` : "")}
          ${fact("phone", t("field.phone"), message.phone)} ${fact("users", t("field.team"), message.team?.name)}
          ${fact("link", t("field.page"), message.page?.url ? safeLink(message.page.url, message.page.title || message.page.url) : "")}
        </dl>
        <div class="group group-in"><div class="bubble bubble-in" dir="auto">${rich(message.text)}</div></div>
      </div></div>
    </section>`;
}

/** @param {string} name @param {string} label @param {any} value */
export const fact = (name, label, value) => (value ? html`<div class="fact">${icon(name)}<dt>${label}</dt><dd dir="auto">${value}</dd></div>` : "");
