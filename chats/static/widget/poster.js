// Sends what the customer wrote: one at a time and in order, again after a lost connection, always with its first client_id.

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./store.js").Pending} Pending
 * @typedef {{set: (name: string, value: string|null) => Promise<void>}} Keeper
 */

/** Refusals that a later try may turn around; everything else waits for the person. */
export const PASSING = new Set(["offline", "timeout", "unavailable", "failed", "too_many"]);
const FIRST_DELAY_MS = 1000;
const LAST_DELAY_MS = 30_000;

export class Poster {
  /**
   * @param {Store} store
   * @param {(frame: Record<string, any>) => Promise<any>} request
   * @param {Keeper} keeper the site's storage
   */
  constructor(store, request, keeper) {
    this.store = store;
    this.request = request;
    this.keeper = keeper;
    this.isBusy = false;
    this.delay = FIRST_DELAY_MS;
    /** @type {any} */
    this.timer = null;
  }

  /** Take up what an earlier page could not finish. @param {Record<string, string>} saved */
  restore(saved) {
    /** @type {Pending[]} */
    const found = [];
    for (const [name, value] of Object.entries(saved)) {
      if (!name.startsWith("post:")) continue;
      try {
        found.push(JSON.parse(value));
      } catch {
        void this.keeper.set(name, null); // half written by a browser that died: nothing can be sent from it
      }
    }
    found.sort((a, b) => String(a.at).localeCompare(String(b.at)));
    for (const post of found) this.store.queuePost({ ...post, state: post.state === "failed" ? "failed" : "waiting" });
  }

  /** @param {Pending} post */
  async add(post) {
    this.store.queuePost(post);
    // Kept before the first try: a page that dies now still sends it later, once.
    await this.keep(post);
    await this.pump();
  }

  /** @param {Pending} post */
  keep(post) {
    return this.keeper.set(`post:${post.client_id}`, JSON.stringify(post));
  }

  /** @param {Pending} post */
  async again(post) {
    this.store.updatePost(post.client_id, { state: "waiting", error: "" });
    await this.keep({ ...post, state: "waiting" });
    await this.pump();
  }

  /** @param {Pending} post */
  discard(post) {
    this.store.dropPost(post.client_id);
    void this.keeper.set(`post:${post.client_id}`, null);
  }

  /**
   * Let go of what was written into another chat, to which nobody can write any more.
   * @param {string} chat the one that we follow now
   * @returns {string} the words that never went, so that they can be written again
   */
  settle(chat) {
    const others = this.store.state.pending.filter((post) => post.chat !== chat);
    others.forEach((post) => this.discard(post));
    return others.filter((post) => post.state !== "sent").map((post) => post.text).filter(Boolean).join("\n");
  }

  next() {
    return this.store.state.pending.find((post) => post.state === "waiting" && post.chat === this.store.state.chat?.id);
  }

  async pump() {
    if (this.isBusy) return;
    this.isBusy = true;
    clearTimeout(this.timer);
    try {
      for (let post = this.next(); post && (await this.send(post)); post = this.next());
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {Pending} post @returns {Promise<boolean>} whether the next one may go */
  async send(post) {
    this.store.updatePost(post.client_id, { state: "sending" });
    try {
      const ack = await this.request({
        type: "post", chat: post.chat, client_id: post.client_id, text: post.text, attachments: post.attachments.map((file) => file.id),
      });
      this.delay = FIRST_DELAY_MS;
      await this.keeper.set(`post:${post.client_id}`, null);
      this.store.updatePost(post.client_id, { state: "sent", index: ack.index });
      return true;
    } catch (error) {
      return this.refused(post, /** @type {import("./socket.js").WireError} */ (error));
    }
  }

  /** @param {Pending} post @param {import("./socket.js").WireError} error */
  refused(post, error) {
    if (!PASSING.has(error.code)) {
      this.store.updatePost(post.client_id, { state: "failed", error: error.code });
      void this.keep({ ...post, state: "failed", error: error.code });
      return true;
    }
    this.store.updatePost(post.client_id, { state: "waiting", error: error.code === "too_many" ? "too_many" : "" });
    // Without a connection the next welcome pumps; a refusal that passes is tried again by the clock.
    if (error.code !== "offline") {
      this.timer = setTimeout(() => void this.pump(), error.retry_after ? error.retry_after * 1000 : this.delay);
      this.delay = Math.min(this.delay * 2, LAST_DELAY_MS);
    }
    return false;
  }
}
