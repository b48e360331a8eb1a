// The same conversation by REST, for networks that let no websocket through: long polls in, posts out.

const WAIT_SECONDS = 25;
/** A poll that is not answered by then was swallowed on the way. */
const LIMIT_MS = 40_000;

export class Poll {
  /**
   * @param {{rest: import("./rest.js").Rest, chat: () => string, last: () => number, epoch: () => string,
   *   onFrame: (frame: any) => void, onWelcome: () => void, onEnd: (end: import("./socket.js").End) => void}} options
   */
  constructor(options) {
    this.options = options;
    this.ended = false;
    this.welcomed = false;
    this.control = new AbortController();
    void this.run();
  }

  async run() {
    while (!this.ended) {
      const chat = this.options.chat();
      const after = this.options.last();
      // The first answer comes at once: it says that we are connected.
      const wait = this.welcomed ? WAIT_SECONDS : 0;
      const limit = setTimeout(() => this.control.abort(), LIMIT_MS);
      try {
        const answer = await this.options.rest.get(`chats/${chat}/events?after=${after}&wait=${wait}`, this.control.signal);
        if (this.ended) return;
        this.take(chat, after, answer);
      } catch (error) {
        return this.end(/** @type {any} */ (error)?.code === "unauthorized" ? 4401 : 0);
      } finally {
        clearTimeout(limit);
      }
    }
  }

  /**
   * @param {string} chat
   * @param {number} after
   * @param {any} answer
   */
  take(chat, after, answer) {
    const { onFrame, epoch, onWelcome } = this.options;
    const isReset = answer.head < after || Boolean(epoch() && answer.epoch !== epoch());
    // The chat stands before its events, as in a welcome; its head says what the events may still change.
    if (!this.welcomed || isReset) onFrame({ type: "welcome", epoch: answer.epoch, chat: answer.chat, reset: isReset });
    if (isReset) return;
    onFrame({ type: "events", chat, events: answer.events, head: answer.head });
    onFrame({ type: "chat", chat: answer.chat });
    if (answer.queue) onFrame({ type: "queue", chat, ...answer.queue });
    if (this.welcomed) return;
    this.welcomed = true;
    onWelcome();
  }

  hello() {
    // The next poll asks after what we hold: nothing to say.
  }

  /** @param {Record<string, any>} frame */
  send(frame) {
    this.request(frame).catch(() => undefined);
  }

  /** @param {Record<string, any>} frame @returns {Promise<any>} */
  request({ type, chat, ...body }) {
    if (this.ended) return Promise.reject({ code: "offline", message: "" });
    const { rest } = this.options;
    if (type === "post") return rest.post(`chats/${chat}/messages`, body);
    if (type === "typing" || type === "read") return rest.post(`chats/${chat}/${type}`, body);
    return Promise.reject({ code: "invalid", message: "" });
  }

  isDoubtful() {
    return false;
  }

  /** @param {number} code */
  end(code) {
    if (this.ended) return;
    this.ended = true;
    this.control.abort();
    this.options.onEnd({ code, opened: true, welcomed: this.welcomed });
  }
}
