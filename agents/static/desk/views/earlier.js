// What was said before the chat came to us, to a bot say: folded away, one line until somebody wants to read it.
import { html } from "lit-html";
import { moment, t } from "../words.js";
import { icon, rich } from "./bits.js";

/**
 * @param {import("../log.js").Event} event history.imported
 * @param {string} customer the name where a line gives none
 */
export function earlier(event, customer) {
  /** @type {Entry[]} */
  const entries = event.data?.entries || [];
  return html`
    <details class="earlier" data-position=${event.position} data-type=${event.type}>
      <summary>${icon("history")}<span>${t("earlier", { count: entries.length })}</span>${icon("chevron-down", "earlier-arrow")}</summary>
      <ol>${entries.map((entry) => line(entry, customer))}</ol>
    </details>`;
}

/** @typedef {{kind: "customer"|"bot"|"agent", name: string, text: string, at: string|null}} Entry */

/** @param {Entry} entry @param {string} customer */
function line(entry, customer) {
  const nameless = entry.kind === "customer" ? customer : entry.kind === "bot" ? t("earlier.bot") : t("earlier.agent");
  return html`
    <li>
      <p class="group-head">
        ${entry.kind === "bot" ? icon("bot") : ""}<b dir="auto">${entry.name || nameless}</b>${entry.at ? html`<time datetime=${entry.at}>${moment(entry.at)}</time>` : ""}
      </p>
      <p class="earlier-text" dir="auto">${rich(entry.text)}</p>
    </li>`;
}
