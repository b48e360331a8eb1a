// The desk begins here: words, store, wire and page are put together, and nothing else.
import { render } from "lit-html";
import { useAccent } from "./accent.js";
import { markRead, openChat, watch } from "./actions.js";
import { alertFor, ring, unlockSound, updateTitle } from "./alerts.js";
import { config, poster, socket, store } from "./desk.js";
import { listenToKeys } from "./keys.js";
import { loadDeskLists, loadErased, loadNewer, loadAll, loadOffline, settleLost } from "./loads.js";
import { onUiChange, toast, ui } from "./ui.js";
import { t, useSkew, useWords } from "./words.js";
import { app } from "./views/app.js";
import { customerName } from "./views/bits.js";
import { afterDraw, beforeDraw } from "./views/scroll.js";

useWords(config.words, config.language);
useAccent(config.center.accent);
const root = /** @type {HTMLElement} */ (document.getElementById("desk"));
let planned = false;

/** At most one drawing a frame, however much happens. A hidden page has no frames: then a timer draws, for the title's sake. */
function draw() {
  if (planned) return;
  planned = true;
  const paint = () => {
    planned = false;
    beforeDraw();
    render(app(), root);
    growComposer();
    afterDraw();
    updateTitle();
    markRead();
  };
  if (document.hidden) setTimeout(paint, 100);
  else requestAnimationFrame(paint);
}

let grown = "";

function growComposer() {
  const box = /** @type {HTMLTextAreaElement|null} */ (document.getElementById("composer"));
  // Measuring makes the browser lay the page out: only when there is something new to measure.
  const wanted = box ? `${ui.open} ${box.value} ${window.innerWidth}` : "";
  if (!box || wanted === grown) return;
  grown = wanted;
  box.style.blockSize = "auto";
  box.style.blockSize = `${Math.min(box.scrollHeight + 2, window.innerHeight * 0.4)}px`;
}

/** @param {import("./store.js").Signal[]} signals */
function onChange(signals) {
  useSkew(store.state.skew);
  for (const signal of signals) {
    if (signal.kind === "hole") void loadNewer(signal.chat);
    else if (signal.kind === "erased") void loadErased(signal.chat);
    else if (signal.kind === "lost") void settleLost(signal.chat);
    else if (signal.kind === "message" && signal.chat === ui.open) noteBelow(signal);
    else if (signal.kind === "chat_gone" && !ui.passedOn.delete(signal.chat)) {
      toast(t("gone.transferred", { name: customerName(store.thread(signal.chat).chat) }));
    }
  }
  alertFor(signals);
  draw();
}

/** A message under the fold, or behind a hidden tab, gets the "new" line. @param {any} signal */
function noteBelow({ chat, event }) {
  if (ui.atBottom && !document.hidden) return;
  if (!ui.newFrom.has(chat)) ui.newFrom.set(chat, event.index);
  ui.below += 1;
}

let link = "";

/** The line came or went. */
function onLink() {
  if (store.state.link.state === link) return;
  link = store.state.link.state;
  if (link !== "live") return;
  poster.pumpAll();
  void loadDeskLists();
  void loadOffline();
  if (ui.tab === "all") void loadAll();
  if (ui.open && !store.state.mine.has(ui.open) && !ui.open.startsWith("offline:")) watch(ui.open);
}

/** The address names the open chat, so that "back" works and a chat can be linked. */
function onAddress() {
  const match = /^#\/chat\/([\w-]+)$/.exec(location.hash);
  if (match && match[1] !== ui.open) {
    openChat(match[1], { push: false });
  } else if (!match) {
    Object.assign(ui, { open: null, pane: "list" });
    draw();
  }
}

function listen() {
  addEventListener("popstate", onAddress);
  addEventListener("online", () => socket.wake());
  addEventListener("focus", draw);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) socket.wake();
    draw();
  });
  setInterval(() => {
    ring();
    draw();
  }, 1000);
  setInterval(() => ui.tab === "all" && link === "live" && void loadAll(), 15_000);
  // Nobody announces what was left while everybody was out; its count stands beside the tabs.
  setInterval(() => link === "live" && void loadOffline(), 60_000);
}

onUiChange(draw);
store.subscribe(onChange);
store.subscribe(onLink);
poster.restore();
unlockSound();
listenToKeys();
listen();
draw();
socket.start();
if (location.hash) onAddress();
