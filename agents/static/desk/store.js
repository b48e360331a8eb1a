// The desk's state and how frames change it. No DOM, no wire, no clock: everything comes in as an argument.
import { countUnread, emptyLog, merge } from "./log.js";
import { reduceFrame } from "./frames.js";

/**
 * @typedef {import("./log.js").Event} Event
 * @typedef {import("./log.js").Log} Log
 * @typedef {Record<string, any> & {id: string, state: string}} Chat  as docs/realtime.md describes it for staff
 * @typedef {{client_id: string, chat: string, text: string, note: boolean, attachments: any[], at: string,
 *   state: "waiting"|"sending"|"sent"|"failed", code?: string, error?: string, position?: number}} Pending
 * @typedef {{id: string, chat: Chat|null, log: Log, pending: Pending[], again: Map<number, import("./travel.js").Again>, typing: {text: string, at: number, name: string}|null,
 *   delivered: number, gone: string|null, older: "idle"|"busy"|"failed", watched: boolean}} Thread
 * @typedef {{kind: string} & Record<string, any>} Signal
 * @typedef {{state: "connecting"|"live"|"stale"|"signed_out", retryAt: number|null, since: number, note: string}} Link
 * @typedef {{link: Link, skew: number, epoch: string, center: any, agent: any, teams: any[], colleagues: any[],
 *   threads: Map<string, Thread>, mine: Set<string>, asked: Set<string>, invitations: Map<string, any>, queue: Map<string, any>, ready: boolean}} State
 */

/** @returns {State} */
export function initialState() {
  return {
    link: { state: "connecting", retryAt: null, since: 0, note: "" },
    skew: 0,
    epoch: "",
    center: null,
    agent: null,
    teams: [],
    colleagues: [],
    threads: new Map(),
    mine: new Set(),
    asked: new Set(),
    invitations: new Map(),
    queue: new Map(),
    ready: false,
  };
}

export class Store {
  /** @param {Partial<State>} [seed] */
  constructor(seed = {}) {
    /** @type {State} */
    this.state = { ...initialState(), ...seed };
    /** @type {Set<(signals: Signal[]) => void>} */
    this.listeners = new Set();
  }

  /** @param {(signals: Signal[]) => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param {Signal[]} [signals] what happened that is more than state: a sound, a hole to fill */
  changed(signals = []) {
    for (const listener of this.listeners) listener(signals);
  }

  /**
   * @param {Record<string, any>} frame from the server
   * @param {number} now milliseconds of our own clock
   */
  receive(frame, now) {
    this.changed(reduceFrame(this, frame, now));
  }

  /** @param {Partial<Link>} link */
  setLink(link) {
    Object.assign(this.state.link, link);
    this.changed();
  }

  /**
   * The thread of a chat, made when it is new.
   * @param {string} id
   * @returns {Thread}
   */
  thread(id) {
    let thread = this.state.threads.get(id);
    if (!thread) {
      thread = {
        id, chat: null, log: emptyLog(), pending: [], again: new Map(), typing: null, delivered: 0, gone: null, older: "idle", watched: false,
      };
      this.state.threads.set(id, thread);
    }
    return thread;
  }

  /**
   * @param {Chat} chat
   * @returns {Thread}
   */
  putChat(chat) {
    const thread = this.thread(chat.id);
    if (thread.chat && chat.head < thread.chat.head) return thread;
    // What we know from the log may be newer than a chat that was rendered before; the log never goes back.
    const read = { ...(chat.read || {}) };
    for (const kind of ["agent", "customer"]) read[kind] = Math.max(read[kind] || 0, thread.chat?.read?.[kind] || 0);
    thread.chat = { ...(thread.chat || {}), ...chat, read };
    thread.delivered = Math.max(thread.delivered, chat.delivered?.customer || 0);
    return thread;
  }

  /**
   * Take events into a log, exactly once and without holes.
   * @param {string} id
   * @param {Event[]} events
   * @returns {{added: Event[], hole: boolean}}
   */
  putEvents(id, events) {
    const thread = this.thread(id);
    const { log, added, hole } = merge(thread.log, events);
    thread.log = log;
    if (thread.pending.length && added.length) {
      const arrived = new Set(added.map((event) => event.client_id).filter(Boolean));
      thread.pending = thread.pending.filter((post) => !arrived.has(post.client_id));
    }
    return { added, hole };
  }

  /** @param {string} id */
  resetLog(id) {
    const thread = this.state.threads.get(id);
    if (thread) Object.assign(thread, { log: emptyLog(), delivered: 0, chat: thread.chat && { ...thread.chat, head: 0, read: {} } });
  }

  /** @param {Pending} post */
  queuePost(post) {
    const thread = this.thread(post.chat);
    if (thread.pending.some((other) => other.client_id === post.client_id)) return;
    thread.pending = [...thread.pending, post];
    this.changed();
  }

  /**
   * @param {string} chat
   * @param {string} clientId
   * @param {Partial<Pending>} change
   */
  updatePost(chat, clientId, change) {
    const thread = this.thread(chat);
    const position = change.position;
    // The event may have come before its acknowledgement.
    const arrived = position !== undefined && position <= thread.log.last && position >= thread.log.first;
    thread.pending = thread.pending
      .filter((post) => !(arrived && post.client_id === clientId))
      .map((post) => (post.client_id === clientId ? { ...post, ...change } : post));
    this.changed();
  }

  /**
   * @param {string} chat
   * @param {string} clientId
   */
  dropPost(chat, clientId) {
    const thread = this.thread(chat);
    thread.pending = thread.pending.filter((post) => post.client_id !== clientId);
    this.changed();
  }

  /** A message that failed is on its way again; position: of that failure, 0: it is not. @param {string} chat @param {number} index @param {number} position */
  markAgain(chat, index, position) {
    const thread = this.thread(chat);
    thread.again = new Map(thread.again).set(index, { position, delivered: thread.delivered });
    this.changed();
  }

  /** What hello says that we hold already. @returns {Record<string, number>} */
  cursors() {
    /** @type {Record<string, number>} */
    const cursors = {};
    for (const id of this.state.mine) {
      const last = this.state.threads.get(id)?.log.last;
      if (last) cursors[id] = last;
    }
    return cursors;
  }

  /** @param {Thread} thread */
  unread(thread) {
    // What waits to be read is its own agent's: who visits a chat marks nothing read.
    if (!thread.chat || thread.chat.guest) return 0;
    if (!thread.log.last) return thread.chat.unread || 0;
    return countUnread(thread.log, thread.chat.read?.agent || 0);
  }

  /** Put a finished chat away. @param {string} id */
  putAway(id) {
    this.state.mine.delete(id);
    this.changed();
  }
}
