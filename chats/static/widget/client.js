// The customer's side of a chat: begin, post, read, end. Joins session, store and link; knows no DOM.
import { newId } from "./ids.js";
import { Link } from "./link.js";
import { PASSING, Poster } from "./poster.js";
import { Session, strip } from "./session.js";
import { Starter, pause } from "./starter.js";

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./rest.js").Rest} Rest
 * @typedef {"loading"|"ready"|"unreachable"|"starting"} Phase
 */

const TYPING_EVERY_MS = 1000;

export class Client {
  /**
   * @param {{store: Store, rest: Rest, keeper: import("./poster.js").Keeper, key: string, socketUrl: string,
   *   emit: (name: string, detail?: any) => void, onChange: () => void, onUnsent: (text: string) => void,
   *   onOther: () => void}} options
   */
  constructor({ store, rest, keeper, key, socketUrl, emit, onChange, onUnsent, onOther }) {
    this.store = store;
    this.rest = rest;
    this.keeper = keeper;
    this.emit = emit;
    this.onChange = onChange;
    this.onUnsent = onUnsent;
    this.onOther = onOther;
    /** @type {Phase} */
    this.phase = "loading";
    /** What the site says of the customer's doings. @type {Record<string, any>} */
    this.data = {};
    this.typingAt = 0;
    this.session = new Session(rest, keeper, key);
    this.starter = new Starter(rest, keeper, () => this.ensureSession(), onChange);
    this.link = this.makeLink(socketUrl);
    this.poster = new Poster(store, (frame) => this.link.request(frame), keeper);
    store.subscribe((signals) => signals.forEach((signal) => this.heed(signal)));
  }

  /** @param {string} url */
  makeLink(url) {
    const { store, rest } = this;
    return new Link({
      url,
      rest,
      hello: () => this.hello(),
      chat: () => store.state.chat?.id || "",
      last: () => store.state.log.last,
      epoch: () => store.state.epoch,
      onFrame: (frame) => store.receive(frame, Date.now()),
      onState: (state) => {
        store.setLink(state);
        if (state === "live") void this.poster.pump();
      },
      onUnauthorized: () => void this.renew(),
    });
  }

  hello() {
    const { chat, log, epoch } = this.store.state;
    return { token: this.rest.token, language: this.session.language, ...(chat ? { chat: chat.id, after: log.last } : {}), ...(epoch ? { epoch } : {}) };
  }

  /** @param {import("./store.js").Signal} signal */
  heed(signal) {
    if (signal.kind === "hole") this.link.resume();
    if (signal.kind === "other_chat") this.show(signal.chat);
    if (signal.kind === "closed") this.emit("chat.closed", { reason: signal.reason || "" });
    if (signal.kind === "message" && signal.isUnread) {
      const { index, at, sender } = signal.event;
      this.emit("message", { index, at, sender: { kind: sender?.kind, name: sender?.name || "" } });
    }
  }

  /** @param {Phase} phase */
  setPhase(phase) {
    this.phase = phase;
    this.onChange();
  }

  /**
   * Take up where an earlier page left off.
   * @param {Record<string, string>} saved
   * @param {Record<string, any>|null} identity
   */
  async begin(saved, identity) {
    this.session.restore(saved);
    this.poster.restore(saved);
    const proof = this.session.proof(identity);
    if (this.session.isOther) saved = this.clearAway();
    if (this.rest.token || proof) await this.untilDone(() => this.openSession(proof, saved.chat));
    const start = parse(saved.start);
    if (start && !this.store.state.chat) await this.beginChat(() => this.starter.send(start)).catch(() => undefined);
    else if (start) await this.keeper.set("start", null);
    this.setPhase("ready");
    // Given while we were beginning.
    const late = this.session.identity;
    if (late && late.id !== this.session.identifiedAs) await this.identify(late);
  }

