// The keyboard: single letters where nobody types, ⌘K or Ctrl+K everywhere.
import { accept, decline } from "./actions.js";
import { join, refuse } from "./guests.js";
import { chooseWay, writeTo } from "./reach.js";
import { store } from "./desk.js";
import { setUi, ui } from "./ui.js";
import { focusComposer, isColleagues, setMode } from "./views/composer.js";
import { move } from "./views/list.js";
import { resetPalette } from "./views/palette.js";
import { mayMove } from "./views/reach.js";
import { togglePanel } from "./views/thread.js";

const isTyping = (/** @type {EventTarget|null} */ target) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=radio]), textarea, select"));

/** The open chat if it is ours and active. */
function mineOpen() {
  const id = ui.open;
  return id && store.state.mine.has(id) && store.thread(id).chat?.state === "active" ? id : null;
}

/** The same, and we are no guest in it. */
function ownOpen() {
  const id = mineOpen();
  return id && !store.thread(id).chat?.guest ? id : null;
}

/** Offered chats are answered before invitations to join. @param {(invitation: any) => any} offered @param {(chat: string) => any} asked */
function answer(offered, asked) {
  const invitation = store.state.invitations.values().next().value;
  const [chat] = store.state.asked;
  if (invitation) offered(invitation);
  else if (chat) asked(chat);
}

/** Where a note can be written: in one's own chat, and in a colleague's that one reads along. */
function notable() {
  const id = ui.open && !ui.open.startsWith("offline:") ? ui.open : null;
  return id && (mineOpen() || isColleagues(store.thread(id).chat)) ? id : null;
}

/** @type {Record<string, () => any>} */
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  Enter: () => mineOpen() && focusComposer(),
  r: () => mineOpen() && setMode(/** @type {string} */ (mineOpen()), "reply"),
  n: () => notable() && setMode(/** @type {string} */ (notable()), "note"),
  t: () => ownOpen() && setUi({ dialog: { kind: "transfer", chat: ownOpen() } }),
  e: () => ownOpen() && setUi({ dialog: { kind: "close", chat: ownOpen() } }),
  c: () => ui.outbound.length && writeTo(),
  g: () => ui.open && mayMove(store.state.threads.get(ui.open)) && chooseWay(ui.open),
  a: () => answer(accept, join),
  d: () => answer(decline, refuse),
  i: togglePanel,
  "/": () => /** @type {HTMLElement|null} */ (document.getElementById("search"))?.focus(),
  "?": () => setUi({ dialog: { kind: "help" } }),
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    resetPalette();
    return setUi({ dialog: ui.dialog?.kind === "palette" ? null : { kind: "palette" } });
  }
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape") for (const menu of openMenus()) shut(menu);
  if (event.key === "Escape" && target.id === "search") return target.blur();
  if (ui.dialog || event.metaKey || event.ctrlKey || event.altKey || event.isComposing || isTyping(target)) return;
  // Enter on a button or a link is that button's own.
  if (event.key === "Enter" && target.closest("button, a, summary")) return;
  const run = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!run) return;
  event.preventDefault();
  run();
}

/** @returns {NodeListOf<HTMLDetailsElement>} */
const openMenus = () => document.querySelectorAll("details.menu[open]");

/** The focus goes back to what opened it. @param {HTMLDetailsElement} menu */
function shut(menu) {
  if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
  menu.open = false;
}

export function listenToKeys() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    // A menu closes when one clicks elsewhere.
    for (const menu of openMenus()) if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
}
