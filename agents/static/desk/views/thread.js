// The conversation: head, lines, what waits to be sent, and the composer.
import { html } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { repeat } from "lit-html/directives/repeat.js";
import { closeThread, markRead, pick, putAway, reopen } from "../actions.js";
import { isSupervisor, store } from "../desk.js";
import { leave } from "../guests.js";
import { TYPING_MS } from "../frames.js";
import { toLines } from "../lines.js";
import { loadChat, loadOlder } from "../loads.js";
import { failures } from "../travel.js";
import { setUi, ui } from "../ui.js";
import { day, t, tOr } from "../words.js";
import { bubbles, mayRetry, pendingBubbles } from "./bubble.js";
import { blank, customerName, face, icon, skeleton } from "./bits.js";
import { channelIcon, channelWay, undelivered } from "./channel.js";
import { composer, drop } from "./composer.js";
import { imported } from "./imported.js";
import { offlineMessage } from "./offline.js";
import { quiet } from "./quiet.js";
import { wayButton } from "./reach.js";
import { jump, keepScroll } from "./scroll.js";

export function conversation() {
  if (ui.open?.startsWith("offline:")) return offlineMessage(ui.open.slice(8));
  const thread = ui.open ? store.state.threads.get(ui.open) : null;
  if (!thread) return html`<section class="column thread">${blank("message-square", t("thread.none"), t("thread.none.help"))}</section>`;
  if (!thread.chat) {
    const missing = thread.gone === "not_found";
    const content = missing
      ? blank("search", t("thread.missing"), t("thread.missing.help"), html`<button class="button" @click=${closeThread}>${t("back")}</button>`)
      : skeleton(5);
    return html`<section class="column thread">${content}</section>`;
  }
  return html`
    <section class="column thread" aria-label=${t("thread.label", { name: customerName(thread.chat) })} @dragover=${drop.over} @dragleave=${drop.leave} @drop=${drop.take}>
      ${head(thread)} ${banner(thread)}
      <div class="lines" id="lines" tabindex="0" role="log" aria-label=${t("thread.log")} @scroll=${onScroll}>
        <div class="lines-inner">${older(thread)} ${lines(thread)} ${pendingBubbles(thread)} ${typing(thread)}</div>
      </div>
      ${ui.below && !ui.atBottom ? html`<button class="jump" @click=${jump}>${icon("arrow-down")}${t("jump.new", { count: ui.below })}</button>` : ""}
      ${!ui.below && !ui.atBottom ? html`<button class="jump jump-plain" aria-label=${t("jump")} @click=${jump}>${icon("arrow-down")}</button>` : ""}
      ${undelivered(thread.chat)} ${composer(thread)}
    </section>`;
}

/** @param {import("../store.js").Thread} thread */
function head(thread) {
  const chat = /** @type {any} */ (thread.chat);
  const visits = store.state.mine.has(chat.id) && chat.guest === "joined" && chat.state !== "closed";
  const mine = store.state.mine.has(chat.id) && chat.state === "active" && !visits;
  return html`
    <header class="thread-head">
      <button class="button button-quiet button-icon only-narrow" aria-label=${t("back")} @click=${() => history.back()}>${icon("arrow-left")}</button>
      <button class="thread-who" @click=${() => setUi({ pane: "customer", panel: true })}>
        ${face(customerName(chat))}
        <span>
          <b dir="auto">${customerName(chat)}</b>
          <small>
            ${presence(chat)} ${icon(channelIcon(chat))}<span class="thread-channel" dir="auto">${channelWay(chat)}</span>
            <span aria-hidden="true">·</span> <span dir="auto">${chat.team?.name}</span>
            ${chat.agent && !mine ? html`<span aria-hidden="true">·</span> <span dir="auto">${chat.agent.name}</span>` : ""}
            ${company(chat)}
          </small>
        </span>
      </button>
      <div class="thread-actions">
        ${wayButton(thread)}
        ${mine || (isSupervisor && chat.state !== "closed")
          ? html`<button class="button button-quiet" @click=${() => setUi({ dialog: { kind: "transfer", chat: chat.id } })} title="${t("transfer")} (T)">${icon("arrow-right-left")}<span class="label">${t("transfer")}</span></button>`
          : ""}
        ${visits ? html`<button class="button" @click=${() => leave(chat.id)}>${icon("user-x")}<span class="label">${t("guest.leave")}</span></button>` : ""}
        ${mine ? html`<button class="button" @click=${() => setUi({ dialog: { kind: "close", chat: chat.id } })} title="${t("close")} (E)">${icon("check")}<span class="label">${t("close")}</span></button>` : ""}
        ${!mine && (chat.state === "queued" || chat.state === "searching") ? html`<button class="button button-primary" @click=${() => pick(chat.id)}>${t("pick")}</button>` : ""}
        <button class="button button-quiet button-icon only-wide" aria-pressed=${ui.panel} aria-label=${t("panel.toggle")} title=${t("panel.toggle")} @click=${togglePanel}>${icon("panel-right")}</button>
      </div>
    </header>`;
}

