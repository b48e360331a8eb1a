// The conversation: what was said, where one stands in the queue, who types, and below it the composer or the end.
import { h, icon, reconcile } from "../dom.js";
import { day, t } from "../words.js";
import { nameOfUs } from "./app.js";
import { Composer } from "./composer.js";
import { Ending } from "./ending.js";
import { asMessage, asPendingMessage, avatar, bubble, quiet, quietLine } from "./lines.js";
import { Standing } from "./standing.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./lines.js").Message} Message */

const GROUP_MS = 5 * 60_000;
const NEAR_END = 80;

export class Conversation {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.isAtEnd = true;
    this.lastTop = 0;
    this.shown = 0;
    this.list = h("ol.log", { "aria-label": t("log.label") });
    this.standing = new Standing(app, () => this.focus());
    this.scroller = h("div.scroller", { tabindex: "0", role: "region", "aria-label": t("log.label") }, this.list, this.standing.node);
    this.jump = h("button.jump", { type: "button", hidden: true, onclick: () => this.toEnd() }, icon("arrow-down"), h("span", {}, t("log.end")));
    this.foot = h("div.foot", {});
    this.drop = h("div.drop", { hidden: true, "aria-hidden": "true" }, h("span", {}, t("upload.drop")));
    this.node = h("div.conversation", {}, this.scroller, h("div.jump-place", {}, this.jump), this.foot, this.drop);
    this.scroller.addEventListener("scroll", () => this.scrolled());
    // A picture that arrives, a composer that grows, a keyboard that opens: the end stays in sight.
    const watcher = new ResizeObserver(() => this.isAtEnd && this.toEnd());
    watcher.observe(this.scroller);
    watcher.observe(this.list);
    this.takeDrops();
    this.update();
  }

  takeDrops() {
    this.node.addEventListener("dragover", (/** @type {DragEvent} */ event) => {
      if (!(this.end instanceof Composer) || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.drop.hidden = false;
    });
    this.node.addEventListener("dragleave", (/** @type {DragEvent} */ event) => {
      if (!this.node.contains(event.relatedTarget)) this.drop.hidden = true;
    });
    this.node.addEventListener("drop", (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      this.drop.hidden = true;
      if (this.end instanceof Composer) this.end.take([...(event.dataTransfer?.files || [])]);
    });
  }

  focus() {
    this.end?.focus();
  }

  update() {
    const { chat } = this.app.store.state;
    if (!chat) return;
    this.updateFoot(chat.state === "closed" ? Ending : Composer);
    reconcile(this.list, this.items());
    this.standing.update();
    const last = this.app.store.state.log.last;
    const isNew = last > this.shown && this.shown > 0;
    this.shown = last;
    if (this.isAtEnd) this.toEnd();
    else if (isNew) this.jump.lastChild.textContent = t("log.new");
  }

  /** @param {typeof Ending|typeof Composer} Kind */
  updateFoot(Kind) {
    if (this.end instanceof Kind) return this.end.update();
    const hadFocus = this.foot.contains(document.activeElement);
    this.end = new Kind(this.app);
    this.foot.replaceChildren(this.end.node);
    if (hadFocus) this.end.focus();
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_END;
    // Only who scrolls up leaves the end; a composer that grew meanwhile has merely moved it.
    this.isAtEnd = isNear || (this.isAtEnd && scrollTop >= this.lastTop - 1);
    this.lastTop = scrollTop;
    this.jump.hidden = this.isAtEnd;
    if (this.isAtEnd) this.jump.lastChild.textContent = t("log.end");
  }

  toEnd() {
    this.isAtEnd = true;
    this.jump.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Everything in the log, in order, then what is on its way, then who types. */
  items() {
    const { log, pending, chat, typing } = this.app.store.state;
    const us = nameOfUs(this.app);
    /** @type {{key: string, state: string, make: () => HTMLElement}[]} */
    const items = [];
    /** @type {Message[]} */
    let group = [];
    let date = day(new Date().toISOString());
    const flush = () => {
      items.push(...this.group(group));
      group = [];
    };
    for (const event of log.events) {
      const today = day(event.at);
      if (today !== date) {
        flush();
        items.push({ key: `d${event.index}`, state: today, make: () => quiet(today, "day") });
        date = today;
      }
      if (event.type === "message.posted" || event.type === "customer.reminded") {
        const message = asMessage(event, us);
        if (!belongs(group.at(-1), message)) flush();
        group.push(message);
        continue;
      }
      const text = quietLine(event);
      if (!text) continue;
      flush();
      items.push({ key: `e${event.index}`, state: text, make: () => quiet(text, "quiet") });
    }
    for (const post of pending.filter((one) => one.chat === chat?.id)) {
      const message = asPendingMessage(post);
      if (!belongs(group.at(-1), message)) flush();
      group.push(message);
    }
    flush();
    if (typing) items.push(this.typingItem(typing.name));
    return items;
  }

  /** @param {Message[]} messages of one sender within a few minutes */
  group(messages) {
    const { chat } = this.app.store.state;
    return messages.map((message, at) => {
      const isLast = at === messages.length - 1;
      const status = this.status(message);
      const spot = { isFirst: at === 0, isLast, status, avatar: null };
      const state = `${at === 0}${isLast}${status}${message.pending?.state}${message.pending?.error}${chat?.agent?.avatar}`;
      const make = () => bubble(this.app, message, { ...spot, avatar: avatar(chat?.agent || null, message.name) });
      return { key: `m${message.id}`, state, make };
    });
  }

  /** How far the customer's last message has come; older ones say nothing. @param {Message} message */
  status(message) {
    const { pending, log, chat, delivered, link } = this.app.store.state;
    if (message.side !== "out") return "";
    if (message.pending) {
      const { state, error } = message.pending;
      if (state === "failed") return "";
      if (state === "sent") return t("message.sent");
      if (error === "too_many") return t("message.paced");
      return t(state === "waiting" && link !== "live" ? "message.waiting" : "message.sending");
    }
    const own = log.events.findLast((event) => event.type === "message.posted" && event.sender?.kind === "customer");
    if (pending.length || own?.index !== message.index) return "";
    if ((chat?.read?.agent || 0) >= message.index) return t("message.read");
    return t(delivered >= message.index ? "message.delivered" : "message.sent");
  }

  /** @param {string} name */
  typingItem(name) {
    const text = name ? t("typing", { name }) : t("typing.somebody");
    const make = () => h("li.message.in.first.last.is-typing", {},
      h("div.avatar-place", { "aria-hidden": "true" }, avatar(this.app.store.state.chat?.agent || null, name || nameOfUs(this.app))),
      h("div.stack", {}, h("span.visually-hidden", {}, text), h("div.bubble.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"))));
    return { key: "typing", state: text, make };
  }
}

/** @param {Message|undefined} before @param {Message} message */
function belongs(before, message) {
  if (!before || before.side !== message.side || before.name !== message.name) return false;
  return Math.abs(Date.parse(message.at) - Date.parse(before.at)) < GROUP_MS;
}
