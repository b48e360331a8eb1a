// Offered chats: a card each, with a ring that runs down.
import { html, svg } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { accept, decline } from "../actions.js";
import { store } from "../desk.js";
import { join, refuse } from "../guests.js";
import { now, span, t, tOr } from "../words.js";
import { customerName, icon } from "./bits.js";
import { channelMark } from "./channel.js";

const ROUND = 2 * Math.PI * 15;

export function invitations() {
  const items = [...store.state.invitations.values()];
  const asked = [...store.state.asked].map((id) => store.thread(id).chat).filter(Boolean);
  if (!items.length && !asked.length) return "";
  return html`
    <div class="invitations" role="alert">
      ${repeat(items, (item) => item.id, card)}
      ${repeat(asked, (chat) => /** @type {any} */ (chat).id, (chat, at) => guestCard(chat, items.length + at))}
    </div>`;
}

/** A colleague asks us into a chat. It takes no slot, and waits for an answer as long as the chat lasts. @param {any} chat @param {number} at */
function guestCard(chat, at) {
  return html`
    <article class="invitation invitation-guest" aria-label=${t("guest.asked")} data-asked=${chat.id}>
      <div class="invitation-top">
        ${icon("users")}
        <div class="invitation-who">
          <p class="invitation-label">${t("guest.asked")}</p>
          <p class="invitation-name" dir="auto">${customerName(chat)}</p>
          <p class="invitation-meta">
            ${channelMark(chat)}<span dir="auto">${chat.team?.name}</span>
            ${chat.agent ? html`<span aria-hidden="true">·</span><span dir="auto">${chat.agent.name}</span>` : ""}
          </p>
        </div>
      </div>
      ${chat.last_message?.text || chat.subject ? html`<p class="invitation-text" dir="auto">${chat.last_message?.text || chat.subject}</p>` : ""}
      <div class="invitation-actions">
        <button class="button button-primary" @click=${() => join(chat.id)}>${t("guest.join")}${at ? "" : html`<kbd>A</kbd>`}</button>
        <button class="button" @click=${() => refuse(chat.id)}>${t("guest.refuse")}${at ? "" : html`<kbd>D</kbd>`}</button>
      </div>
    </article>`;
}

/** @param {any} invitation @param {number} at */
function card(invitation, at) {
  const { chat } = invitation;
  const waiting = chat.waiting_since || chat.queued_at || chat.started_at;
  const reason = invitation.reason ? tOr(`invitation.reason.${invitation.reason}`, invitation.reason) : "";
  return html`
    <article class="invitation" aria-label=${t("invitation.title")} data-invitation=${invitation.id}>
      <div class="invitation-top">
        ${ring(invitation)}
        <div class="invitation-who">
          <p class="invitation-label">${t("invitation.title")}</p>
          <p class="invitation-name" dir="auto">${customerName(chat)}</p>
          <p class="invitation-meta">
            ${channelMark(chat)}<span dir="auto">${chat.team?.name}</span><span aria-hidden="true">·</span>
            <span>${t("invitation.waiting", { time: span(now() - Date.parse(waiting)) })}</span>
          </p>
        </div>
      </div>
      ${chat.last_message?.text || chat.subject ? html`<p class="invitation-text" dir="auto">${chat.last_message?.text || chat.subject}</p>` : ""}
      ${reason ? html`<p class="invitation-why">${icon("info")}<span dir="auto">${reason}</span></p>` : ""}
      <div class="invitation-actions">
        <button class="button button-primary" @click=${() => accept(invitation)}>${t("invitation.accept")}${at ? "" : html`<kbd>A</kbd>`}</button>
        <button class="button" @click=${() => decline(invitation)}>${t("invitation.decline")}${at ? "" : html`<kbd>D</kbd>`}</button>
      </div>
    </article>`;
}

/** @param {any} invitation */
function ring(invitation) {
  const total = (invitation.seconds || 30) * 1000;
  const left = Math.max(0, Date.parse(invitation.expires_at) - now());
  const share = Math.min(1, left / total);
  return html`
    <span class="ring" role="timer" aria-label=${t("invitation.left", { seconds: Math.ceil(left / 1000) })}>
      <svg viewBox="0 0 36 36" aria-hidden="true">
        <circle class="ring-back" cx="18" cy="18" r="15"></circle>
        ${svg`<circle class="ring-front" cx="18" cy="18" r="15" stroke-dasharray=${ROUND} stroke-dashoffset=${ROUND * (1 - share)}></circle>`}
      </svg>
      <span>${Math.ceil(left / 1000)}</span>
    </span>`;
}
