// Files on their way: checked, sent with progress, and held until the message goes that carries them.

/**
 * @typedef {{key: number, file: File, name: string, state: "busy"|"done"|"failed", share: number, error: string, attachment: any, request: XMLHttpRequest|null}} Upload
 */

const LIMIT = 10;

export class Uploads {
  /** @param {import("./rest.js").Rest} rest @param {() => void} onChange */
  constructor(rest, onChange) {
    this.rest = rest;
    this.onChange = onChange;
    /** @type {Upload[]} */
    this.items = [];
    this.counter = 0;
  }

  /**
   * @param {string} chat
   * @param {Iterable<File>} files
   * @param {number} maxBytes
   */
  add(chat, files, maxBytes) {
    for (const file of files) {
      if (this.items.length >= LIMIT) break;
      this.counter += 1;
      /** @type {Upload} */
      const upload = { key: this.counter, file, name: file.name || "image.png", state: "busy", share: 0, error: "", attachment: null, request: null };
      this.items.push(upload);
      if (file.size > maxBytes) Object.assign(upload, { state: "failed", error: "large" });
      else this.send(chat, upload);
    }
    this.onChange();
  }

  /** @param {string} chat @param {Upload} upload */
  send(chat, upload) {
    Object.assign(upload, { state: "busy", share: 0, error: "" });
    const body = new FormData();
    body.append("chat", chat);
    body.append("file", upload.file, upload.name);
    // fetch() tells nothing of how far an upload has come.
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open("POST", `${this.rest.base}attachments`);
    for (const [name, value] of Object.entries(this.rest.authorization())) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => {
      upload.share = total ? Math.floor((loaded / total) * 100) : 0;
      this.onChange();
    };
    request.onloadend = () => this.finish(upload, request);
    request.send(body);
  }

  /** @param {Upload} upload @param {XMLHttpRequest} request */
  finish(upload, request) {
    const isGood = request.status >= 200 && request.status < 300 && request.response?.id;
    const error = request.status === 413 ? "large" : request.status === 400 || request.status === 415 ? "type" : "failed";
    Object.assign(upload, isGood ? { state: "done", share: 100, attachment: request.response } : { state: "failed", error });
    this.onChange();
  }

  /** @param {Upload} upload */
  remove(upload) {
    upload.request?.abort();
    this.items = this.items.filter((one) => one !== upload);
    this.onChange();
  }

  get isBusy() {
    return this.items.some((one) => one.state === "busy");
  }

  /** Hands over what is complete. @returns {any[]} attachments */
  take() {
    const done = this.items.filter((one) => one.state === "done");
    this.items = this.items.filter((one) => one.state !== "done");
    return done.map((one) => one.attachment);
  }
}
