// What the panel knows and how frames change it. No DOM, no wire, no clock: everything comes in as an argument.
import { countUnread, emptyLog, isFromUs, lastFailedSearch, merge } from "./log.js";

/**
 * @typedef {import("./log.js").Event} Event
 * @typedef {import("./log.js").Log} Log
 * @typedef {Record<string, any> & {id: string, state: "searching"|"queued"|"active"|"closed"}} Chat  as docs/realtime.md has it
 * @typedef {{client_id: string, chat: string, text: string, attachments: any[], at: string,
 *   state: "waiting"|"sending"|"sent"|"failed", error?: string, index?: number}} Pending
 * @typedef {"idle"|"connecting"|"live"|"stale"|"refused"} LinkState
 * @typedef {{kind: string} & Record<string, any>} Signal
 * @typedef {{link: LinkState, customer: any, epoch: string, chat: Chat|null, log: Log, pending: Pending[], delivered: number,
 *   typing: {name: string, until: number}|null, queue: {position: number, wait_seconds: number|null}|null, searchedAt: number}} State
 */

/** An agent who stopped without a word (a lost line) does not type for ever. */
const TYPING_MS = 8000;

/** @returns {State} */
export function initialState() {
  return {
    link: "idle", customer: null, epoch: "", chat: null, log: emptyLog(), pending: [], delivered: 0, typing: null, queue: null,
    searchedAt: 0,
  };
}

export class Store {
  constructor() {
    this.state = initialState();
    /** @type {Set<(signals: Signal[]) => void>} */
    this.listeners = new Set();
  }

  /** @param {(signals: Signal[]) => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
  }

  /** @param {Signal[]} [signals] what happened that is more than state: a new message, a hole to fill */
  changed(signals = []) {
    for (const listener of this.listeners) listener(signals);
  }

  /** @param {LinkState} link */
  setLink(link) {
    if (this.state.link === link) return;
    this.state.link = link;
    this.changed();
  }

  /**
   * @param {Record<string, any>} frame from the server
   * @param {number} now milliseconds
   */
  receive(frame, now) {
    const reducer = Object.hasOwn(REDUCERS, frame.type) ? REDUCERS[frame.type] : null;
    if (reducer) this.changed(reducer(this, frame, now) || []);
  }

  /** The chat that we show from now on. @param {Chat|null} chat */
  follow(chat) {
    if (chat?.id !== this.state.chat?.id) this.forget();
    if (chat) this.putChat(chat);
    else this.state.chat = null;
    this.changed();
  }

  /** Drop what we hold of the chat; what was written and not sent stays. */
  forget() {
    Object.assign(this.state, { chat: null, log: emptyLog(), delivered: 0, typing: null, queue: null, searchedAt: 0 });
  }

  /** @param {Chat} chat */
  putChat(chat) {
    const old = this.state.chat;
    // An answer that was rendered before the last event must not undo it.
    if (old && (chat.head < old.head || chat.head < this.state.log.last)) return;
    const read = { agent: 0, customer: 0, ...chat.read };
    for (const kind of ["agent", "customer"]) read[kind] = Math.max(read[kind] || 0, old?.read?.[kind] || 0);
    this.state.chat = { ...old, ...chat, read };
    if (chat.state !== "queued" && chat.state !== "searching") this.state.queue = null;
  }

  /** @param {number} index */
  markRead(index) {
    const { chat } = this.state;
    if (!chat || index <= (chat.read?.customer || 0)) return false;
    chat.read = { ...chat.read, customer: index };
    this.changed();
    return true;
  }

  /** @param {Pending} post */
  queuePost(post) {
    const { pending, log } = this.state;
    if (pending.some((other) => other.client_id === post.client_id)) return;
    if (log.events.some((event) => event.client_id === post.client_id && event.sender?.kind === "customer")) return;
    this.state.pending = [...pending, post];
    this.changed();
  }

  /**
   * @param {string} clientId
   * @param {Partial<Pending>} change
   */
  updatePost(clientId, change) {
    // The event may have come before its acknowledgement.
    const arrived = change.index !== undefined && change.index <= this.state.log.last;
    this.state.pending = this.state.pending
      .filter((post) => !(arrived && post.client_id === clientId))
      .map((post) => (post.client_id === clientId ? { ...post, ...change } : post));
    this.changed();
  }

  /** @param {string} clientId */
  dropPost(clientId) {
    this.state.pending = this.state.pending.filter((post) => post.client_id !== clientId);
    this.changed();
  }

