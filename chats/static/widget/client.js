// The customer's side of a chat: session, start, posts, read marks, end. Joins store, link and REST; knows no DOM.
import { Link } from "./link.js";
import { PASSING, Poster } from "./poster.js";
import { newId } from "./ids.js";

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./rest.js").Rest} Rest
 * @typedef {{client_id: string, team?: string, text: string, form: Record<string, string>, data: Record<string, any>, language: string, page: any}} StartBody
 * @typedef {"loading"|"ready"|"unreachable"|"starting"} Phase
 */

const TYPING_EVERY_MS = 1000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Client {
  /**
   * @param {{store: Store, rest: Rest, keeper: import("./poster.js").Keeper, key: string, socketUrl: string,
   *   emit: (name: string, detail?: any) => void, onChange: () => void}} options
   */
  constructor({ store, rest, keeper, key, socketUrl, emit, onChange }) {
    this.store = store;
    this.rest = rest;
    this.keeper = keeper;
    this.emit = emit;
    this.onChange = onChange;
    this.key = key;
    /** @type {Phase} */
    this.phase = "loading";
    this.language = "en";
    /** @type {any} */
    this.page = null;
    /** @type {Record<string, any>} */
    this.data = {};
    /** Whom the site vouches for, and the id for which our token was given. @type {Record<string, any>|null} */
    this.identity = null;
    this.identifiedAs = "";
    this.typingAt = 0;
    this.link = new Link({
      url: socketUrl,
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
    this.poster = new Poster(store, (frame) => this.link.request(frame), keeper);
    store.subscribe((signals) => signals.forEach((signal) => this.heed(signal)));
  }

  hello() {
    const { chat, log, epoch } = this.store.state;
    return { token: this.rest.token, ...(chat ? { chat: chat.id, after: log.last } : {}), ...(epoch ? { epoch } : {}) };
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
    this.rest.token = saved.token || "";
    this.poster.restore(saved);
    this.identifiedAs = saved.identity || "";
    const proof = this.proof(identity);
    if (this.rest.token || proof) await this.untilDone(() => this.openSession(proof, saved.chat));
    const start = parse(saved.start);
    if (start && !this.store.state.chat) {
      await this.sendStart(start).catch(() => this.setPhase("ready"));
    } else {
      if (start) await this.keeper.set("start", null);
      this.setPhase("ready");
    }
    // Given while we were beginning.
    if (this.identity && this.identity.id !== this.identifiedAs) await this.identify(this.identity);
  }

  /** Repeats what failed for reasons that pass; says "unreachable" meanwhile. @param {() => Promise<any>} attempt */
  async untilDone(attempt) {
    for (let count = 0; ; count += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!PASSING.has(/** @type {any} */ (error).code)) return console.warn("ContactCenter:", /** @type {any} */ (error).code);
        this.setPhase("unreachable");
        await pause(RETRY_MS[Math.min(count, RETRY_MS.length - 1)] * (0.5 + Math.random()));
      }
    }
  }

  /**
   * An identity is proven once, not on every page: proving it again would end the session of the other tabs.
   * @param {Record<string, any>|null} identity
   */
  proof(identity) {
    if (!identity || typeof identity.id !== "string") return null;
    this.identity = identity;
    if (this.identifiedAs === identity.id && this.rest.token) return null;
    if (this.identifiedAs && this.identifiedAs !== identity.id) this.rest.token = ""; // somebody else: their chats are not to be mixed
    return identity;
  }

  /** @param {Record<string, any>} identity given after the start */
  async identify(identity) {
    const proof = this.proof(identity);
    if (!proof || this.phase === "loading") return; // begin() is on its way and looks again at its end
    this.link.stop();
    if (!this.rest.token) this.store.follow(null);
    await this.untilDone(() => this.openSession(proof));
    this.setPhase("ready");
  }

  /**
   * @param {Record<string, any>|null} [identity]
   * @param {string} [lastChat] shown again when it ended while we were away
   */
  async openSession(identity = null, lastChat = "") {
    let answer = await this.askSession(identity);
    // Anonymous, though the site vouches for somebody: the identified session had ended.
    if (!identity && this.identity && !answer.customer.is_identified) answer = await this.askSession(this.identity);
    this.store.state.customer = answer.customer;
    if (answer.chat) this.show(answer.chat);
    else if (lastChat) await this.showEnded(lastChat);
    this.onChange();
  }

  /** @param {Record<string, any>|null} identity @returns {Promise<any>} the answer of POST widget/sessions */
  async askSession(identity) {
    const body = { key: this.key, language: this.language, token: this.rest.token, page: this.page, identity };
    let answer;
    try {
      answer = await this.rest.post("widget/sessions", strip(body));
    } catch (error) {
      const { code, message } = /** @type {any} */ (error);
      if (!identity || (code !== "forbidden" && code !== "invalid")) throw error;
      // A wrong or expired signature is the site's mistake: its customer can still write to us.
      console.warn("ContactCenter: identify was refused.", message);
      this.identity = null;
      return this.askSession(null);
    }
    if (answer.token !== this.rest.token) await this.keeper.set("token", answer.token);
    this.rest.token = answer.token;
    this.identifiedAs = answer.customer.is_identified ? String(identity?.id ?? this.identifiedAs) : "";
    await this.keeper.set("identity", this.identifiedAs || null);
    return answer;
  }

  async ensureSession() {
    if (!this.rest.token) await this.openSession();
  }

  /** The server knows our token no longer: begin as somebody new. */
  async renew() {
    this.link.stop();
    this.rest.token = "";
    this.store.follow(null);
    await Promise.all(["token", "chat", "identity"].map((name) => this.keeper.set(name, null)));
    this.setPhase("ready");
  }

  /** @param {any} chat */
  show(chat) {
    this.store.follow(chat);
    this.poster.settle(chat.id);
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
  start({ form, text, team }) {
    const { language, page, data } = this;
    return this.sendStart({ client_id: newId(), text, form, data, language, page, ...(team ? { team } : {}) });
  }

  /** @param {StartBody} body */
  async sendStart(body) {
    this.setPhase("starting");
    // Kept before the first try, so that a page that dies now starts this chat once and not twice.
    await this.keeper.set("start", JSON.stringify(body));
    try {
      await this.tryStart(body);
    } finally {
      await this.keeper.set("start", null);
      this.setPhase("ready");
    }
  }

  /** @param {StartBody} body */
  async tryStart(body) {
    for (let count = 0; ; count += 1) {
      try {
        await this.ensureSession();
        const { chat, replayed } = await this.rest.post("chats", strip(body));
        this.show(chat);
        if (!replayed) this.emit("chat.started", { id: chat.id });
        return;
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (code === "unauthorized" && this.rest.token && count < 2) this.rest.token = "";
        else if (!PASSING.has(code) || code === "too_many") throw error;
        else await pause(RETRY_MS[Math.min(count, RETRY_MS.length - 1)] * (0.5 + Math.random()));
      }
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
    await this.rest.post("widget/offline-messages", { name: "", ...strip({ ...message, page: this.page }) });
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
    if (this.phase !== "starting") this.setPhase("ready");
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

/** Without what is empty: the API takes absent fields, not nulls. @param {Record<string, any>} body */
function strip(body) {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined && value !== ""));
}
