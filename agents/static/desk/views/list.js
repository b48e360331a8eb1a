// The first column: tabs, search, and the rows of the chosen tab.
import { html } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { openChat } from "../actions.js";
import { isSupervisor, store } from "../desk.js";
import { loadAll, loadOffline, search } from "../loads.js";
import { setUi, ui } from "../ui.js";
import { number, now, span, t } from "../words.js";
import { blank, icon, skeleton } from "./bits.js";
import { invitations } from "./invitation.js";
import { setStatus } from "../actions.js";
import { newButton } from "./reach.js";
import { row, searchable } from "./row.js";

export function list() {
  const queued = [...store.state.queue.values()].reduce((sum, team) => sum + team.waiting, 0);
  return html`
    <section class="column list" aria-label=${t("list.label")}>
      <nav class="tabs" role="tablist">
        ${tab("mine", t("tab.mine"), store.state.mine.size)} ${tab("queue", t("tab.queue"), queued, queued > 0)}
        ${isSupervisor ? tab("all", t("tab.all")) : ""}
        ${tab("offline", t("tab.offline"), ui.offline.items.length, false, "inbox")}
      </nav>
      <div class="list-tools">
      <label class="searchbox">
        ${icon("search")}
        <span class="visually-hidden">${t("search.label")}</span>
        <input id="search" type="search" placeholder=${t("search.label")} .value=${ui.query} autocomplete="off" dir="auto"
          @input=${(/** @type {any} */ event) => search(event.target.value)} />
        ${ui.query ? "" : html`<kbd>/</kbd>`}
      </label>
      ${newButton()}
      </div>
      ${invitations()}
      <div class="rows" id="rows" @scroll=${growCap}>${body()}</div>
    </section>`;
}

/**
 * @param {import("../ui.js").Tab} name
 * @param {string} label
 * @param {number} [count]
 * @param {boolean} [loud]
 * @param {string} [iconName] drawn instead of the word
 */
function tab(name, label, count = 0, loud = false, iconName = "") {
  return html`
    <button role="tab" class="tab ${iconName ? "tab-icon" : ""}" aria-selected=${ui.tab === name} title=${iconName ? label : ""} @click=${() => showTab(name)}>
      ${iconName ? html`${icon(iconName)}<span class="visually-hidden">${label}</span>` : label}
      ${count ? html`<span class="count ${loud ? "count-loud" : ""}">${number(count)}</span>` : ""}
    </button>`;
}

/** @param {import("../ui.js").Tab} name */
export function showTab(name) {
  setUi({ tab: name, cap: 60, query: "", found: { state: "idle", items: [] } });
  if (name === "all") void loadAll();
  if (name === "offline") void loadOffline();
}

/** Rows are drawn as far as somebody scrolls: 300 chats stay fast. @param {any} event */
function growCap({ target }) {
  if (target.scrollHeight - target.scrollTop - target.clientHeight < 400 && ui.cap < visibleChats().length) setUi({ cap: ui.cap + 60 });
}

/** The chats of the tab in their order, filtered. @returns {any[]} */
export function visibleChats() {
  const wanted = ui.query.trim().toLocaleLowerCase();
  const chats = tabChats().filter((chat) => !wanted || searchable(chat).includes(wanted));
  if (!wanted) return chats;
  const known = new Set(chats.map((chat) => chat.id));
  return [...chats, ...ui.found.items.filter((chat) => !known.has(chat.id))];
}

/** @returns {any[]} */
function tabChats() {
  const { threads, mine, queue } = store.state;
  if (ui.tab === "mine") {
    const chats = [...mine].map((id) => threads.get(id)?.chat).filter(Boolean);
    // A stable order: nothing jumps when somebody writes. What has ended sinks.
    return /** @type {any[]} */ (chats).sort(
      (a, b) => Number(a.state === "closed") - Number(b.state === "closed") || String(a.started_at).localeCompare(String(b.started_at)),
    );
  }
  if (ui.tab === "queue") return [...queue.values()].flatMap((team) => (team.chats || []).map((/** @type {any} */ chat) => threads.get(chat.id)?.chat || chat));
  if (ui.tab === "all") return ui.all.items.map((chat) => threads.get(chat.id)?.chat || chat);
  return [];
}

