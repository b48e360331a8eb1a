// The panel's side of what passes between us and the site: few kinds of messages, each from the right window and origin.

/**
 * @typedef {{saved: Record<string, string>, page: {url: string, title: string}|null, hints: string[], theme: string,
 *   identity: Record<string, any>|null, data: Record<string, any>, isOpen: boolean}} HostState
 * @typedef {{state: (state: HostState) => void, open: (page: any) => void, closed: () => void, saved: (name: string, value: string|null) => void,
 *   identify: (identity: any) => void, data: (data: Record<string, any>) => void, language: (hints: string[]) => void}} Listener
 */

const STORED_MS = 500;

/** @param {any} value @returns {value is Record<string, any>} */
const isObject = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value);
/** @param {any} value @returns {value is string[]} */
const isTexts = (value) => Array.isArray(value) && value.every((one) => typeof one === "string");
/** @param {any} page */
const asPage = (page) => (isObject(page) && typeof page.url === "string" ? { url: page.url, title: String(page.title || "") } : null);

/** What each message must look like. Anything else is dropped. @type {Record<string, (message: any) => boolean>} */
const SHAPES = {
  hello: () => true,
  state: (m) => isObject(m.saved) && Object.values(m.saved).every((one) => typeof one === "string") && isTexts(m.hints) && isObject(m.data),
  open: () => true,
  closed: () => true,
  saved: (m) => typeof m.name === "string" && (m.value === null || typeof m.value === "string"),
  stored: (m) => typeof m.id === "number",
  identify: (m) => m.identity === null || isObject(m.identity),
  data: (m) => isObject(m.data),
  language: (m) => isTexts(m.hints),
};

export class Bridge {
  /** @param {string[]} origins who may frame us @param {Listener} listener */
  constructor(origins, listener) {
    this.origins = origins;
    this.listener = listener;
    /** The site's origin, known by its first message. */
    this.origin = "";
    this.counter = 0;
    /** @type {Map<number, () => void>} */
    this.writes = new Map();
  }

  listen() {
    addEventListener("message", (event) => this.receive(event));
    if (parent !== window) return;
    // Opened by itself, as a page: nothing is kept beyond it.
    this.listener.state({ saved: {}, page: null, hints: [], theme: "", identity: null, data: {}, isOpen: true });
  }

  /** @param {MessageEvent} event */
  receive(event) {
    if (event.source !== parent || parent === window || !this.origins.includes(event.origin)) return;
    if (this.origin && event.origin !== this.origin) return;
    const message = event.data;
    if (!isObject(message) || message.contactCenter !== 1 || !Object.hasOwn(SHAPES, message.type) || !SHAPES[message.type](message)) return;
    if (message.type === "hello") {
      this.origin = event.origin;
      return this.post({ type: "ready" });
    }
    if (this.origin) this.take(message);
  }

  /** @param {Record<string, any>} message of a known shape */
  take(message) {
    const { listener } = this;
    switch (message.type) {
      case "state": {
        const identity = isObject(message.identity) ? message.identity : null;
        const { saved, hints, data } = message;
        const theme = message.theme === "light" || message.theme === "dark" ? message.theme : "";
        return listener.state({ saved, hints, data, identity, theme, page: asPage(message.page), isOpen: message.isOpen === true });
      }
      case "open": return listener.open(asPage(message.page));
      case "closed": return listener.closed();
      case "saved": return listener.saved(message.name, message.value);
      case "stored": return this.writes.get(message.id)?.();
      case "identify": return listener.identify(message.identity);
      case "data": return listener.data(message.data);
      default: return listener.language(message.hints);
    }
  }

  /** @param {Record<string, any>} message */
  post(message) {
    if (this.origin) parent.postMessage({ contactCenter: 1, ...message }, this.origin);
  }

  /**
   * Keep a text in the site's storage. Resolves when it is kept, or when the site does not answer: a message must not wait for ever.
   * @param {string} name
   * @param {string|null} value
   * @returns {Promise<void>}
   */
  set(name, value) {
    if (!this.origin) return Promise.resolve();
    this.counter += 1;
    const id = this.counter;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.writes.delete(id);
        resolve();
      };
      const timer = setTimeout(done, STORED_MS);
      this.writes.set(id, done);
      this.post({ type: "save", name, value, id });
    });
  }
}
