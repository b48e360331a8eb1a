// Who is on the other side, what can be done, and whether we are connected.
import { h, icon, iconButton } from "../dom.js";
import { t } from "../words.js";
import { nameOfUs } from "./app.js";
import { askEnd, askTranscript } from "./dialogs.js";
import { avatar } from "./lines.js";

/** @typedef {import("./app.js").App} App */

/** A connection that comes back within a moment is not worth a word. */
const STALE_AFTER_MS = 1200;

export class Header {
  /** @param {App} app @param {() => void} close */
  constructor(app, close) {
    this.app = app;
    this.title = h("p.title", { dir: "auto" });
    this.subtitle = h("p.subtitle", { dir: "auto" });
    this.face = h("div.face", { "aria-hidden": "true" });
    this.faceState = "";
    this.items = h("div.menu", { hidden: true });
    this.more = iconButton("menu", t("menu"), { "aria-expanded": "false", hidden: true, onclick: () => this.toggle() });
    const top = h("div.bar", {}, this.face, h("div.names", {}, this.title, this.subtitle), this.more, iconButton("x", t("close.panel"), { onclick: close }));
    this.link = h("p.link-state", { role: "status", hidden: true });
    this.node = h("header.header", {}, top, this.items);
    /** @type {any} */
    this.timer = null;
    document.addEventListener("click", (event) => {
      if (!this.node.contains(/** @type {Node} */ (event.target))) this.toggle(false);
    });
    this.update();
  }

  /** @param {boolean} [isOpen] */
  toggle(isOpen = this.items.hidden) {
    this.items.hidden = !isOpen;
    this.more.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.items.querySelector("button")?.focus();
  }

  /** @returns {boolean} whether there was a menu to close */
  escape() {
    if (this.items.hidden) return false;
    this.toggle(false);
    this.more.focus();
    return true;
  }

  update() {
    const { chat } = this.app.store.state;
    const us = nameOfUs(this.app);
    const agent = chat?.state === "active" || chat?.state === "closed" ? chat.agent : null;
    this.title.textContent = agent?.name || us;
    this.subtitle.textContent = agent ? us : "";
    this.subtitle.hidden = !agent;
    this.updateFace(agent, us);
    this.updateMenu(chat);
    this.updateLink();
  }

  /** @param {any} agent @param {string} us */
  updateFace(agent, us) {
    const logo = this.app.config.look?.logo_url;
    const state = `${agent?.name}|${agent?.avatar}|${logo}`;
    if (state === this.faceState) return;
    this.faceState = state;
    const shown = agent ? avatar(agent, agent.name || us) : logo ? h("img.avatar", { src: logo, alt: "" }) : h("span.avatar", {}, icon("message-circle"));
    this.face.replaceChildren(shown);
  }

  /** @param {any} chat */
  updateMenu(chat) {
    const isOpen = Boolean(chat && chat.state !== "closed");
    if (this.more.hidden === !isOpen) return;
    this.more.hidden = !isOpen;
    this.toggle(false);
    const act = (/** @type {() => void} */ action) => () => {
      this.more.focus();
      this.toggle(false);
      action();
    };
    this.items.replaceChildren(
      h("button.menu-item", { type: "button", onclick: act(() => askTranscript(this.app)) }, icon("mail"), t("mail.action")),
      h("button.menu-item", { type: "button", onclick: act(() => askEnd(this.app)) }, icon("log-out"), t("end.chat")));
  }

  updateLink() {
    const { link } = this.app.store.state;
    const text = link === "connecting" || link === "stale" || link === "refused" ? t(`link.${link}`) : "";
    clearTimeout(this.timer);
    if (!text || this.link.textContent) this.sayLink(text, link);
    else this.timer = setTimeout(() => this.sayLink(text, link), STALE_AFTER_MS);
  }

  /** @param {string} text @param {string} link */
  sayLink(text, link) {
    if (this.link.textContent !== text) this.link.textContent = text;
    this.link.hidden = !text;
    this.link.classList.toggle("is-bad", link === "refused");
  }
}