function body() {
  if (ui.tab === "offline") return offlineRows();
  const chats = visibleChats();
  if (!store.state.ready && ui.tab !== "all") return skeleton(6);
  if (ui.tab === "all" && ui.all.state === "busy" && !chats.length) return skeleton(6);
  if (ui.tab === "all" && ui.all.state === "failed") {
    return blank("cloud-off", t("all.failed"), "", html`<button class="button" @click=${loadAll}>${t("retry")}</button>`);
  }
  if (!chats.length) return emptyList();
  return html`
    ${repeat(chats.slice(0, ui.cap), (chat) => chat.id, (chat, at) => html`${teamHead(chats, at)}${row(chat)}`)}
    ${ui.query && ui.found.state === "busy" ? skeleton(2) : ""}
    ${chats.length > ui.cap ? html`<p class="rows-more">${t("list.more", { count: chats.length - ui.cap })}</p>` : ""}`;
}

/** In the queue a line names the team before its first chat. @param {any[]} chats @param {number} at */
function teamHead(chats, at) {
  if (ui.tab !== "queue" || ui.query) return "";
  const team = chats[at].team;
  if (at && chats[at - 1].team?.id === team?.id) return "";
  const entry = store.state.queue.get(team?.id);
  const oldest = entry?.oldest_at ? span(now() - Date.parse(entry.oldest_at)) : "";
  return html`<h2 class="rows-head"><span dir="auto">${team?.name}</span><span>${entry ? t("queue.head", { count: entry.waiting, oldest }) : ""}</span></h2>`;
}

function emptyList() {
  if (ui.query) {
    if (ui.found.state === "busy") return skeleton(3);
    return ui.found.state === "failed" ? blank("cloud-off", t("search.failed")) : blank("search", t("search.none"), t("search.none.help"));
  }
  if (ui.tab === "queue") return blank("circle-check", t("queue.none"), t("queue.none.help"));
  if (ui.tab === "all") return blank("messages-square", t("all.none"));
  if (store.state.agent?.status === "online") return blank("headphones", t("mine.none"), t("mine.none.help"));
  const online = html`<button class="button button-primary" @click=${() => setStatus("online")}>${t("status.go_online")}</button>`;
  return blank("headphones", t("mine.none"), t("mine.none.offline"), online);
}

function offlineRows() {
  const { state, items } = ui.offline;
  if (state === "busy" && !items.length) return skeleton(4);
  if (state === "failed") return blank("cloud-off", t("offline.failed"), "", html`<button class="button" @click=${loadOffline}>${t("retry")}</button>`);
  if (!items.length) return blank("inbox", t("offline.none"), t("offline.none.help"));
  return repeat(items, (item) => item.id, (item) => html`
    <button class="row" aria-current=${ui.open === `offline:${item.id}`} @click=${() => setUi({ open: `offline:${item.id}`, pane: "thread" })}>
      <span class="row-main">
        <span class="row-top"><b dir="auto">${item.name || item.email}</b><time>${span(now() - Date.parse(item.created_at || item.at))}</time></span>
        <span class="row-text" dir="auto">${item.text}</span>
      </span>
    </button>`);
}

/** Move to the next or the previous chat. @param {1|-1} step */
export function move(step) {
  const chats = visibleChats();
  if (!chats.length) return;
  const at = chats.findIndex((chat) => chat.id === ui.open);
  const next = Math.min(chats.length - 1, Math.max(0, at < 0 ? 0 : at + step));
  if (next >= ui.cap) ui.cap = next + 30;
  openChat(chats[next].id, { push: false });
  requestAnimationFrame(() => document.querySelector('.row[aria-current="true"]')?.scrollIntoView({ block: "nearest" }));
}
