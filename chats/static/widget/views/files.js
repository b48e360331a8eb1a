// Attachments in the conversation. Their bytes come with the token (never by an address that could be passed on) and are shown inert.
import { h, icon } from "../dom.js";
import { size, t } from "../words.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("../log.js").Attachment} Attachment */

const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const WIDTH = 232;
/** Object URLs by file; the page is short-lived and a chat has few. @type {Map<string, Promise<string>>} */
const urls = new Map();

/** @param {App} app @param {string} path */
function objectUrl(app, path) {
  let url = urls.get(path);
  if (!url) {
    url = app.client.rest.blob(path).then((blob) => URL.createObjectURL(blob));
    url.catch(() => urls.delete(path));
    urls.set(path, url);
  }
  return url;
}

/** @param {App} app @param {Attachment} file */
export function attachment(app, file) {
  return SHOWN.has(file.content_type) ? picture(app, file) : document_(app, file);
}

/** @param {App} app @param {Attachment} file */
function picture(app, file) {
  const image = h("img", { alt: file.name, loading: "lazy" });
  if (file.width && file.height) {
    // Room is kept before the bytes come, so that nothing jumps.
    image.width = Math.min(WIDTH, file.width);
    image.height = Math.min(280, Math.round((image.width * file.height) / file.width));
  }
  const button = h("button.picture", { type: "button", "aria-label": t("file.open", { name: file.name }) }, image);
  const load = () => objectUrl(app, `attachments/${file.id}?thumb=1`).then((url) => (image.src = url));
  load().catch(() => button.replaceWith(document_(app, file)));
  button.addEventListener("click", () => void enlarge(app, file, button));
  return button;
}

/** @param {App} app @param {Attachment} file */
function document_(app, file) {
  const note = h("span.muted", {}, size(file.size));
  const button = h("button.file", { type: "button", title: t("file.download") },
    icon("file-text"), h("span.file-name", { dir: "auto" }, file.name), note);
  button.addEventListener("click", () => download(app, file).catch(() => (note.textContent = t("file.gone"))));
  return button;
}

/** @param {App} app @param {Attachment} file */
async function download(app, file) {
  const href = await objectUrl(app, `attachments/${file.id}`);
  h("a", { href, download: file.name }).click();
}

/** @param {App} app @param {Attachment} file @param {HTMLElement} opener */
async function enlarge(app, file, opener) {
  let src;
  try {
    src = await objectUrl(app, `attachments/${file.id}`);
  } catch {
    return app.announce(t("file.gone"));
  }
  const dialog = h("dialog.lightbox", { "aria-label": file.name },
    h("img", { src, alt: file.name }),
    h("div.dialog-actions", {},
      h("button.button", { type: "button", onclick: () => void download(app, file) }, icon("download"), t("file.download")),
      h("button.button.primary", { type: "button", autofocus: true, onclick: () => dialog.close() }, t("close.panel"))));
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}
