// How a chat's answers travel: the channel's sign and name, and the connector that carries it.
import { html } from "lit-html";
import { isByConnector } from "../travel.js";
import { clock, dayKey, moment, now, t } from "../words.js";
import { icon } from "./bits.js";

/** Kind → its icon and its word. @type {Record<string, [string, string]>} */
const KINDS = {
  web: ["globe", "channel.web"], app: ["smartphone", "channel.app"], sms: ["message-square", "channel.sms"],
  email: ["mail", "channel.email"], facebook: ["message-circle", "channel.facebook"], api: ["messages-square", "channel.api"],
};

/** @param {any} chat */
export const channelIcon = (chat) => (KINDS[chat?.channel?.kind] || KINDS.api)[0];

/** What people call the channel. Behind an API stands whatever its connector, or else an admin, has named it. @param {any} chat @returns {string} */
export function channelName(chat) {
  const kind = chat?.channel?.kind;
  const own = kind in KINDS && kind !== "api" ? t(KINDS[kind][1]) : "";
  return own || chat?.delivery?.connector || chat?.channel?.name || t("channel.api");
}

/** The name, and that a connector carries what is written. @param {any} chat */
export const channelWay = (chat) => (isByConnector(chat) ? t("channel.by_connector", { channel: channelName(chat) }) : channelName(chat));

/** In a list: most chats come from the website, so that its sign alone says it to who sees. @param {any} chat */
export function channelMark(chat) {
  const isWeb = chat?.channel?.kind === "web";
  return html`${icon(channelIcon(chat))}<span class=${isWeb ? "visually-hidden" : ""} dir="auto">${channelName(chat)}</span>${isWeb ? "" : html`<span aria-hidden="true">·</span>`}`;
}

/** What the connector was not given yet, while it is away. @param {any} chat */
export function undelivered(chat) {
  const { away_since: since, owed_since: owed } = chat.delivery || {};
  if (!since || !owed || chat.state === "closed") return "";
  const time = dayKey(since) === new Date(now()).toDateString() ? clock(since) : moment(since);
  return html`<p class="undelivered" role="status">${icon("cloud-off")}<span>${t("delivery.away", { channel: channelName(chat), time })}</span></p>`;
}
