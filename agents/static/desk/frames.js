// What each frame of the server does to the state: a table from frame type to function.
import { fileNames } from "./lines.js";

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./store.js").Signal} Signal
 * @typedef {import("./store.js").Thread} Thread
 * @typedef {import("./log.js").Event} Event
 */

/** How long a typing notice counts when nobody takes it back. */
export const TYPING_MS = 8000;

/**
 * @param {Store} store
 * @param {Record<string, any>} frame
 * @param {number} now
 * @returns {Signal[]}
 */
export function reduceFrame(store, frame, now) {
  const handler = HANDLERS[frame.type];
  return handler ? handler(store, frame, now) || [] : [];
}

/** @type {Record<string, (store: Store, frame: any, now: number) => Signal[]|void>} */
const HANDLERS = {
  welcome,
  events: takeEvents,
  chat: (store, frame) => takeChat(store, frame.chat),
  chat_gone: takeGone,
  invitation: (store, { invitation }) => {
    const isNew = !store.state.invitations.has(invitation.id);
    store.state.invitations.set(invitation.id, invitation);
    store.putChat(invitation.chat);
    return isNew ? [{ kind: "invitation", invitation }] : [];
  },
  invitation_ended: (store, frame) => {
    const known = store.state.invitations.delete(frame.id);
    return known ? [{ kind: "invitation_ended", ...frame }] : [];
  },
  agent: (store, { agent }) => void (store.state.agent = { ...store.state.agent, ...agent }),
  colleagues: (store, { agents }) => void (store.state.colleagues = agents),
  queue: (store, { teams }) => takeQueue(store, teams),
  typing: (store, frame, now) => {
    const thread = store.thread(frame.chat);
    const sender = frame.sender || {};
    // Our own typing, seen from another of our windows, is nothing to show.
    if (sender.kind && sender.kind !== "customer" && sender.name === store.state.agent?.name) return;
    thread.typing = frame.active ? { text: frame.text || "", at: now, name: sender.name || "" } : null;
  },
  read: (store, frame) => {
    const chat = store.thread(frame.chat).chat;
    if (chat) chat.read = { ...chat.read, [frame.kind]: Math.max(chat.read?.[frame.kind] || 0, frame.index) };
  },
  delivered: (store, frame) => {
    const thread = store.thread(frame.chat);
    if (frame.kind !== "agent") thread.delivered = Math.max(thread.delivered, frame.index);
  },
  presence: (store, frame) => {
    const chat = store.thread(frame.chat).chat;
    if (chat) chat.online = frame.online;
  },
  ping: (store, frame) => {
    /** @type {Signal[]} */
    const signals = [];
    for (const [id, head] of Object.entries(frame.heads || {})) {
      const log = store.state.threads.get(id)?.log;
      if (log && log.last && log.last < head) signals.push({ kind: "hole", chat: id, after: log.last });
    }
    return signals;
  },
};

/** @type {(store: Store, frame: any, now: number) => Signal[]} */
function welcome(store, frame, now) {
  const { state } = store;
  const restored = Boolean(state.epoch) && state.epoch !== frame.epoch;
  Object.assign(state, {
    epoch: frame.epoch, center: frame.center, agent: frame.agent, teams: frame.teams || [], colleagues: frame.colleagues || [],
    ready: true, skew: Date.parse(frame.now) - now,
  });
  for (const id of restored ? state.threads.keys() : frame.reset || []) store.resetLog(id);
  const held = new Set(frame.chats.map((/** @type {any} */ chat) => chat.id));
  /** @type {Signal[]} */
  const signals = [];
  for (const id of state.mine) {
    // It ended or went elsewhere while we were away: whoever holds the wire asks what became of it.
    if (!held.has(id) && state.threads.get(id)?.chat?.state !== "closed") signals.push({ kind: "lost", chat: id });
  }
  for (const id of state.asked) if (!held.has(id)) state.asked.delete(id);
  for (const chat of frame.chats) signals.push(...takeChat(store, chat));
  const before = state.invitations;
  state.invitations = new Map();
  for (const invitation of frame.invitations || []) {
    state.invitations.set(invitation.id, invitation);
    store.putChat(invitation.chat);
    if (!before.has(invitation.id)) signals.push({ kind: "invitation", invitation });
  }
  takeQueue(store, frame.queue || []);
  return signals;
}

