// "Why this agent": a recorded routing decision in plain words.
import { html } from "lit-html";
import { store } from "../desk.js";
import { moment, t, tOr } from "../words.js";
import { icon } from "./bits.js";
import { chosenName } from "./quiet.js";

/** @param {any} dialog */
export function why({ chat, position }) {
  const event = store.thread(chat).log.events.find((other) => other.position === position);
  const data = event?.data || {};
  const chosen = chosenName(data);
  return html`
    <div class="dialog-body">
      <p>${chosen ? t("why.chosen", { name: chosen }) : t("why.nobody")} ${tOr(`why.strategy.${data.strategy}`, "")}</p>
      ${event ? html`<p class="muted">${moment(event.at)}</p>` : ""}
      ${people(t("why.eligible"), "circle-check", data.eligible, (item) => facts(item, Date.parse(event?.at || "")))}
      ${people(t("why.excluded"), "circle-x", data.excluded, (item) => reasons(item.why))}
    </div>`;
}

/** @param {string} title @param {string} name @param {any[]} items @param {(item: any) => string} describe */
function people(title, name, items, describe) {
  if (!items?.length) return "";
  return html`<h3 class="why-head">${title}</h3>
    <ul class="why-list">${items.map((item) => html`<li>${icon(name)}<b dir="auto">${item.name}</b><span>${describe(item)}</span></li>`)}</ul>`;
}

/** @param {any} item one eligible agent's figures @param {number} at when it was decided */
function facts(item, at) {
  const words = [];
  if (typeof item.free === "number") words.push(t("why.free", { count: item.free }));
  const minutes = item.idle_since ? Math.round((at - Date.parse(item.idle_since)) / 60_000) : 0;
  if (minutes > 0) words.push(t("why.idle", { count: minutes }));
  return words.join(" · ");
}

/** @param {any} value a reason's code, or several */
const reasons = (value) => [value].flat().filter(Boolean).map((code) => tOr(`why.not.${code}`, String(code))).join(" · ");
