// Where the customer writes: grows with the text, keeps it, sends on Enter, takes files by button, paste and drop.
import { h, icon, iconButton, reconcile } from "../dom.js";
import { size, t } from "../words.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("../uploads.js").Upload} Upload */

const LIMIT = 10_000;
const WARN_AT = 500;
/** Who stops writing is not typing any more. */
const QUIET_MS = 4000;

export class Composer {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {any} */
    this.timer = null;
    this.chips = h("ul.chips", { hidden: true });
    this.count = h("p.count", { role: "status", hidden: true });
    this.area = h("textarea", { rows: 1, "aria-label": t("composer.label"), placeholder: t("composer.label"), dir: "auto", enterkeyhint: "send" });
    this.area.value = app.draft;
    this.picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: "-1", accept: (app.config.uploads?.types || []).join(",") });
    this.attach = iconButton("paperclip", t("composer.attach"), { onclick: () => this.picker.click() });
    this.send = iconButton("send", t("composer.send"), { class: "send", onclick: () => this.submit() });
    this.node = h("div.composer", {}, this.chips, this.count, h("div.composer-row", {}, this.canAttach() ? this.attach : null, this.area, this.send), this.picker);
    this.listen();
    this.update();
  }

  canAttach() {
    return Boolean(this.app.config.uploads?.max_bytes);
  }

  listen() {
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      // Enter ends a line on touch keyboards, and chooses a word while an input method composes one.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
      event.preventDefault();
      this.submit();
    });
    this.area.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => {
      const files = [...(event.clipboardData?.files || [])];
      if (files.length) event.preventDefault();
      this.take(files);
    });
    this.picker.addEventListener("change", () => {
      this.take([...this.picker.files]);
      this.picker.value = "";
      this.area.focus();
    });
  }

  /** @param {File[]} files */
  take(files) {
    const chat = this.app.store.state.chat?.id;
    if (files.length && chat && this.canAttach()) this.app.uploads.add(chat, files, this.app.config.uploads?.max_bytes || 0);
  }

  typed() {
    this.app.keepDraft(this.area.value);
    this.app.client.typing(this.area.value.trim());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.app.client.typing(""), QUIET_MS);
    this.update();
  }

  focus() {
    this.area.focus();
  }

  submit() {
    const text = this.area.value.trim();
    const { uploads, client } = this.app;
    if (this.send.getAttribute("aria-disabled") === "true") return this.area.focus();
    clearTimeout(this.timer);
    const attachments = uploads.take();
    this.area.value = "";
    this.app.keepDraft("");
    client.typing("");
    void client.post(text, attachments);
    this.update();
    this.area.focus();
  }

  update() {
    const { uploads } = this.app;
    const left = LIMIT - this.area.value.trim().length;
    const hasFile = uploads.items.some((one) => one.state === "done");
    const isReady = left >= 0 && !uploads.isBusy && (left < LIMIT || hasFile);
    this.send.setAttribute("aria-disabled", String(!isReady));
    this.count.hidden = left > WARN_AT;
    this.count.classList.toggle("is-over", left < 0);
    this.count.textContent = left > WARN_AT ? "" : t(left < 0 ? "composer.over" : "composer.left", { n: Math.abs(left) });
    this.chips.hidden = !uploads.items.length;
    reconcile(this.chips, uploads.items.map((upload) => ({
      key: String(upload.key), state: `${upload.state}${upload.share}${upload.error}`, make: () => this.chip(upload),
    })));
    this.grow();
  }

  grow() {
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(this.area.scrollHeight + 2, 132)}px`;
  }

  /** @param {Upload} upload */
  chip(upload) {
    const { uploads, store } = this.app;
    const again = () => uploads.send(store.state.chat?.id || "", upload);
    const meter = h("progress", { max: 100, value: upload.share, "aria-label": t("upload.progress", { name: upload.name, share: upload.share }) });
    const max = size(this.app.config.uploads?.max_bytes || 0);
    const words = { large: t("upload.large", { size: max }), type: t("upload.type"), failed: t("upload.failed") };
    return h(`li.chip${upload.state === "failed" ? ".failed" : ""}`, {},
      icon(upload.state === "failed" ? "circle-alert" : "file"),
      h("span.chip-text", {}, h("span.file-name", { dir: "auto" }, upload.name),
        upload.state === "failed" ? h("span.chip-error", { role: "alert" }, /** @type {any} */ (words)[upload.error]) : null,
        upload.state === "busy" ? meter : null),
      upload.error === "failed" ? iconButton("rotate-ccw", t("upload.again", { name: upload.name }), { onclick: again }) : null,
      iconButton("x", t("upload.remove", { name: upload.name }), { onclick: () => uploads.remove(upload) }));
  }
}