/** Ours, a colleague's whose guest we are, or one that we are asked to join. @type {(store: Store, chat: any) => Signal[]} */
function takeChat(store, chat) {
  const { mine, asked } = store.state;
  const thread = store.putChat(chat);
  const ours = chat.held ?? (chat.agent_id && chat.agent_id === store.state.agent?.id && chat.state === "active");
  if (ours || chat.guest === "joined") {
    mine.add(chat.id);
    thread.gone = null;
  }
  const isNew = chat.guest === "invited" && !asked.has(chat.id);
  if (chat.guest === "invited") asked.add(chat.id);
  else asked.delete(chat.id);
  return isNew ? [{ kind: "asked", chat: chat.id }] : [];
}

/** @type {(store: Store, frame: any) => Signal[]|void} */
function takeGone(store, frame) {
  const thread = store.thread(frame.chat);
  store.state.asked.delete(frame.chat);
  if (thread.chat) thread.chat = { ...thread.chat, guest: null };
  if (frame.reason === "closed") {
    if (thread.chat) thread.chat = { ...thread.chat, state: "closed" };
    return;
  }
  store.state.mine.delete(frame.chat);
  thread.gone = frame.reason || "gone";
  return [{ kind: "chat_gone", chat: frame.chat, reason: thread.gone }];
}

/** @type {(store: Store, teams: any[]) => void} */
function takeQueue(store, teams) {
  store.state.queue = new Map(teams.map((team) => [team.id, team]));
  for (const team of teams) {
    // One queue is shown to many, and not made anew for all that changes: whose guest somebody is it cannot say, nor what a connector does now.
    for (const { guest: _, ...chat } of team.chats || []) store.putChat({ ...chat, delivery: (store.state.threads.get(chat.id)?.chat || chat).delivery });
  }
}

/** @type {(store: Store, frame: any, now: number) => Signal[]} */
function takeEvents(store, frame) {
  const thread = store.thread(frame.chat);
  const wasEmpty = !thread.log.last;
  const { added, hole } = store.putEvents(frame.chat, frame.events);
  /** @type {Signal[]} */
  const signals = hole ? [{ kind: "hole", chat: frame.chat, after: store.thread(frame.chat).log.last }] : [];
  for (const event of added) {
    // What we hold of before is erased on the server, too.
    if (event.type === "chat.erased" && thread.log.events.some((held) => held.position < event.position && (held.text || held.attachments?.length))) {
      store.resetLog(frame.chat);
      return [{ kind: "erased", chat: frame.chat }];
    }
    applyEvent(thread, event);
    if (!wasEmpty && event.type === "message.posted" && event.sender.kind === "customer") {
      signals.push({ kind: "message", chat: frame.chat, event });
    }
  }
  return signals;
}

/**
 * The log is the truth: what a chat's line shows follows it at once, without waiting for a `chat` frame.
 * @param {Thread} thread
 * @param {Event} event
 */
function applyEvent(thread, event) {
  const chat = thread.chat;
  // A chat that was rendered after this event knows it already; going back would reopen what has ended, or end what was reopened.
  if (!chat || event.position <= (chat.head || 0)) return;
  chat.head = event.position;
  if (event.type === "message.posted") {
    const fromCustomer = event.sender.kind === "customer";
    chat.last_message = { text: event.text || fileNames(event), at: event.at, sender_kind: event.sender.kind };
    chat.waiting_since = fromCustomer ? chat.waiting_since || event.at : event.sender.kind === "system" ? chat.waiting_since : null;
    if (fromCustomer) thread.typing = null;
  } else if (event.type === "chat.closed") {
    Object.assign(chat, { state: "closed", closed_at: event.at, close_reason: event.data?.reason, waiting_since: null });
    thread.typing = null;
  } else if (event.type === "chat.disposed") {
    chat.disposition = event.data?.disposition ?? chat.disposition;
  } else if (event.type === "customer.updated") {
    chat.customer = { ...chat.customer, ...event.data?.changed };
  }
}
