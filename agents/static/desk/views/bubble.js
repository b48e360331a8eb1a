// Bubbles: grouped messages, private notes, attachments, and the state of what we sent.
import { html } from "lit-html";
import { config, isSupervisor, poster, store } from "../desk.js";
import { sendAgain } from "../reach.js";
import { fateOf, travels } from "../travel.js";
import { setUi, ui } from "../ui.js";
import { clock, errorText, moment, size, t } from "../words.js";
import { icon, rich } from "./bits.js";
import { linked } from "./linked.js";
import { failureReason } from "./quiet.js";

/** Longer messages are folded: one customer's essay must not hide the conversation. */
const FOLD = 1200;

/**
 * @param {import("../lines.js").Line & {kind: "group"}} line
 * @param {import("../store.js").Thread} thread
 * @param {Map<number, import("../log.js").Event>} failed what did not arrive, by index
 */
export function bubbles(line, thread, failed) {
  const { side, note, sender, to, events } = line;
  const last = events[events.length - 1];
  const isWhisper = note && side === "in";
  const isBot = sender.kind === "bot" || sender.kind === "system";
  return html`
    <div class="group group-${side} ${note ? "group-note" : ""} ${isWhisper ? "group-whisper" : ""}">
      ${side === "out" || note
        ? html`<p class="group-head">${note ? icon("lock") : isBot ? icon("bot") : ""}<b dir="auto">${sender.name || t("sender.system")}</b>${note ? html`<span>${t(isWhisper ? "note.from_customer" : "note.only_team")}</span>` : ""}</p>`
        : ""}
      ${to.length ? html`<p class="group-head group-to">${icon("at-sign")}<span dir="auto">${t("bubble.to", { names: to.join(", ") })}</span></p>` : ""}
      ${events.map((event) => html`${bubble(event, side, note)}${lost(failed.get(Number(event.index)), thread)}`)}
      <p class="group-foot"><time datetime=${last.at} title=${moment(last.at)}>${clock(last.at)}</time>${isLost(failed.get(Number(last.index)), thread) ? "" : state(last, thread, note)}</p>
    </div>`;
}

/** @param {import("../log.js").Event} event @param {string} side @param {boolean} note */
function bubble(event, side, note) {
  const id = `e${event.position}`;
  if (event.data?.erased) return html`<div class="bubble bubble-${side} bubble-erased" data-position=${event.position}>${t("bubble.erased")}</div>`;
  return html`
    ${event.text ? html`<div class="bubble ${note ? "bubble-note" : `bubble-${side}`}" data-position=${event.position} dir="auto">${folded(event.text, `${ui.open}-${id}`)}</div>` : ""}
    ${(event.attachments || []).map(attachment)} ${(event.data?.links || []).map(linked)}`;
}

/** @param {import("../log.js").Event|undefined} failure @param {import("../store.js").Thread} thread */
const isLost = (failure, thread) => Boolean(failure) && fateOf(thread, /** @type {any} */ (failure)) !== "arrived";

/** A message of ours that did not arrive. @param {import("../log.js").Event|undefined} failure @param {import("../store.js").Thread} thread */
function lost(failure, thread) {
  if (!failure || !isLost(failure, thread)) return "";
  if (fateOf(thread, failure) === "again") return html`<p class="group-foot"><span class="sent">${icon("clock")}${t("lost.again")}</span></p>`;
  return html`
    <p class="group-foot lost"><span class="sent sent-failed">${icon("circle-alert")}<span dir="auto">${t("lost", { reason: failureReason(failure) })}</span></span>
      ${mayRetry(thread) ? html`<button class="button-link" @click=${() => sendAgain(thread.id, failure)}>${t("retry")}</button>` : ""}</p>`;
}

/** Whether we may try anew what did not arrive. @param {import("../store.js").Thread} thread */
export const mayRetry = ({ id, chat }) => travels(chat) && chat?.state !== "closed" && !chat?.delivery.stopped && (isSupervisor || store.state.mine.has(id));

/** @param {string} text @param {string} key */
function folded(text, key) {
  if (text.length <= FOLD || ui.unfolded.has(key)) return rich(text);
  const unfold = () => {
    ui.unfolded.add(key);
    setUi();
  };
  return html`${rich(Array.from(text).slice(0, FOLD - 300).join(""))}… <button class="button-link unfold" @click=${unfold}>${t("unfold", { count: text.length })}</button>`;
}

/** @param {any} item */
function attachment(item) {
  const url = `${config.api}attachments/${item.id}`;
  if (String(item.content_type).startsWith("image/")) {
    return html`
      <a class="image" href=${url} target="_blank" rel="noopener" title="${item.name} · ${size(item.size)}">
        <img src="${url}?thumb=1" alt=${item.name} loading="lazy" width=${item.width || 240} height=${item.height || 160} />
      </a>`;
  }
  return html`
    <a class="file" href=${url} download=${item.name} rel="noopener">
      ${icon("file-text")}<span><b dir="auto">${item.name}</b><small>${size(item.size)}</small></span>${icon("download")}
    </a>`;
}

/** Sent, delivered, read: on the last message of ours alone. @param {any} event @param {import("../store.js").Thread} thread @param {boolean} note */
function state(event, thread, note) {
  if (note || event.sender.kind === "customer" || thread.pending.length) return "";
  const own = thread.log.events.filter((other) => other.type === "message.posted" && ["agent", "bot"].includes(other.sender.kind));
  if (own[own.length - 1] !== event) return "";
  const read = (thread.chat?.read?.customer || 0) >= event.index;
  const delivered = thread.delivered >= event.index;
  const isOwed = travels(thread.chat) ? thread.chat?.delivery.owed_since : thread.chat?.delivery;
  if (!read && !delivered && isOwed) return html`<span class="sent">${icon("clock")}${t("sent.kept")}</span>`;
  const key = read ? "sent.read" : delivered ? "sent.delivered" : "sent.sent";
  return html`<span class="sent ${read ? "sent-read" : ""}">${icon(read || delivered ? "check-check" : "check")}${t(key)}</span>`;
}

/** What we wrote that is not in the log yet. @param {import("../store.js").Thread} thread */
export function pendingBubbles(thread) {
  if (!thread.pending.length) return "";
  return thread.pending.map(
    (post) => html`
      <div class="group group-out ${post.note ? "group-note" : ""} ${post.state === "failed" ? "group-failed" : "group-pending"}" data-client-id=${post.client_id}>
        ${post.text ? html`<div class="bubble ${post.note ? "bubble-note" : "bubble-out"}" dir="auto">${folded(post.text, post.client_id)}</div>` : ""}
        ${post.attachments.map(attachment)}
        <p class="group-foot">${pendingState(post)}</p>
      </div>`,
  );
}

/** @param {import("../store.js").Pending} post */
function pendingState(post) {
  if (post.state === "sent") return html`<span class="sent">${icon("check")}${t("sent.sent")}</span>`;
  if (post.state !== "failed") {
    const live = store.state.link.state === "live";
    return html`<span class="sent">${icon("clock")}${t(live ? "sent.sending" : "sent.waiting")}</span>`;
  }
  return html`
    <span class="sent sent-failed" role="alert">${icon("circle-alert")}${t("sent.failed", { reason: errorText({ code: post.code, message: post.error }) })}</span>
    <button class="button-link" @click=${() => poster.again(post)}>${t("retry")}</button>
    <button class="button-link" @click=${() => poster.discard(post)}>${t("discard")}</button>`;
}
