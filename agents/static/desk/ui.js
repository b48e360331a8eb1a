// What the desk shows and what was typed but not sent. State of one browser; the chats themselves live in the store.

/**
 * @typedef {{key: string, name: string, size: number, type: string, share: number, state: "busy"|"done"|"failed", error: string,
 *   attachment: any, preview: string}} Upload
 * @typedef {"mine"|"queue"|"all"|"offline"} Tab
 */

const DRAFT = "desk.draft.";
const MODE = "desk.mode.";

export const ui = {
  /** @type {Tab} */ tab: "mine",
  /** @type {string|null} */ open: null,
  /** @type {"list"|"thread"|"customer"} */ pane: "list",
  panel: localStorage.getItem("desk.panel") !== "closed",
  /** @type {({kind: string} & Record<string, any>)|null} */ dialog: null,
  query: "",
  /** @type {{state: "idle"|"busy"|"failed"|"done", items: any[]}} */ found: { state: "idle", items: [] },
  /** @type {{state: "idle"|"busy"|"failed"|"done", items: any[]}} */ all: { state: "idle", items: [] },
  /** @type {{state: "idle"|"busy"|"failed"|"done", items: any[]}} */ offline: { state: "idle", items: [] },
  /** @type {any[]} */ replies: [],
  /** @type {any[]} */ dispositions: [],
  /** @type {any[]} channels by which one may write first */ outbound: [],
  /** @type {Map<string, {state: "busy"|"failed"|"done", customer: any, chats: any[]}>} */ customers: new Map(),
  /** @type {Map<string, "reply"|"note">} */ modes: new Map(),
  /** @type {Map<string, string>} */ drafts: new Map(),
  /** @type {Map<string, Upload[]>} */ uploads: new Map(),
  /** @type {Map<string, number>} the index before which "new" is drawn */ newFrom: new Map(),
  /** @type {Set<string>} long messages that were unfolded */ unfolded: new Set(),
  /** @type {{id: number, text: string, tone: string, action?: {label: string, run: () => void}}[]} */ toasts: [],
  /** @type {Set<string>} chats that we ourselves gave away */ passedOn: new Set(),
  cap: 60,
  slash: 0,
  sound: localStorage.getItem("desk.sound") !== "off",
  notify: localStorage.getItem("desk.notify") !== "off",
  atBottom: true,
  below: 0,
};

/** @type {() => void} */
let redraw = () => {};

/** @param {() => void} draw */
export function onUiChange(draw) {
  redraw = draw;
}

/** @param {Partial<typeof ui>} [change] */
export function setUi(change = {}) {
  Object.assign(ui, change);
  redraw();
}

/** @param {string} chat */
export function draft(chat) {
  let text = ui.drafts.get(chat);
  if (text === undefined) {
    text = localStorage.getItem(DRAFT + chat) || "";
    ui.drafts.set(chat, text);
  }
  return text;
}

/**
 * @param {string} chat
 * @param {string} text
 */
export function setDraft(chat, text) {
  ui.drafts.set(chat, text);
  try {
    if (text) localStorage.setItem(DRAFT + chat, text);
    else localStorage.removeItem(DRAFT + chat);
  } catch {
    // Without storage the draft lives as long as this page.
  }
  redraw();
}

/** Kept as long as the draft: half a private note must not come back as a reply. @param {string} chat @returns {"reply"|"note"} */
export function mode(chat) {
  let chosen = ui.modes.get(chat);
  if (!chosen) {
    chosen = localStorage.getItem(MODE + chat) === "note" ? "note" : "reply";
    ui.modes.set(chat, chosen);
  }
  return chosen;
}

/** @param {string} chat @param {"reply"|"note"} chosen */
export function keepMode(chat, chosen) {
  ui.modes.set(chat, chosen);
  try {
    if (chosen === "note") localStorage.setItem(MODE + chat, chosen);
    else localStorage.removeItem(MODE + chat);
  } catch {
    // Without storage there is no draft either that could come back.
  }
  redraw();
}

let toastId = 0;

/**
 * @param {string} text
 * @param {{tone?: "info"|"danger", action?: {label: string, run: () => void}}} [options]
 */
export function toast(text, { tone = "info", action } = {}) {
  toastId += 1;
  const id = toastId;
  ui.toasts = [...ui.toasts.slice(-2), { id, text, tone, action }];
  redraw();
  // Errors stay longer: they carry what to do.
  setTimeout(() => dismissToast(id), tone === "danger" ? 9000 : 5000);
}

/** @param {number} id */
export function dismissToast(id) {
  ui.toasts = ui.toasts.filter((item) => item.id !== id);
  redraw();
}

/** @param {"light"|"dark"|"system"} theme */
export function setTheme(theme) {
  const root = document.documentElement;
  if (theme === "system") {
    delete root.dataset.theme;
    localStorage.removeItem("theme");
  } else {
    root.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }
  redraw();
}

/** @returns {"light"|"dark"|"system"} */
export const theme = () => /** @type {any} */ (document.documentElement.dataset.theme || "system");

export function isDark() {
  return theme() === "dark" || (theme() === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}
