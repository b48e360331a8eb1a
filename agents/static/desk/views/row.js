// One chat's line in a list.
import { html } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { openChat } from "../actions.js";
import { config, store } from "../desk.js";
import { draft, ui } from "../ui.js";
import { number, now, shortTime, span, t } from "../words.js";
import { customerName, face, icon } from "./bits.js";
import { channelMark, channelName } from "./channel.js";

/** What the search box looks through. @param {any} chat */
export function searchable(chat) {
  const { customer } = chat;
  return [customer?.name, customer?.email, customer?.phone, chat.subject, chat.team?.name, chat.last_message?.text, chat.agent?.name]
    .filter(Boolean).join("\n").toLocaleLowerCase();
}

/**
 * What a row shows, as plain values: a row is drawn again only when one of them changes, so that 300 chats stay fast.
 * @param {any} chat
 */
function model(chat) {
  const thread = store.state.threads.get(chat.id);
  const isMine = store.state.mine.has(chat.id);
  const isOpen = ui.open === chat.id;
  return [
    chat.id, isOpen, isMine && thread ? store.unread(thread) : 0, chat.state, Boolean(chat.online), customerName(chat), chat.team?.name,
    ui.tab === "all" ? chat.agent?.name : "", chat.channel?.kind, channelName(chat), chat.last_message?.text, chat.last_message?.at, chat.subject,
    waiting(chat)?.text, thread?.typing?.text, Boolean(thread?.typing), thread?.pending.some((post) => post.state === "failed"),
    isMine && !isOpen ? draft(chat.id) : "", chat.guest,
  ];
}

/** @param {any} chat */
export const row = (chat) => guard(model(chat), () => drawn(chat));

/** @param {any} chat */
function drawn(chat) {
  const thread = store.state.threads.get(chat.id);
  const unread = store.state.mine.has(chat.id) && thread ? store.unread(thread) : 0;
  const classes = ["row", unread ? "row-unread" : "", chat.state === "closed" ? "row-closed" : ""].join(" ");
  return html`
    <button class=${classes} data-chat=${chat.id} aria-current=${ui.open === chat.id} @click=${() => openChat(chat.id)}>
      <span class="row-face">${face(customerName(chat))}${chat.state !== "closed" && chat.online ? html`<i class="dot dot-online" title=${t("customer.online")}></i>` : ""}</span>
      <span class="row-main">
        <span class="row-top"><b dir="auto">${customerName(chat)}</b>${rowTime(chat)}</span>
        <span class="row-bottom">
          <span class="row-text" dir="auto">${lastLine(chat, thread)}</span>
          ${unread ? html`<span class="badge" aria-label=${t("unread", { count: unread })}>${number(unread)}</span>` : ""}
        </span>
        <span class="row-meta">
          ${channelMark(chat)}<span dir="auto">${chat.team?.name}</span>
          ${chat.guest === "joined" ? html`<span class="tag">${t("guest.tag")}</span>` : ""}
          ${ui.tab === "all" && chat.agent ? html`<span aria-hidden="true">·</span><span dir="auto">${chat.agent.name}</span>` : ""}
        </span>
      </span>
    </button>`;
}

/** @param {any} chat @param {import("../store.js").Thread|undefined} thread */
function lastLine(chat, thread) {
  if (thread?.pending.some((post) => post.state === "failed")) return html`<span class="row-failed">${t("row.failed")}</span>`;
  if (thread?.typing) return html`<span class="row-typing">${thread.typing.text || t("row.typing")}</span>`;
  if (store.state.mine.has(chat.id) && ui.open !== chat.id && draft(chat.id)) return html`<span class="row-draft">${t("row.draft")}</span> ${draft(chat.id)}`;
  const last = chat.last_message;
  if (!last) return chat.subject || t("row.no_text");
  return last.sender_kind === "customer" ? last.text : html`<span class="row-you">${icon("reply")}</span>${last.text}`;
}

/** How long the customer has waited; null when the last word is ours. @param {any} chat */
function waiting(chat) {
  const since = chat.state === "closed" ? null : chat.waiting_since || (chat.state !== "active" ? chat.queued_at || chat.started_at : null);
  if (!since) return null;
  const ms = now() - Date.parse(since);
  const seconds = store.state.teams.find((team) => team.id === chat.team?.id)?.target_seconds || config.waitingTargetSeconds;
  const target = seconds * 1000;
  return { text: span(ms), late: ms > 3 * target ? "wait-very-late" : ms > target ? "wait-late" : "" };
}

/** How long the customer waits, or when the last word was. @param {any} chat */
export function rowTime(chat) {
  if (chat.state === "closed") return html`<span class="tag">${t("state.closed")}</span>`;
  const wait = waiting(chat);
  if (!wait) return chat.last_message ? html`<time datetime=${chat.last_message.at}>${shortTime(chat.last_message.at)}</time>` : "";
  return html`<span class="wait ${wait.late}" title=${t("wait.title")}>${icon(wait.late ? "clock-alert" : "clock")}<span class="visually-hidden">${t("wait.title")}</span>${wait.text}</span>`;
}
