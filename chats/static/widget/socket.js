// One websocket's life: hello, welcome, questions and answers, silence, end. Whether there will be another is link.js's business.

/** @typedef {{code: string, message: string, retry_after?: number, fields?: Record<string, string>}} WireError */
/** @typedef {{code: number, opened: boolean, welcomed: boolean}} End */

const HELLO_MS = 10_000;
const ANSWER_MS = 15_000;
/** The server asks every 20 s; after two missed questions the line is dead, whatever the browser believes. */
const SILENCE_MS = 45_000;

export class Socket {
  /**
   * @param {{url: string, hello: () => Record<string, any>, last: () => number, onFrame: (frame: any) => void,
   *   onWelcome: () => void, onEnd: (end: End) => void, WebSocket?: any, now?: () => number}} options
   */
  constructor(options) {
    this.options = options;
    this.now = options.now || Date.now;
    /** @type {Map<string, {resolve: (ack: any) => void, reject: (error: WireError) => void, timer: any}>} */
    this.waiters = new Map();
    this.counter = 0;
    this.opened = false;
    this.welcomed = false;
    this.ended = false;
    this.heardAt = this.now();
    this.timer = setTimeout(() => this.end(0), HELLO_MS);
    const WebSocketClass = options.WebSocket || globalThis.WebSocket;
    this.wire = new WebSocketClass(options.url);
    this.wire.onopen = () => {
      this.opened = true;
      this.hello();
    };
    this.wire.onmessage = (/** @type {{data: string}} */ message) => !this.ended && this.receive(JSON.parse(message.data));
    this.wire.onclose = (/** @type {{code: number}} */ event) => this.end(event.code);
  }

  /** Say where we are; again whenever we find a hole. */
  hello() {
    this.wire.send(JSON.stringify({ type: "hello", ref: "hello", ...this.options.hello() }));
  }

  /** @param {any} frame */
  receive(frame) {
    this.heardAt = this.now();
    if (frame.type === "ping") this.send({ type: "pong", after: this.options.last() });
    if (frame.type === "welcome") {
      this.options.onFrame(frame);
      if (!this.welcomed) {
        this.welcomed = true;
        clearTimeout(this.timer);
        this.timer = setInterval(() => this.now() - this.heardAt >= SILENCE_MS && this.end(0), 5000);
        this.options.onWelcome();
      }
    } else if (frame.type === "ack" || frame.type === "error") this.settle(frame);
    else this.options.onFrame(frame);
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

  /** @param {Record<string, any>} frame a notice: lost when the line is down */
  send(frame) {
    if (this.welcomed && !this.ended) this.wire.send(JSON.stringify(frame));
  }

  /**
   * @param {Record<string, any>} frame
   * @returns {Promise<any>} the ack; rejects with a WireError, whose code is "offline" or "timeout" when nothing is known
   */
  request(frame) {
    if (!this.welcomed || this.ended) return Promise.reject({ code: "offline", message: "" });
    this.counter += 1;
    const ref = `r${this.counter}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(ref);
        reject({ code: "timeout", message: "" });
        this.end(0);
      }, ANSWER_MS);
      this.waiters.set(ref, { resolve, reject, timer });
      this.wire.send(JSON.stringify({ ...frame, ref }));
    });
  }

  /** Whether nothing was heard for so long that a woken page should not trust the line. */
  isDoubtful() {
    return this.now() - this.heardAt > SILENCE_MS / 2;
  }

  /** The end, also of a line whose close event is minutes away. @param {number} code the close code, 0 = we gave it up */
  end(code) {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    clearInterval(this.timer);
    for (const waiter of this.waiters.values()) {
      clearTimeout(waiter.timer);
      waiter.reject({ code: "offline", message: "" });
    }
    this.waiters.clear();
    try {
      this.wire.close(code === 1000 ? 1000 : 4000);
    } catch {
      // It was closed already.
    }
    this.options.onEnd({ code, opened: this.opened, welcomed: this.welcomed });
  }
}
