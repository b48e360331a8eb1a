// How each kind of frame changes the state. Pure but for the store that is handed in.
import { isFromUs, merge } from "./log.js";

/**
 * @typedef {import("./log.js").Event} Event
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./store.js").State} State
 * @typedef {import("./store.js").Chat} Chat
 * @typedef {import("./store.js").Signal} Signal
 */

/** An agent who stopped without a word (a lost line) does not type for ever. */
const TYPING_MS = 8000;

/** @type {Record<string, (store: Store, frame: any, now: number) => Signal[]|void>} */
export const REDUCERS = {
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
  // A guest comes and goes; the chat's own agent stays.
  if (event.data?.reason === "guest") return [];
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