/** Whether the customer is there. Who is reached by a connector (SMS, say) never is, and reads it all the same. @param {any} chat */
function presence(chat) {
  if (chat.state !== "closed" && chat.delivery) return "";
  const word = chat.state === "closed" ? t("state.closed") : chat.online ? html`<i class="dot dot-online"></i>${t("customer.online")}` : html`<i class="dot dot-offline"></i>${t("customer.away")}`;
  return html`${word} <span aria-hidden="true">·</span>`;
}

/** Guests who are in the chat beside us. @param {any} chat */
function company(chat) {
  const others = (chat.guests || []).filter((/** @type {any} */ one) => one.state === "joined" && one.id !== store.state.agent?.id);
  const names = others.map((/** @type {any} */ one) => one.name);
  return names.length ? html`<span aria-hidden="true">·</span> <span class="thread-guests" dir="auto">${t("guest.with", { names: names.join(", ") })}</span>` : "";
}

export function togglePanel() {
  localStorage.setItem("desk.panel", ui.panel ? "closed" : "open");
  setUi({ panel: !ui.panel });
}

/** @param {import("../store.js").Thread} thread */
function banner(thread) {
  const chat = /** @type {any} */ (thread.chat);
  if (chat.state === "closed") {
    const reason = tOr(`closed.${chat.close_reason}`, t("closed"));
    const isErased = thread.log.events.some((event) => event.type === "chat.erased");
    return html`
      <div class="thread-banner">
        ${icon("archive")}<span>${reason}</span>
        ${isErased ? "" : html`<button class="button button-quiet" @click=${() => reopen(chat.id)}>${icon("undo-2")}${t("reopen")}</button>`}
        ${store.state.mine.has(chat.id) ? html`<button class="button" @click=${() => putAway(chat.id)}>${t("put_away")}</button>` : ""}
      </div>`;
  }
  if (chat.guest === "joined") {
    const text = chat.agent ? t("banner.guest", { name: chat.agent.name }) : t("banner.guest_waiting");
    return html`<div class="thread-banner">${icon("users")}<span>${text}</span></div>`;
  }
  if (store.state.mine.has(chat.id)) return "";
  if (chat.agent) return html`<div class="thread-banner">${icon("circle-user")}<span>${t("banner.colleague", { name: chat.agent.name })}</span></div>`;
  return html`<div class="thread-banner thread-banner-waiting">${icon("clock")}<span>${t("banner.waiting")}</span></div>`;
}

/** @param {import("../store.js").Thread} thread */
function older(thread) {
  if (!thread.log.last) {
    return thread.gone ? blank("cloud-off", t("thread.failed"), "", html`<button class="button" @click=${() => loadChat(thread.id)}>${t("retry")}</button>`) : skeleton(4);
  }
  if (thread.log.first <= 1) return "";
  if (thread.older === "busy") return html`<p class="older">${icon("loader-circle", "spin")} ${t("older.busy")}</p>`;
  return html`<p class="older"><button class="button button-quiet" @click=${() => loadOlder(thread.id)}>${t(thread.older === "failed" ? "older.failed" : "older.load")}</button></p>`;
}

/** @param {import("../store.js").Thread} thread */
function lines(thread) {
  const chat = /** @type {any} */ (thread.chat);
  const newFrom = ui.newFrom.get(thread.id);
  const unfolded = ui.unfolded.size;
  // Drawn again only when one of these changes: a clock that ticks must not touch a thousand bubbles.
  return guard([thread.log, newFrom, chat.read?.customer, thread.delivered, Boolean(chat.delivery), Boolean(chat.delivery?.owed_since), thread.again, mayRetry(thread), unfolded, thread.pending.length], () => {
    const failed = failures(thread.log.events);
    return repeat(toLines(thread.log.events, newFrom), (line) => line.key, (line) => {
      if (line.kind === "day") return html`<div class="line-day" role="separator"><span>${day(line.at)}</span></div>`;
      if (line.kind === "new") return html`<div class="line-new" role="separator"><span>${t("line.new")}</span></div>`;
      if (line.kind === "imported") return imported(line.event, customerName(chat));
      return line.kind === "quiet" ? quiet(line.event, thread) : bubbles(line, thread, failed);
    });
  });
}

/** @param {import("../store.js").Thread} thread */
function typing(thread) {
  if (!thread.typing || Date.now() - thread.typing.at > TYPING_MS * 2) return "";
  return html`
    <div class="group group-in typing" aria-hidden="true">
      <div class="bubble bubble-typing" dir="auto">${thread.typing.text ? html`<span class="typing-text">${thread.typing.text}</span>` : ""}<span class="typing-dots"><i></i><i></i><i></i></span></div>
      <p class="group-foot">${t("typing.live")}</p>
    </div>`;
}

/** @param {any} event */
function onScroll({ target }) {
  keepScroll(target);
  if (target.scrollTop < 120 && ui.open && store.thread(ui.open).older === "idle") void loadOlder(ui.open);
  markRead();
}
