// Own parameters and custom data: any JSON that a program may send, as people read it.
import { html } from "lit-html";
import { number, t } from "../words.js";
import { rich } from "./bits.js";

const DEEPEST = 4; // lists within lists; what lies deeper is shown as it was sent
const FOLD = 300; // characters

/** @param {Record<string, any>} values */
export const pairs = (values) => level(Object.entries(values), 1);

/** @param {[string, any][]} entries @param {number} depth @returns {any} */
const level = (entries, depth) => html`
  <dl class="pairs ${depth > 1 ? "pairs-inner" : ""}">${entries.map(([key, value]) => html`<dt dir="auto">${key}</dt><dd>${shown(value, depth)}</dd>`)}</dl>`;

/** @param {any} value @param {number} depth @returns {any} */
function shown(value, depth) {
  if (value === null || value === "") return html`<span class="muted">–</span>`;
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return long(value);
  if (!Object.keys(value).length) return html`<span class="muted">–</span>`;
  if (depth >= DEEPEST) return long(JSON.stringify(value));
  if (!Array.isArray(value)) return level(Object.entries(value), depth + 1);
  if (value.every((one) => one !== null && typeof one !== "object")) return long(value.join(", "));
  return level(value.map((one, at) => [number(at + 1), one]), depth + 1);
}

/** A text that would push everything else away is folded. @param {string} text */
const long = (text) =>
  text.length <= FOLD
    ? html`<span dir="auto">${rich(text)}</span>`
    : html`<details class="long"><summary><span dir="auto">${Array.from(text).slice(0, 80).join("")}…</span></summary><div dir="auto">${rich(text)}</div></details>`;
