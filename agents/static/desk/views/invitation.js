// Offered chats: a card each, with a ring that runs down.
import { html, svg } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { accept, decline } from "../actions.js";
import { store } from "../desk.js";
import { now, span, t, tOr } from "../words.js";
import { channelIcon, customerName, icon } from "./bits.js";

const ROUND = 2 * Math.PI * 15;

export function invitations() {
  const items = [...store.state.invitations.values()];
  if (!items.length) return "";
  return html`<div class="invitations" role="alert">${repeat(items, (item) => item.id, card)}</div>`;
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
            ${icon(channelIcon(chat))}<span dir="auto">${chat.team?.name}</span><span aria-hidden="true">·</span>
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