  /** The customer asked for another search: the failure before this moment is dealt with. */
  searchAgain() {
    this.state.searchedAt = this.state.log.last;
    this.changed();
  }

  unread() {
    return countUnread(this.state.log, this.state.chat?.read?.customer || 0);
  }

  /** Whether the search found nobody and the customer has not answered that yet. */
  foundNobody() {
    const { chat, log, searchedAt } = this.state;
    if (chat?.state === "closed") return chat.close_reason === "unanswered";
    return chat?.state === "searching" && lastFailedSearch(log) > searchedAt;
  }
}

/** @type {Record<string, (store: Store, frame: any, now: number) => Signal[]|void>} */
const REDUCERS = {
  welcome(store, frame) {
    const { state } = store;
    const isOther = Boolean(state.epoch && frame.epoch && state.epoch !== frame.epoch);
    if (frame.reset || isOther) store.forget();
    if (frame.chat && state.chat && frame.chat.id !== state.chat.id) store.forget();
    if (frame.epoch) state.epoch = frame.epoch;
    if (frame.customer) state.customer = frame.customer;
    if (frame.chat) store.putChat(frame.chat);
    state.typing = null;
  },

  chat(store, frame) {
    const { chat } = store.state;
    if (!chat || frame.chat.id === chat.id) store.putChat(frame.chat);
    else if (chat.state === "closed" && frame.chat.state !== "closed") return [{ kind: "other_chat", chat: frame.chat }];
  },

  events(store, frame) {
    const { state } = store;
    if (!state.chat || frame.chat !== state.chat.id) return;
    const { log, added, hole } = merge(state.log, frame.events);
    state.log = log;
    const arrived = new Set(added.map((event) => event.client_id).filter(Boolean));
    if (arrived.size) state.pending = state.pending.filter((post) => !arrived.has(post.client_id));
    const signals = added.flatMap((event) => apply(state, event));
    state.chat.head = Math.max(state.chat.head || 0, state.log.last);
    if (hole || frame.head > state.log.last) signals.push({ kind: "hole", after: state.log.last });
    return signals;
  },

  typing(store, frame, now) {
    if (frame.chat !== store.state.chat?.id || frame.sender?.kind === "customer") return;
    store.state.typing = frame.active ? { name: frame.sender?.name || "", until: now + TYPING_MS } : null;
  },

  read(store, frame) {
    const { chat } = store.state;
    if (!chat || frame.chat !== chat.id) return;
    chat.read = { ...chat.read, [frame.kind]: Math.max(chat.read?.[frame.kind] || 0, frame.index) };
  },

  delivered(store, frame) {
    if (frame.chat === store.state.chat?.id && frame.kind === "agent") {
      store.state.delivered = Math.max(store.state.delivered, frame.index);
    }
  },

  queue(store, frame) {
    if (frame.chat !== store.state.chat?.id) return;
    store.state.queue = { position: frame.position, wait_seconds: frame.wait_seconds ?? null };
  },

  ping(store, frame) {
    const { chat, log } = store.state;
    if (chat && frame.head > log.last) return [{ kind: "hole", after: log.last }];
  },
};

/**
 * What one new event says of the chat itself, unless the chat as we got it knows it already.
 * @param {State} state
 * @param {Event} event
 * @returns {Signal[]}
 */
function apply(state, event) {
  const chat = /** @type {Chat} */ (state.chat);
  const isNews = event.index > (chat.head || 0);
  if (isFromUs(event)) {
    state.typing = null;
    // What was read on an earlier page is history; everything else is to be said aloud once.
    return [{ kind: "message", event, isUnread: event.index > (chat.read?.customer || 0) }];
  }
  if (isNews && Object.hasOwn(CHANGES, event.type)) Object.assign(chat, CHANGES[event.type](event));
  if (event.type === "agent.left" || event.type === "chat.closed") state.typing = null;
  if (event.type === "agent.joined" || event.type === "chat.closed") state.queue = null;
  if (isNews && event.type === "chat.closed") return [{ kind: "closed", reason: event.data?.reason }];
  return [];
}

/** @type {Record<string, (event: Event) => Record<string, any>>} */
const CHANGES = {
  "agent.joined": ({ data }) => ({ state: "active", agent: { id: data?.agent, name: data?.name, avatar: null, is_bot: false } }),
  "agent.left": () => ({ agent: null }),
  "chat.queued": () => ({ agent: null }),
  "chat.closed": ({ at, data }) => ({ state: "closed", closed_at: at, close_reason: data?.reason }),
};
