// ⌘K: everything by a few letters. Chats, people's teams, and what the desk can do.
import { html } from "lit-html";
import { openChat, setStatus } from "../actions.js";
import { config, isSupervisor, store } from "../desk.js";
import { leave } from "../guests.js";
import { setTheme, setUi, ui } from "../ui.js";
import { chooseWay, writeTo } from "../reach.js";
import { t } from "../words.js";
import { customerName, icon } from "./bits.js";
import { searchable } from "./row.js";
import { toggleSound } from "./topbar.js";
import { showTab } from "./list.js";
import { setMode } from "./composer.js";
import { mayMove } from "./reach.js";

let query = "";
let at = 0;

/** @typedef {{icon: string, label: string, hint?: string, run: () => void}} Command */

export function resetPalette() {
  query = "";
  at = 0;
}

/** @returns {Command[]} */
function commands() {
  const status = (/** @type {string} */ name) => ({ icon: "circle", label: t("palette.status", { status: t(`status.${name}`) }), run: () => setStatus(name) });
  const open = ui.open && store.state.mine.has(ui.open) ? ui.open : null;
  const active = open && store.thread(open).chat?.state === "active" && !store.thread(open).chat?.guest;
  return [
    ...(active && open
      ? [
          { icon: "lock", label: t("note.add"), hint: "N", run: () => setMode(open, "note") },
          { icon: "arrow-right-left", label: t("transfer"), hint: "T", run: () => setUi({ dialog: { kind: "transfer", chat: open } }) },
          { icon: "check", label: t("close"), hint: "E", run: () => setUi({ dialog: { kind: "close", chat: open } }) },
        ]
      : []),
    ...(open && store.thread(open).chat?.guest ? [{ icon: "user-x", label: t("guest.leave"), run: () => leave(open) }] : []),
    ...(ui.outbound.length ? [{ icon: "message-square-plus", label: t("outbound.open"), hint: "C", run: () => writeTo() }] : []),
    ...(ui.open && mayMove(store.state.threads.get(ui.open)) ? [{ icon: "arrow-right-left", label: t("way.open"), hint: "G", run: () => void chooseWay(String(ui.open)) }] : []),
    { icon: "message-square", label: t("tab.mine"), run: () => showTab("mine") },
    { icon: "users", label: t("tab.queue"), run: () => showTab("queue") },
    ...(isSupervisor ? [{ icon: "layout-list", label: t("tab.all"), run: () => showTab("all") }] : []),
    { icon: "inbox", label: t("tab.offline"), run: () => showTab("offline") },
    ...["online", "away", "offline"].map(status),
    { icon: "sun", label: t("palette.theme", { theme: t("theme.light") }), run: () => setTheme("light") },
    { icon: "moon", label: t("palette.theme", { theme: t("theme.dark") }), run: () => setTheme("dark") },
    { icon: "monitor", label: t("palette.theme", { theme: t("theme.system") }), run: () => setTheme("system") },
    { icon: ui.sound ? "volume-x" : "volume-2", label: t(ui.sound ? "palette.sound_off" : "palette.sound_on"), run: toggleSound },
    { icon: "keyboard", label: t("help.title"), hint: "?", run: () => setUi({ dialog: { kind: "help" } }) },
    { icon: "log-out", label: t("menu.sign_out"), run: () => location.assign(config.signOutUrl) },
  ];
}

/** @returns {Command[]} */
function found() {
  const wanted = query.trim().toLocaleLowerCase();
  const chats = [...store.state.threads.values()]
    .filter((thread) => thread.chat && (store.state.mine.has(thread.id) || wanted))
    .filter((thread) => !wanted || searchable(thread.chat).includes(wanted))
    .slice(0, 8)
    .map((thread) => ({
      icon: "message-circle", label: customerName(thread.chat), hint: thread.chat?.team?.name, run: () => openChat(thread.id),
    }));
  return [...chats, ...commands().filter((command) => !wanted || command.label.toLocaleLowerCase().includes(wanted))];
}

export function palette() {
  const items = found();
  const run = (/** @type {Command} */ command) => {
    setUi({ dialog: null });
    command.run();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    // Asked anew: a quick typist presses Enter before the list is drawn again.
    const items = found();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % Math.max(1, items.length);
      setUi();
      requestAnimationFrame(() => document.querySelector('.palette-item[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter" && items[at]) {
      event.preventDefault();
      run(items[at]);
    }
  };
  const onInput = (/** @type {any} */ event) => {
    query = event.target.value;
    at = 0;
    setUi();
  };
  return html`
    <div class="palette">
      <label class="palette-search">${icon("search")}<input data-focus type="text" autocomplete="off" dir="auto" placeholder=${t("palette.placeholder")} aria-label=${t("palette.placeholder")} .value=${query} @input=${onInput} @keydown=${onKey} /><kbd>Esc</kbd></label>
      <div class="palette-list" role="listbox">
        ${items.map((item, n) => html`
          <button class="palette-item" role="option" aria-selected=${n === at} tabindex="-1" @click=${() => run(item)}>
            ${icon(item.icon)}<span dir="auto">${item.label}</span>${item.hint ? html`<small dir="auto">${item.hint}</small>` : ""}
          </button>`)}
        ${items.length ? "" : html`<p class="palette-none">${t("search.none")}</p>`}
      </div>
    </div>`;
}
