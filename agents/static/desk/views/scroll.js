// The conversation's scroll position: at the end it stays at the end, elsewhere nothing moves under the reader's eyes.
import { store } from "../desk.js";
import { setUi, ui } from "../ui.js";

const NEAR = 40;

/** @type {{chat: string|null, first: number, height: number, top: number}} */
let before = { chat: null, first: 0, height: 0, top: 0 };
/** @type {Map<string, number>} where each conversation was left, when not at its end */
const left = new Map();

const scroller = () => document.getElementById("lines");

/** @param {HTMLElement} element */
export function keepScroll(element) {
  const atBottom = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
  if (ui.open) {
    if (atBottom) left.delete(ui.open);
    else left.set(ui.open, element.scrollTop);
  }
  if (atBottom !== ui.atBottom) setUi({ atBottom, below: atBottom ? 0 : ui.below });
}

/** What must be known before the page is drawn again. */
export function beforeDraw() {
  const element = scroller();
  const chat = element ? element.dataset.chat || null : null;
  const first = chat ? store.state.threads.get(chat)?.log.first || 0 : 0;
  before = element ? { chat, first: Number(element.dataset.first || first), height: element.scrollHeight, top: element.scrollTop } : { chat: null, first: 0, height: 0, top: 0 };
}

export function afterDraw() {
  const element = scroller();
  if (!element || !ui.open) return;
  const first = store.state.threads.get(ui.open)?.log.first || 0;
  if (before.chat !== ui.open) {
    const top = left.get(ui.open);
    element.scrollTop = top ?? element.scrollHeight;
    ui.atBottom = top === undefined;
  } else if (ui.atBottom) {
    element.scrollTop = element.scrollHeight;
  } else if (first && before.first && first < before.first) {
    // Older lines came in above: what was looked at stays where it was.
    element.scrollTop = before.top + element.scrollHeight - before.height;
  }
  element.dataset.chat = ui.open;
  element.dataset.first = String(first);
}

export function jump() {
  const element = scroller();
  setUi({ atBottom: true, below: 0 });
  element?.scrollTo({ top: element.scrollHeight, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
