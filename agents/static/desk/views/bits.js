// Small pieces that many views share.
import { html } from "lit-html";
import { config } from "../desk.js";
import { isWebAddress, splitLinks } from "../lines.js";
import { t } from "../words.js";

/** Icons that point somewhere turn round where text runs from the right. */
const DIRECTED = new Set([
  "arrow-left", "chevron-left", "chevron-right", "send", "reply", "log-out", "undo-2", "corner-down-left", "external-link", "panel-right",
]);

/** @param {string} name @param {string} [extra] */
export function icon(name, extra = "") {
  const mirror = DIRECTED.has(name) ? " icon-mirror" : "";
  return html`<svg class="icon${mirror} ${extra}" aria-hidden="true"><use href="${config.icons}#${name}"></use></svg>`;
}

/** A round face of initials; the colour follows the name, so that two customers are told apart at a glance. @param {string} name @param {string} [extra] */
export function face(name, extra = "") {
  const letters = Array.from(name.trim());
  const second = name.trim().split(/\s+/)[1];
  const initials = letters.length ? letters[0] + (second ? Array.from(second)[0] : "") : "";
  let sum = 0;
  for (const letter of letters) sum = (sum * 31 + (letter.codePointAt(0) || 0)) % 997;
  return html`<span class="face face-${sum % 8} ${extra}" aria-hidden="true">${initials ? initials.toLocaleUpperCase() : icon("user")}</span>`;
}

/** @param {any} chat */
export function customerName(chat) {
  const customer = chat?.customer;
  return customer?.name || customer?.email || customer?.phone || t("customer.unnamed");
}

/** Text with its web addresses as links. Everything else is text, whatever it looks like. @param {string} text */
export const rich = (text) =>
  splitLinks(text).map((part) =>
    part.href ? html`<a href=${part.href} target="_blank" rel="noopener noreferrer nofollow">${part.text}</a>` : part.text,
  );

/** @param {string|undefined} url @param {string} label */
export const safeLink = (url, label) =>
  url && isWebAddress(url) ? html`<a href=${url} target="_blank" rel="noopener noreferrer" dir="auto">${label}</a>` : html`<span dir="auto">${label}</span>`;

/**
 * A state drawn on purpose: nothing here, cannot load, waiting.
 * @param {string} name of the icon
 * @param {string} title
 * @param {string} [text]
 * @param {any} [action]
 */
export const blank = (name, title, text = "", action = "") => html`
  <div class="blank">
    ${icon(name)}
    <p class="blank-title">${title}</p>
    ${text ? html`<p>${text}</p>` : ""} ${action}
  </div>`;

/** Grey bars where text will be. @param {number} count */
export const skeleton = (count) => html`
  <div class="skeleton" aria-label=${t("loading")} role="status">
    ${Array.from({ length: count }, () => html`<div class="skeleton-row"><span></span><span></span></div>`)}
  </div>`;

/** @param {string} id */
export const shortId = (id) => id.slice(-6);
