// Where one stands while nobody has come yet: searching, a place in the queue, nobody free.
import { h, icon } from "../dom.js";
import { place, t } from "../words.js";

/** @typedef {import("./app.js").App} App */

export class Standing {
  /** @param {App} app @param {() => void} goOn puts the focus where one writes */
  constructor(app, goOn) {
    this.app = app;
    this.goOn = goOn;
    this.node = h("div.standing", { role: "status" });
    this.text = "";
  }

  update() {
    const lines = this.lines();
    const text = lines.join("\n");
    // A live region that is written anew speaks anew.
    if (text === this.text) return;
    this.text = text;
    this.node.replaceChildren(...this.draw(lines));
  }

  /** @returns {string[]} a title and what it means, or nothing */
  lines() {
    const { chat, queue } = this.app.store.state;
    if (this.app.store.foundNobody()) return [t("nobody.title"), t(chat?.state === "closed" ? "nobody.closed" : "nobody.text")];
    if (chat?.state === "searching") return [t("wait.searching"), t("wait.write")];
    if (chat?.state === "queued") return [queue ? place(queue) : t("wait.queued"), t("wait.write")];
    return [];
  }

  /** @param {string[]} lines */
  draw([title, text]) {
    if (!title) return [];
    const isNobody = this.app.store.foundNobody();
    const mark = isNobody ? icon("user-x") : h("span.pulse", { "aria-hidden": "true" });
    return [h(`div.standing-card${isNobody ? ".is-nobody" : ""}`, {}, mark,
      h("div.standing-text", {}, h("p.strong", {}, title), h("p.muted", {}, text), isNobody ? this.actions() : null))];
  }

  actions() {
    const { app } = this;
    const isClosed = app.store.state.chat?.state === "closed";
    const search = () => {
      app.store.searchAgain();
      this.goOn();
      app.client.act("search").catch(() => undefined);
    };
    const leave = () => {
      app.leaving = "nobody";
      app.refresh();
    };
    return h("div.actions", {},
      isClosed ? null : h("button.button", { type: "button", onclick: search }, t("nobody.search")),
      app.config.offline_form ? h("button.button.primary", { type: "button", onclick: leave }, t("nobody.leave")) : null);
  }
}
