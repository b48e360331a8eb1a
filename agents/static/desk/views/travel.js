// What one must know while writing by a network: the subject, how long a text is, and that nothing can be written now.
import { html } from "lit-html";
import { store } from "../desk.js";
import { chooseWay } from "../reach.js";
import { smsParts } from "../sms.js";
import { closedBecause, closesSoon, tooMuch, travels } from "../travel.js";
import { clock, dayKey, moment, now, t } from "../words.js";
import { customerName, icon } from "./bits.js";
import { channelName } from "./channel.js";
import { mayMove } from "./reach.js";

/** Above the text of an email. @param {any} chat */
export const subjectLine = (chat) =>
  chat.channel?.kind === "email" && travels(chat) && chat.subject
    ? html`<p class="composer-subject">${icon("mail")}<span dir="auto">${t("composer.subject", { subject: chat.subject })}</span></p>`
    : "";

/** How much was written: of an SMS always, of anything else where it is too much. @param {any} chat @param {string} text */
export function textCount(chat, text) {
  const over = tooMuch(chat, text);
  if (over) return html`<span class="composer-over" role="status">${t("composer.over", { count: over })}</span>`;
  return chat.channel?.kind === "sms" && travels(chat) ? smsCount(text) : "";
}

/** @param {string} text */
export function smsCount(text) {
  if (!text) return "";
  const { used, room, parts, isPlain } = smsParts(text);
  return html`<span title=${isPlain ? "" : t("sms.wide")}>${t("sms.count", { count: parts, used, room })}</span>`;
}

/** That the customer cannot be written to there now, and why. @param {any} chat */
export function closedNotice(chat) {
  const because = closedBecause(chat, now());
  if (!because) return "";
  const text = because === "stopped" ? t("travel.stopped", { name: customerName(chat) }) : t("travel.window", { channel: channelName(chat), time: when(chat.delivery.window_ends_at) });
  return html`
    <div class="composer-closed" role="status">
      ${icon("ban")}<span>${text}</span>
      ${mayMove(store.thread(chat.id)) ? html`<button class="button" @click=${() => chooseWay(chat.id)}>${t("way.open")}</button>` : ""}
    </div>`;
}

/** That there is little time left. @param {any} chat */
export const closesNotice = (chat) =>
  closesSoon(chat, now())
    ? html`<p class="composer-subject composer-soon" role="status">${icon("clock-alert")}<span>${t("travel.window_soon", { time: clock(chat.delivery.window_ends_at) })}</span></p>`
    : "";

/** @param {string} iso */
const when = (iso) => (dayKey(iso) === new Date(now()).toDateString() ? clock(iso) : moment(iso));
