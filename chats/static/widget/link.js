// Keeps us connected: websocket first, long polling where no websocket can be opened, and tries again for as long as it takes.
import { Poll } from "./poll.js";
import { Socket } from "./socket.js";

/** @typedef {import("./store.js").LinkState} LinkState */

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 30_000;
const TRIES_BEFORE_POLLING = 2;
const UPGRADE_MS = 15_000;
const LAST_UPGRADE_MS = 300_000;

/** Full jitter: a crowd that lost its server together must not come back together. @param {number} attempt @param {number} share 0–1 */
export function backoff(attempt, share) {
  return Math.max(FIRST_DELAY_MS, share * Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt));
}

export class Link {
  /**
   * @param {{url: string, rest: any, hello: () => Record<string, any>, chat: () => string, last: () => number, epoch: () => string,
   *   onFrame: (frame: any) => void, onState: (state: LinkState) => void, onUnauthorized: () => void,
   *   WebSocket?: any, random?: () => number}} options
   */
  constructor(options) {
    this.options = options;
    this.random = options.random || Math.random;
    /** @type {Socket|Poll|null} */
    this.line = null;
    /** @type {Socket|null} a websocket that is tried while we poll */
    this.rival = null;
    this.isRunning = false;
    this.wasLive = false;
    this.attempt = 0;
    this.refusals = 0;
    this.upgradeMs = UPGRADE_MS;
    /** @type {any} */
    this.timer = null;
    /** @type {any} */
    this.upgradeTimer = null;
  }

  get isLive() {
    return Boolean(this.line?.welcomed && !this.line.ended);
  }

  start() {
    if (this.isRunning) return;
    Object.assign(this, { isRunning: true, wasLive: false, attempt: 0, refusals: 0 });
    this.connect();
  }

  stop() {
    this.isRunning = false;
    clearTimeout(this.timer);
    clearTimeout(this.upgradeTimer);
    this.rival?.end(1000);
    this.line?.end(1000);
    this.line = this.rival = null;
    this.options.onState("idle");
  }

  /** The network or the person came back: do not sit out a delay, and do not trust a line that slept. */
  wake() {
    if (!this.isRunning) return;
    if (this.line?.isDoubtful()) this.line.end(0);
    if (!this.line || this.line.ended) this.connect();
  }

  /** Ask again after what we hold. */
  resume() {
    if (this.isLive) this.line?.hello();
  }

  connect() {
    clearTimeout(this.timer);
    if (!this.isRunning || (this.line && !this.line.ended)) return;
    this.options.onState(this.wasLive ? "stale" : "connecting");
    this.line = this.refusals >= TRIES_BEFORE_POLLING ? this.poll() : this.socket();
  }

  /** @returns {Socket} */
  socket() {
    const socket = new Socket({
      ...this.options,
      onWelcome: () => {
        this.refusals = 0;
        this.upgradeMs = UPGRADE_MS;
        this.welcomed();
      },
      onEnd: (end) => socket === this.line && this.lost(end),
    });
    return socket;
  }

  /** @returns {Poll} */
  poll() {
    /** @type {Poll} */
    const poll = new Poll({
      ...this.options,
      onWelcome: () => {
        this.welcomed();
        this.planUpgrade();
      },
      onEnd: (end) => poll === this.line && this.lost(end),
    });
    return poll;
  }

  welcomed() {
    this.attempt = 0;
    this.wasLive = true;
    this.options.onState("live");
  }

  /** @param {import("./socket.js").End} end */
  lost(end) {
    this.line = null;
    clearTimeout(this.upgradeTimer);
    if (!this.isRunning) return;
    if (end.code === 4401) return this.options.onUnauthorized();
    if (end.code === 4403) {
      this.isRunning = false;
      return this.options.onState("refused");
    }
    if (!end.welcomed && end.code !== 1012) this.refusals += 1;
    // A restart meets everybody at once: the first try is spread over five seconds.
    const delay = end.code === 1012 ? this.random() * 5000 : backoff(this.attempt, this.random());
    this.attempt += 1;
    // While polls fail too the server is away: when it is back, a websocket is worth a try again.
    if (this.refusals > TRIES_BEFORE_POLLING && !end.welcomed) this.refusals = 0;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), delay);
    this.options.onState(this.wasLive ? "stale" : "connecting");
  }

  /** While we poll, a websocket is tried now and then: the server may only have been restarting. */
  planUpgrade() {
    clearTimeout(this.upgradeTimer);
    this.upgradeTimer = setTimeout(() => this.upgrade(), this.upgradeMs);
    this.upgradeMs = Math.min(this.upgradeMs * 2, LAST_UPGRADE_MS);
  }

  upgrade() {
    const old = this.line;
    const rival = new Socket({
      ...this.options,
      onWelcome: () => {
        this.rival = null;
        this.refusals = 0;
        this.upgradeMs = UPGRADE_MS;
        this.line = rival;
        old?.end(1000);
        this.welcomed();
      },
      onEnd: (end) => {
        if (rival === this.line) return this.lost(end);
        this.rival = null;
        if (this.isRunning) this.planUpgrade();
      },
    });
    this.rival = rival;
  }

  /** @param {Record<string, any>} frame */
  send(frame) {
    if (this.isLive) this.line?.send(frame);
  }

  /** @param {Record<string, any>} frame @returns {Promise<any>} */
  request(frame) {
    return this.isLive && this.line ? this.line.request(frame) : Promise.reject({ code: "offline", message: "" });
  }
}
