// Files on their way into a chat: from the button, the clipboard or a drop.
import { rest } from "./desk.js";
import { setUi, toast, ui } from "./ui.js";
import { errorText, size, t } from "./words.js";

const MAX_BYTES = 20 * 1024 * 1024;
let counter = 0;

/**
 * @param {string} chat
 * @param {Iterable<File>} files
 */
export function addFiles(chat, files) {
  for (const file of files) {
    if (file.size > MAX_BYTES) toast(t("upload.too_large", { name: file.name, size: size(MAX_BYTES) }), { tone: "danger" });
    else if (!file.size) toast(t("upload.empty", { name: file.name }), { tone: "danger" });
    else void upload(chat, file);
  }
}

/** @param {string} chat @param {File} file */
async function upload(chat, file) {
  counter += 1;
  /** @type {import("./ui.js").Upload} */
  const item = {
    key: `u${counter}`, name: file.name, size: file.size, type: file.type, share: 0, state: "busy", error: "", attachment: null,
    preview: file.type.startsWith("image/") && file.type !== "image/svg+xml" ? URL.createObjectURL(file) : "",
  };
  ui.uploads.set(chat, [...(ui.uploads.get(chat) || []), item]);
  setUi();
  try {
    item.attachment = await rest.upload(file, chat, (share) => {
      item.share = share;
      setUi();
    });
    item.state = "done";
  } catch (error) {
    Object.assign(item, { state: "failed", error: errorText(error) });
  }
  setUi();
}

/** @param {string} chat @param {string} key */
export function removeUpload(chat, key) {
  const items = ui.uploads.get(chat) || [];
  const gone = items.find((item) => item.key === key);
  if (gone?.preview) URL.revokeObjectURL(gone.preview);
  ui.uploads.set(chat, items.filter((item) => item.key !== key));
  setUi();
}
