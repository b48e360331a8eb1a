// Sends what the agent wrote: one at a time per chat, again after a lost connection, always with its first client_id.

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./store.js").Pending} Pending
 * @typedef {{getItem(key: string): string|null, setItem(key: string, value: string): void, removeItem(key: string): void,
 *   key(n: number): string|null, length: number}} Storage
 */

/** Refusals that a later try may turn around; everything else waits for the person. */
const PASSING = new Set(["offline", "timeout", "unavailable", "failed", "too_many"]);

export class Poster {
  /**
   * @param {Store} store
   * @param {(frame: Record<string, any>) => Promise<any>} request
   * @param {Storage} storage
   * @param {string} prefix one agent's keys: two agents may share a browser
   */
  constructor(store, request, storage, prefix) {
    this.store = store;
    this.request = request;
    this.storage = storage;
    this.prefix = prefix;
    /** @type {Set<string>} */
    this.busy = new Set();
    this.delay = 1000;
  }

  /** Take up what an earlier page could not finish. */
  restore() {
    /** @type {Pending[]} */
    const found = [];
    for (let n = 0; n < this.storage.length; n += 1) {
      const key = this.storage.key(n);
      if (!key?.startsWith(this.prefix)) continue;
      try {
        found.push(JSON.parse(this.storage.getItem(key) || ""));
      } catch {
        // Not ours, or half written by a browser that died: nothing can be sent from it.
      }
    }
    found.sort((a, b) => a.at.localeCompare(b.at));
    for (const post of found) this.store.queuePost({ ...post, state: post.state === "failed" ? "failed" : "waiting" });
  }

  /** @param {Pending} post */
  add(post) {
    // Kept before the first try: a page that dies now still sends it later, once.
    this.keep(post);
    this.store.queuePost(post);
    this.pump(post.chat);
  }

  /** @param {Pending} post */
  keep(post) {
    try {
      this.storage.setItem(this.prefix + post.client_id, JSON.stringify(post));
    } catch {
      // Storage is full or forbidden: the message lives as long as this page.
    }
  }

  /** @param {Pending} post */
  again(post) {
    this.keep({ ...post, state: "waiting" });
    this.store.updatePost(post.chat, post.client_id, { state: "waiting", error: "" });
    this.pump(post.chat);
  }

  /** @param {Pending} post */
  discard(post) {
    this.storage.removeItem(this.prefix + post.client_id);
    this.store.dropPost(post.chat, post.client_id);
  }

  pumpAll() {
    for (const [id, thread] of this.store.state.threads) if (thread.pending.length) this.pump(id);
  }

  /** @param {string} chat */
  async pump(chat) {
    // One in flight per chat: a message never overtakes the one before it.
    if (this.busy.has(chat)) return;
    this.busy.add(chat);
    try {
      for (;;) {
        const post = this.store.thread(chat).pending.find((item) => item.state === "waiting" || item.state === "sending");
        if (!post || !(await this.attempt(post))) return;
      }
    } finally {
      this.busy.delete(chat);
    }
  }

  /**
   * @param {Pending} post
   * @returns {Promise<boolean>} whether the next one may go
   */
  async attempt(post) {
    this.store.updatePost(post.chat, post.client_id, { state: "sending" });
    try {
      const { chat, client_id, text, note, attachments } = post;
      const ids = attachments.map((item) => item.id);
      const ack = await this.request({ type: "post", chat, client_id, text, note, ...(ids.length ? { attachments: ids } : {}) });
      this.storage.removeItem(this.prefix + client_id);
      this.store.updatePost(chat, client_id, { state: "sent", position: ack.position });
      this.delay = 1000;
      return true;
    } catch (error) {
      const { code, message, retry_after: seconds } = /** @type {any} */ (error);
      if (!PASSING.has(code)) {
        this.store.updatePost(post.chat, post.client_id, { state: "failed", code, error: message });
        this.keep({ ...post, state: "failed", code, error: message });
        return true;
      }
      this.store.updatePost(post.chat, post.client_id, { state: "waiting" });
      if (code !== "offline" && code !== "timeout") this.later(post.chat, seconds);
      return false;
    }
  }

  /**
   * @param {string} chat
   * @param {number} [seconds]
   */
  later(chat, seconds) {
    setTimeout(() => void this.pump(chat), seconds ? seconds * 1000 : this.delay);
    this.delay = Math.min(this.delay * 2, 30_000);
  }
}