  /** Repeats what failed for reasons that pass; says "unreachable" meanwhile. @param {() => Promise<any>} attempt */
  async untilDone(attempt) {
    for (let count = 0; ; count += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!PASSING.has(/** @type {any} */ (error).code)) return console.warn("ContactCenter:", /** @type {any} */ (error).code);
        this.setPhase("unreachable");
        await pause(count);
      }
    }
  }

  /** @param {Record<string, any>} identity given after the start */
  async identify(identity) {
    const proof = this.session.proof(identity);
    if (!proof || this.phase === "loading") return; // begin() is on its way and looks again at its end
    this.link.stop();
    if (this.session.isOther) this.clearAway();
    await this.untilDone(() => this.openSession(proof));
    this.setPhase("ready");
  }

  /** Another person signed in on the site: nothing of the one before may show or be sent. @returns {Record<string, string>} what is saved now */
  clearAway() {
    this.store.follow(null);
    this.poster.settle("");
    for (const name of ["chat", "start"]) void this.keeper.set(name, null);
    this.onOther();
    return {};
  }

  /**
   * @param {Record<string, any>|null} [identity]
   * @param {string} [lastChat] shown again when it ended while we were away
   */
  async openSession(identity = null, lastChat = "") {
    const answer = await this.session.open(identity);
    this.store.state.customer = answer.customer;
    if (answer.chat) this.show(answer.chat);
    else if (lastChat) await this.showEnded(lastChat);
    this.onChange();
  }

  async ensureSession() {
    if (!this.rest.token) await this.openSession();
  }

  async renew() {
    this.link.stop();
    this.store.follow(null);
    await this.session.forget();
    this.setPhase("ready");
  }

  /** @param {any} chat */
  show(chat) {
    this.store.follow(chat);
    const unsent = this.poster.settle(chat.id);
    if (unsent) this.onUnsent(unsent);
    void this.keeper.set("chat", chat.id);
    this.link.start();
    this.link.resume();
  }

  /** @param {string} id */
  async showEnded(id) {
    try {
      const chat = await this.rest.get(`chats/${id}`);
      this.store.follow(chat);
      if (chat.state !== "closed") return this.link.start();
      for (let last = -1; last < this.store.state.log.last; ) {
        last = this.store.state.log.last;
        const page = await this.rest.get(`chats/${id}/events?after=${last}`);
        this.store.receive({ type: "events", chat: id, events: page.events, head: 0 }, Date.now());
        if (this.store.state.log.last >= page.head) break;
      }
    } catch (error) {
      if (PASSING.has(/** @type {any} */ (error).code)) throw error;
      await this.keeper.set("chat", null);
    }
  }

  /**
   * @param {{form: Record<string, string>, text: string, team: string}} wish
   * @returns {Promise<void>} rejects with a WireError when the person has to do something
   */
  start(wish) {
    const { language, page } = this.session;
    return this.beginChat(() => this.starter.start({ ...wish, data: this.data, language, page }));
  }

  /** @param {() => Promise<{chat: any, replayed: boolean}>} begin */
  async beginChat(begin) {
    this.setPhase("starting");
    try {
      const { chat, replayed } = await begin();
      this.show(chat);
      if (!replayed) this.emit("chat.started", { id: chat.id });
    } finally {
      this.setPhase("ready");
    }
  }

  /** @param {string} text @param {any[]} attachments */
  async post(text, attachments) {
    const { chat } = this.store.state;
    if (!chat) return;
    this.typingAt = 0;
    const at = new Date().toISOString();
    await this.poster.add({ client_id: newId(), chat: chat.id, text, attachments, at, state: "waiting" });
  }

  /** @param {string} text what stands in the composer */
  typing(text) {
    const { chat } = this.store.state;
    const now = Date.now();
    if (!chat || chat.state !== "active" || (text && now - this.typingAt < TYPING_EVERY_MS)) return;
    this.typingAt = text ? now : 0;
    this.link.send({ type: "typing", chat: chat.id, active: Boolean(text), text: text.slice(0, 500) });
  }

  /** Everything that is shown has been read. */
  read() {
    const { chat, log } = this.store.state;
    if (chat && this.store.unread() && this.store.markRead(log.last) && chat.state !== "closed") {
      this.link.send({ type: "read", chat: chat.id, index: log.last });
    }
  }

  /** @param {string} action @param {Record<string, any>} [body] on our chat: close, search, survey, transcript */
  act(action, body = {}) {
    return this.rest.post(`chats/${this.store.state.chat?.id}/${action}`, body);
  }

  /** @param {Record<string, any>} message as POST widget/offline-messages wants it, with its client_id */
  async leaveMessage(message) {
    await this.ensureSession();
    await this.rest.post("widget/offline-messages", { name: "", ...strip({ ...message, page: this.session.page }) });
  }

  /** Put the ended chat away. */
  async startAgain() {
    this.link.stop();
    this.store.follow(null);
    await this.keeper.set("chat", null);
    this.onChange();
  }

  /** Another tab has changed what the site keeps. @param {string} name @param {string|null} value */
  async savedElsewhere(name, value) {
    const { chat } = this.store.state;
    if (name === "token" && value && value !== this.rest.token) {
      this.rest.token = value;
      this.link.stop();
      await this.untilDone(() => this.openSession());
    }
    if (name === "chat" && value && value !== chat?.id && this.rest.token) await this.untilDone(() => this.openSession(null, value));
    if (name === "chat" && !value && chat?.state === "closed") {
      this.link.stop();
      this.store.follow(null);
    }
    if (this.phase !== "starting" && this.phase !== "loading") this.setPhase("ready");
  }
}

/** @param {string|undefined} text */
function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
