// What the panel knows and how frames change it. No DOM, no wire, no clock: everything comes in as an argument.
import { REDUCERS } from "./frames.js";
import { countUnread, emptyLog, lastFailedSearch } from "./log.js";

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
