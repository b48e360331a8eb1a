// The only module that knows the wire: hello, refs, heartbeats, and connecting again for as long as it takes.

/** @typedef {{code: string, message: string, retry_after?: number}} WireError */
/** @typedef {{resolve: (ack: any) => void, reject: (error: WireError) => void, timer: any}} Waiter */

const HELLO_MS = 10_000;
const ANSWER_MS = 15_000;
/** The server asks every 20 s; after two missed questions the line is dead, whatever the browser believes. */
const SILENCE_MS = 45_000;
const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 30_000;

export class Socket {
  /**
   * @param {{url: string, ticket: () => Promise<string>, hello: () => Record<string, any>,
   *   onFrame: (frame: any) => void, onLink: (link: Record<string, any>) => void, cursors: () => Record<string, number>,
   *   WebSocket?: any, random?: () => number, now?: () => number}} options
   */
  constructor(options) {
    this.options = options;
    this.WebSocket = options.WebSocket || globalThis.WebSocket;
    this.random = options.random || Math.random;
    this.now = options.now || Date.now;
    /** @type {any} */
    this.wire = null;
    /** @type {Map<string, Waiter>} */
    this.waiters = new Map();
    this.counter = 0;
    this.attempt = 0;
    this.isLive = false;
    this.wasLive = false;
    this.stopped = false;
    /** @type {any} */
    this.timer = null;
    this.lastFrameAt = 0;
    this.bye = "";
  }

  start() {
    this.stopped = false;
    void this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.wire?.close(1000);
  }

  /** The network or the person came back: do not sit out a delay, and do not trust a line that slept. */
  wake() {
    if (this.stopped) return;
    if (this.isLive && this.now() - this.lastFrameAt > SILENCE_MS / 2) this.drop("slept");
    if (!this.wire) void this.connect();
  }

  async connect() {
    clearTimeout(this.timer);
    if (this.wire || this.stopped) return;
    /** @type {any} */
    const placeholder = { close() {} };
    // Taken before the first await, so that two wake-ups at once make one connection.
    this.wire = placeholder;
    this.tellLink(null);
    let ticket;
    try {
      ticket = await this.options.ticket();
    } catch (error) {
      this.wire = null;
      const code = /** @type {WireError} */ (error).code;
      if (code === "unauthorized" || code === "forbidden") {
        this.stopped = true;
        return this.options.onLink({ state: "signed_out", retryAt: null, note: /** @type {any} */ (error).message || "" });
      }
      return this.retry();
    }
    if (this.stopped) return;
    this.open(ticket);
  }

  /** @param {string} ticket */
  open(ticket) {
    const wire = new this.WebSocket(this.options.url);
    this.wire = wire;
    this.bye = "";
    const hello = setTimeout(() => wire === this.wire && !this.isLive && this.drop("no welcome"), HELLO_MS);
    wire.onopen = () => wire.send(JSON.stringify({ type: "hello", ref: "hello", ticket, ...this.options.hello() }));
    wire.onmessage = (/** @type {{data: string}} */ message) => wire === this.wire && this.receive(JSON.parse(message.data));
    wire.onclose = (/** @type {{code: number}} */ event) => {
      clearTimeout(hello);
      if (wire === this.wire) this.lost(event.code);
    };
  }

  /** @param {any} frame */
  receive(frame) {
    this.lastFrameAt = this.now();
    if (frame.type === "welcome") {
      this.attempt = 0;
      this.isLive = this.wasLive = true;
      this.options.onFrame(frame);
      this.options.onLink({ state: "live", retryAt: null, note: "", since: this.now() });
      return this.watchSilence();
    }
    if (frame.type === "ping") this.send({ type: "pong", cursors: this.options.cursors() });
    if (frame.type === "bye") this.bye = frame.message || "";
    if (frame.type === "ack" || frame.type === "error") return this.settle(frame);
    this.options.onFrame(frame);
  }

  /** @param {any} frame */
  settle(frame) {
    const waiter = this.waiters.get(frame.ref);
    if (!waiter) return;
    this.waiters.delete(frame.ref);
    clearTimeout(waiter.timer);
    if (frame.type === "ack") waiter.resolve(frame);
    else waiter.reject(frame);
  }

  watchSilence() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.isLive) return;
      if (this.now() - this.lastFrameAt >= SILENCE_MS) this.drop("silence");
      else this.watchSilence();
    }, 5000);
  }

  /** Give the line up ourselves: a close event of a dead line may be minutes away. @param {string} reason */
  drop(reason) {
    const wire = this.wire;
    this.lost(0);
    try {
      wire?.close(4000, reason);
    } catch {
      // It was closed already.
    }
  }

  /** @param {number} code the close code */
  lost(code) {
    this.wire = null;
    this.isLive = false;
    for (const [ref, waiter] of this.waiters) {
      this.waiters.delete(ref);
      clearTimeout(waiter.timer);
      waiter.reject({ code: "offline", message: "" });
    }
    // A restart meets everybody at once: the first try is spread over five seconds.
    this.retry(code === 1012 ? this.random() * 5000 : undefined);
  }

  /** @param {number} [delay] */
  retry(delay) {
    if (this.stopped) return;
    const ceiling = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.attempt);
    this.attempt += 1;
    const wait = delay ?? Math.max(FIRST_DELAY_MS, this.random() * ceiling);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), wait);
    this.tellLink(this.now() + wait);
  }

  /** @param {number|null} retryAt */
  tellLink(retryAt) {
    this.options.onLink({ state: this.wasLive ? "stale" : "connecting", retryAt, note: this.bye });
  }

  /** @param {Record<string, any>} frame a notice: lost when the line is down */
  send(frame) {
    if (this.isLive) this.wire.send(JSON.stringify(frame));
  }

  /**
   * @param {Record<string, any>} frame
   * @returns {Promise<any>} the ack; rejects with a WireError, whose code is "offline" or "timeout" when nothing is known
   */
  request(frame) {
    if (!this.isLive) return Promise.reject({ code: "offline", message: "" });
    this.counter += 1;
    const ref = `r${this.counter}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(ref);
        reject({ code: "timeout", message: "" });
        if (this.isLive) this.drop("no answer");
      }, ANSWER_MS);
      this.waiters.set(ref, { resolve, reject, timer });
      this.wire.send(JSON.stringify({ ...frame, ref }));
    });
  }
}
