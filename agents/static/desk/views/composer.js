// Where the agent writes: reply or private note, canned replies by "/", files, a draft per chat.
import { html } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { send, speaks, writesNote } from "../actions.js";
import { config, store } from "../desk.js";
import { draft, keepMode, setDraft, setUi, ui } from "../ui.js";
import { setTyping } from "../typing.js";
import { addFiles, removeUpload } from "../uploads.js";
import { closedBecause, mayLeave } from "../travel.js";
import { now, size, t } from "../words.js";
import { customerName, icon } from "./bits.js";
import { closedNotice, closesNotice, subjectLine, textCount } from "./travel.js";

const MAX = 10_000;

/** @param {import("../store.js").Thread} thread */
export function composer(thread) {
  const chat = /** @type {any} */ (thread.chat);
  const isMine = store.state.mine.has(chat.id);
  if (chat.state === "closed" || !(isMine || isColleagues(chat))) return "";
  const mode = writesNote(chat.id) ? "note" : "reply";
  return html`
    <div class="composer composer-${mode}">
      ${slashMenu(chat, draft(chat.id))}
      <div class="composer-tabs" role="tablist">
        ${speaks(chat.id) ? modeTab(chat.id, "reply", mode, "reply") : ""} ${modeTab(chat.id, "note", mode, "lock")}
        ${mode === "note" ? html`<span class="composer-hint">${t("note.only_team")}</span>` : ""}
      </div>
      ${mode === "reply" && closedBecause(chat, now()) ? closedNotice(chat) : field(chat, mode)}
    </div>`;
}

/** The text with all that belongs to it. @param {any} chat @param {"reply"|"note"} mode */
function field(chat, mode) {
  const isReply = mode === "reply";
  const text = draft(chat.id);
  const left = MAX - text.length;
  const empty = !text.trim() && !(ui.uploads.get(chat.id) || []).length;
  const held = isReply && !mayLeave(chat, text.trim(), now());
  return html`
      ${isReply ? html`${closesNotice(chat)} ${subjectLine(chat)}` : ""} ${uploads(chat.id)}
      <textarea id="composer" rows="1" dir="auto" maxlength=${MAX} aria-describedby="composer-count" aria-label=${t(mode === "note" ? "composer.note" : "composer.reply")}
        placeholder=${t(mode === "note" ? "composer.note.placeholder" : "composer.placeholder", { name: customerName(chat) })}
        .value=${live(text)} @input=${onInput} @keydown=${onKey} @paste=${onPaste} @blur=${() => setTyping(chat.id, false)}></textarea>
      <div class="composer-foot">
        ${store.state.mine.has(chat.id) ? tools() : ""}
        <span class="composer-count" id="composer-count">${(isReply && textCount(chat, text.trim())) || (left < 500 ? t("composer.left", { count: left }) : "")}</span>
        <button class="button ${mode === "note" ? "button-note" : "button-primary"}" ?disabled=${empty || held} @click=${() => send(chat.id)}>
          ${t(mode === "note" ? "note.add" : "send")}${icon(mode === "note" ? "lock" : "send")}
        </button>
      </div>`;
}

/** A chat that somebody else answers: one reads along, and may write to the team. @param {any} chat */
export const isColleagues = (chat) => chat?.state === "active" && !store.state.mine.has(chat.id);

/** What helps with replies: files, canned replies. */
const tools = () => html`
  <label class="button button-quiet button-icon" title=${t("upload.choose")}>
    ${icon("paperclip")}<span class="visually-hidden">${t("upload.choose")}</span>
    <input type="file" multiple class="visually-hidden" @change=${onChoose} />
  </label>
  <button class="button button-quiet button-icon" title="${t("slash.open")} (/)" aria-label=${t("slash.open")} @click=${openSlash}>${icon("zap")}</button>`;

/** @param {string} chat @param {"reply"|"note"} name @param {string} mode @param {string} iconName */
function modeTab(chat, name, mode, iconName) {
  return html`<button role="tab" class="composer-tab" aria-selected=${mode === name} @click=${() => setMode(chat, name)}>${icon(iconName)}${t(`mode.${name}`)}</button>`;
}

/** @param {string} chat @param {"reply"|"note"} mode */
export function setMode(chat, mode) {
  keepMode(chat, mode);
  if (mode === "note") setTyping(chat, false);
  focusComposer();
}

export function focusComposer() {
  requestAnimationFrame(() => document.getElementById("composer")?.focus());
}

