// The panel's beginning: settings, language, the site behind the frame; then it chooses the view and keeps all of them current.
import { Bridge } from "./bridge.js";
import { Client } from "./client.js";
import { accentColors } from "./colors.js";
import { h, icon } from "./dom.js";
import { Rest } from "./rest.js";
import { Store } from "./store.js";
import { Uploads } from "./uploads.js";
import { chooseLanguage, direction, language, loadLanguage, t } from "./words.js";
import { Conversation } from "./views/conversation.js";
import { Header } from "./views/header.js";
import { Home } from "./views/home.js";
import { Offline } from "./views/offline.js";

const page = document.documentElement;
const root = /** @type {HTMLElement} */ (document.getElementById("panel"));
const announcer = /** @type {HTMLElement} */ (document.getElementById("announcer"));
const key = page.dataset.key || "";
const dark = matchMedia("(prefers-color-scheme: dark)");
const SETTINGS_MS = 60_000;
const SAVE_MS = 300;
const TICK_MS = 2000;

const store = new Store();
const rest = new Rest(new URL("/api/v1/", location.href).href);
const socketUrl = new URL("/ws/v1/customer", location.href.replace(/^http/, "ws")).href;

/** @type {any} */ let config = null;
let settingsAt = 0;
/** @type {string[]} */ let hints = [];
/** @type {Header|null} */ let header = null;
/** @type {{node: HTMLElement, update: () => void, focus: () => void}|null} */ let view = null;
let shown = "";
let isRefreshing = false;
/** @type {Map<string, any>} */ const saves = new Map();

const bridge = new Bridge((page.dataset.origins || "").split(" "), {
  state: (state) => void begin(state),
  open(where) {
    client.session.page = where || client.session.page;
    app.isOpen = true;
    void renewSettings();
    app.refresh();
    focus();
  },
  closed() {
    app.isOpen = false;
    header?.toggle(false);
  },
  saved: (name, value) => void client.savedElsewhere(name, value),
  identify: (identity) => void client.identify(identity),
  data: (data) => (client.data = data),
  language(wishes) {
    hints = wishes;
    if (config) void speak().then(redraw);
  },
});

const keeper = { set: (/** @type {string} */ name, /** @type {string|null} */ value) => bridge.set(name, value) };
const client = new Client({
  store, rest, keeper, key, socketUrl, emit: (name, detail) => bridge.post({ type: "event", name, detail }), onChange: () => app.refresh(),
  // Written into a chat that ended before it could go: it waits in the composer of the next one.
  onUnsent: (text) => app.keepDraft([app.draft, text].filter(Boolean).join("\n")),
  onOther() {
    app.typed = { values: {}, text: "", team: "" };
    app.keepTyped();
    app.keepDraft("");
    shown = ""; // views hold what was typed
  },
});

/** @type {import("./views/app.js").App} */
const app = {
  client, store, config, typed: { values: {}, text: "", team: "" }, draft: "", uploads: new Uploads(rest, () => app.refresh()),
  isOpen: false, leaving: "",
  keepTyped: () => saveSoon("form", () => JSON.stringify(app.typed)),
  keepDraft(text) {
    app.draft = text;
    saveSoon("draft", () => app.draft || null);
  },
  keep: keeper.set,
  refresh,
  close: () => bridge.post({ type: "close" }),
  announce,
};

/** What is typed is kept soon, not at every key. @param {string} name @param {() => string|null} value */
function saveSoon(name, value) {
  clearTimeout(saves.get(name));
  saves.set(name, setTimeout(() => void keeper.set(name, value()), SAVE_MS));
}

/** @param {import("./bridge.js").HostState} state */
async function begin(state) {
  if (app.isOpen || config) return;
  client.session.page = state.page;
  client.data = state.data;
  hints = state.hints;
  app.isOpen = state.isOpen;
  app.draft = state.saved.draft || "";
  recall(state.saved.form);
  if (state.theme) page.dataset.theme = state.theme;
  drawWaiting("");
  for (let wait = 1000; !(await loadSettings()); wait = Math.min(wait * 2, 30_000)) {
    drawWaiting("unreachable");
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
  }
  await speak();
  redraw();
  await client.begin(state.saved, state.identity);
  if (app.isOpen) focus();
}

