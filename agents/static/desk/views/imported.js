// What was said before the chat came to us, to a bot say: folded away, one line until somebody wants to read it.
import { html } from "lit-html";
import { moment, t } from "../words.js";
import { icon, rich } from "./bits.js";
import { keepScroll } from "./scroll.js";

/**
 * @param {import("../log.js").Event} event history.imported
 * @param {string} customer the name where a line gives none
 */
export function imported(event, customer) {
  /** @type {Entry[]} */
  const entries = event.data?.entries || [];
  return html`
    <details class="imported" data-position=${event.position} data-type=${event.type} @toggle=${stay}>
      <summary>${icon("history")}<span>${t("imported", { count: entries.length })}</span>${icon("chevron-down", "imported-arrow")}</summary>
      <ol>${entries.map((entry) => line(entry, customer))}</ol>
    </details>`;
}

/** Who unfolds it wants to read on from here, not to be taken to the conversation's new end. @param {any} event */
function stay({ target }) {
  const lines = target.closest("#lines");
  if (lines) keepScroll(lines);
}

/** @typedef {{kind: "customer"|"bot"|"agent", name: string, text: string, at: string|null}} Entry */

/** @param {Entry} entry @param {string} customer */
function line(entry, customer) {
  const nameless = entry.kind === "customer" ? customer : entry.kind === "bot" ? t("imported.bot") : t("imported.agent");
  return html`
    <li>
      <p class="group-head">
        ${entry.kind === "bot" ? icon("bot") : ""}<b dir="auto">${entry.name || nameless}</b>${entry.at ? html`<time datetime=${entry.at}>${moment(entry.at)}</time>` : ""}
      </p>
      <p class="imported-text" dir="auto">${rich(entry.text)}</p>
    </li>`;
}