/** @param {string} chat */
function uploads(chat) {
  const items = ui.uploads.get(chat) || [];
  if (!items.length) return "";
  return html`<ul class="uploads">${items.map((item) => html`
    <li class="upload upload-${item.state}">
      ${item.preview ? html`<img src=${item.preview} alt="" />` : icon("file-text")}
      <span><b dir="auto">${item.name}</b><small>${item.state === "failed" ? item.error : size(item.size)}</small>
        ${item.state === "busy" ? html`<progress max="1" value=${item.share} aria-label=${t("upload.busy")}></progress>` : ""}</span>
      <button class="button button-quiet button-icon" aria-label=${t("upload.remove", { name: item.name })} @click=${() => removeUpload(chat, item.key)}>${icon("x")}</button>
    </li>`)}</ul>`;
}

/** The replies that fit what stands after "/". @param {any} chat @param {string} text @returns {any[]} */
function slashReplies(chat, text) {
  const match = /^\/(\S*)$/.exec(text);
  if (!match) return [];
  const wanted = match[1].toLocaleLowerCase();
  const team = (/** @type {any} */ reply) => reply.team?.id ?? reply.team;
  return ui.replies
    .filter((reply) => !team(reply) || team(reply) === chat.team?.id)
    .filter((reply) => !reply.language || !chat.language || reply.language === chat.language)
    .filter((reply) => `${reply.shortcut} ${reply.title}`.toLocaleLowerCase().includes(wanted))
    .slice(0, 8);
}

/** @param {any} chat @param {string} text */
function slashMenu(chat, text) {
  if (!/^\/\S*$/.test(text)) return "";
  const replies = slashReplies(chat, text);
  if (!replies.length) return html`<div class="slash"><p class="slash-none">${t("slash.none")}</p></div>`;
  return html`
    <div class="slash" role="listbox" aria-label=${t("slash.open")}>
      ${replies.map((reply, at) => html`
        <button role="option" class="slash-item" aria-selected=${at === ui.slash} @click=${() => insert(chat, reply)} @mouseenter=${() => setUi({ slash: at })}>
          <b>/${reply.shortcut}</b><span dir="auto">${reply.title}</span><small dir="auto">${fill(reply.text, chat)}</small>
        </button>`)}
    </div>`;
}

/** @param {string} text @param {any} chat */
const fill = (text, chat) => text.replaceAll("{name}", chat.customer?.name || "").replaceAll("{agent}", store.state.agent?.name || config.agent.name);

/** @param {any} chat @param {any} reply */
function insert(chat, reply) {
  setUi({ slash: 0 });
  setDraft(chat.id, fill(reply.text, chat));
  focusComposer();
}

function openSlash() {
  if (ui.open && !draft(ui.open)) setDraft(ui.open, "/");
  focusComposer();
}

/** @param {any} event */
function onInput({ target }) {
  const chat = /** @type {string} */ (ui.open);
  ui.slash = 0;
  setDraft(chat, target.value);
  // Whoever takes the chat in the middle of a note goes on writing a note.
  if (writesNote(chat)) keepMode(chat, "note");
  else setTyping(chat, Boolean(target.value.trim()) && !target.value.startsWith("/"));
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const id = /** @type {string} */ (ui.open);
  const chat = store.thread(id).chat;
  const replies = slashReplies(chat, draft(id));
  // A composition (Chinese, Japanese, Korean) ends with Enter; that Enter sends nothing.
  if (event.isComposing) return;
  if (replies.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    setUi({ slash: (ui.slash + (event.key === "ArrowDown" ? 1 : replies.length - 1)) % replies.length });
  } else if (replies.length && (event.key === "Enter" || event.key === "Tab")) {
    event.preventDefault();
    insert(chat, replies[Math.min(ui.slash, replies.length - 1)]);
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    send(id);
  } else if (event.key === "Escape") {
    if (replies.length) setDraft(id, "");
    else /** @type {HTMLElement} */ (event.target).blur();
  }
}

/** @param {ClipboardEvent} event */
function onPaste(event) {
  const files = event.clipboardData?.files;
  if (!files?.length || !ui.open || !store.state.mine.has(ui.open)) return;
  event.preventDefault();
  addFiles(ui.open, files);
}

/** @param {any} event */
function onChoose({ target }) {
  if (ui.open) addFiles(ui.open, target.files);
  target.value = "";
}

export const drop = {
  /** @param {DragEvent} event */
  over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (event.currentTarget).classList.add("dropping");
  },
  /** @param {DragEvent} event */
  leave: (event) => /** @type {HTMLElement} */ (event.currentTarget).classList.remove("dropping"),
  /** @param {DragEvent} event */
  take(event) {
    drop.leave(event);
    if (!event.dataTransfer?.files.length || !ui.open || !store.state.mine.has(ui.open)) return;
    event.preventDefault();
    addFiles(ui.open, event.dataTransfer.files);
  },
};