/** @param {string|undefined} text */
function recall(text) {
  try {
    const typed = JSON.parse(text || "{}");
    app.typed = { values: { ...typed.values }, text: String(typed.text || ""), team: String(typed.team || "") };
  } catch {
    app.typed = { values: {}, text: "", team: "" };
  }
}

async function loadSettings() {
  try {
    config = app.config = await rest.get(`widget/config?key=${encodeURIComponent(key)}`);
    settingsAt = Date.now();
    return true;
  } catch {
    return false;
  }
}

/** Opening hours pass while a page stays open. */
async function renewSettings() {
  if (!config || store.state.chat || Date.now() - settingsAt < SETTINGS_MS) return;
  const was = config.is_open;
  if ((await loadSettings()) && was !== config.is_open) app.refresh();
}

async function speak() {
  const code = chooseLanguage([...hints, ...navigator.languages], config.languages);
  await loadLanguage(code);
  client.session.language = language();
  page.lang = language();
  page.dir = direction();
  paint();
}

function paint() {
  const theme = page.dataset.theme || (dark.matches ? "dark" : "light");
  const colors = accentColors(config?.look?.accent || page.dataset.accent || "", theme === "dark" ? "dark" : "light");
  for (const [name, value] of Object.entries(colors)) page.style.setProperty(name, value);
}

/** @param {string} kind "" or "unreachable" */
function drawWaiting(kind) {
  paint();
  const text = kind && config ? t(kind) : "";
  root.replaceChildren(h("div.waiting", {}, h("span.spinner"), h("p.muted", {}, text)));
}

/** Everything anew: the language has changed. */
function redraw() {
  header = new Header(app, app.close);
  view = null;
  shown = "";
  root.replaceChildren(header.node, header.link, h("main.main"));
  refresh();
}

/** Many changes of one moment are drawn once. */
function refresh() {
  if (isRefreshing || !header) return;
  isRefreshing = true;
  queueMicrotask(draw);
}

function draw() {
  isRefreshing = false;
  const name = choose();
  if (name !== shown || !view) {
    shown = name;
    view = make(name);
    root.querySelector("main")?.replaceChildren(view.node);
    // Not by the active element: a button that was disabled while we waited has lost the focus already.
    if (app.isOpen && document.hasFocus()) view.focus();
  } else view.update();
  header?.update();
  if (isSeen()) client.read();
  bridge.post({ type: "unread", count: isSeen() ? 0 : store.unread() });
}

function choose() {
  const { phase } = client;
  if (app.leaving) return `offline-${app.leaving}`;
  if (store.state.chat) return `chat-${store.state.chat.id}`;
  if (phase === "loading" || phase === "unreachable") return phase;
  return config.is_open ? "home" : "offline-closed";
}

/** @param {string} name */
function make(name) {
  if (name === "home") return new Home(app);
  if (name.startsWith("offline")) return new Offline(app);
  if (name.startsWith("chat")) return new Conversation(app);
  const text = h("p.muted", { tabindex: "-1" }, t(name));
  return { node: h("div.waiting", {}, name === "loading" ? h("span.spinner") : icon("cloud-off", "icon-large"), text), update() {}, focus: () => text.focus() };
}

const isSeen = () => app.isOpen && document.visibilityState === "visible" && shown.startsWith("chat");

function focus() {
  // Only what is in sight can take the focus, and the site shows the frame in the same moment.
  requestAnimationFrame(() => view?.focus());
}

/** Said once by screen readers. @param {string} text */
function announce(text) {
  announcer.append(h("p", {}, text));
  while (announcer.childElementCount > 20) announcer.firstElementChild?.remove();
}

store.subscribe((signals) => {
  for (const signal of signals) {
    if (signal.kind !== "message" || !signal.isUnread) continue;
    const name = signal.event.sender?.name || config?.center.name || "";
    const files = (signal.event.attachments || []).map((/** @type {any} */ file) => file.name).join(", ");
    announce(`${name}: ${signal.event.text || files}`);
  }
  app.refresh();
});

document.addEventListener("keydown", (event) => {
  // A dialog of our own closes by itself, an input method takes its Escape first.
  if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
  if (!header?.escape()) app.close();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  client.link.wake();
  app.refresh();
});
addEventListener("online", () => client.link.wake());
dark.addEventListener("change", paint);
setInterval(() => {
  const { typing } = store.state;
  if (!typing || typing.until > Date.now()) return;
  store.state.typing = null;
  app.refresh();
}, TICK_MS);

bridge.listen();
