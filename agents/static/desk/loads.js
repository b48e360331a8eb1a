// What is asked for by REST: older events, missing events, customers, lists.
import { rest, store } from "./desk.js";
import { setUi, ui } from "./ui.js";

const PAGE = 100;

/** Fill a hole after what we hold. @param {string} chat */
export async function loadNewer(chat) {
  if (filling.has(chat)) return;
  filling.add(chat);
  try {
    for (;;) {
      const after = store.thread(chat).log.last;
      const answer = await rest.call(`chats/${chat}/events`, { query: { after, limit: PAGE } });
      store.receive({ type: "events", chat, events: answer.events }, Date.now());
      if (answer.chat) store.receive({ type: "chat", chat: answer.chat }, Date.now());
      if (store.thread(chat).log.last <= after || store.thread(chat).log.last >= answer.head) return;
    }
  } catch {
    // The next ping names the head again, and with it this hole.
  } finally {
    filling.delete(chat);
  }
}
/** @type {Set<string>} */
const filling = new Set();

/** @param {string} chat */
export async function loadOlder(chat) {
  const thread = store.thread(chat);
  if (thread.older === "busy" || thread.log.first <= 1) return;
  thread.older = "busy";
  store.changed();
  try {
    const answer = await rest.call(`chats/${chat}/events`, { query: { before: thread.log.first, limit: PAGE } });
    store.receive({ type: "events", chat, events: answer.events }, Date.now());
    thread.older = "idle";
  } catch {
    thread.older = "failed";
  }
  store.changed();
}

/** A chat that is not on the wire: ended, or somebody else's. @param {string} id @returns {Promise<boolean>} */
export async function loadChat(id) {
  try {
    const chat = await rest.call(`chats/${id}`);
    store.receive({ type: "chat", chat }, Date.now());
    if (!store.thread(id).log.last) {
      const answer = await rest.call(`chats/${id}/events`, { query: { before: (chat.head || 0) + 1, limit: PAGE } });
      store.receive({ type: "events", chat: id, events: answer.events }, Date.now());
    } else {
      await loadNewer(id);
    }
    return true;
  } catch (error) {
    if (/** @type {any} */ (error).code === "not_found") store.thread(id).gone = "not_found";
    store.changed();
    return false;
  }
}

/** A chat whose customer was erased: nothing that we have read of either is to be seen any more. @param {string} id */
export async function loadErased(id) {
  const customer = store.thread(id).chat?.customer?.id;
  await loadChat(id);
  if (customer && ui.customers.delete(customer)) await loadCustomer(customer);
}

/** What became of a chat that vanished while we were away. @param {string} id */
export async function settleLost(id) {
  if (!(await loadChat(id)) && store.thread(id).gone !== "not_found") return;
  const chat = store.thread(id).chat;
  if (chat?.state !== "closed") store.receive({ type: "chat_gone", chat: id, reason: "transferred" }, Date.now());
}

/** @param {string} id @param {boolean} [again] */
export async function loadCustomer(id, again = false) {
  const known = ui.customers.get(id);
  if (known && known.state !== "failed" && !again) return;
  ui.customers.set(id, { state: "busy", customer: known?.customer || null, chats: known?.chats || [] });
  setUi();
  try {
    const [customer, chats] = await Promise.all([
      rest.call(`customers/${id}`), rest.call(`customers/${id}/chats`, { query: { limit: 20 } }),
    ]);
    ui.customers.set(id, { state: "done", customer, chats: chats.results });
  } catch {
    ui.customers.set(id, { state: "failed", customer: known?.customer || null, chats: known?.chats || [] });
  }
  setUi();
}

/** Canned replies, dispositions, channels to write by; asked again at each connection, because they are edited elsewhere. */
export async function loadDeskLists() {
  const [replies, dispositions, outbound] = await Promise.allSettled([
    rest.call("canned-replies", { query: { limit: 200 } }), rest.call("dispositions", { query: { limit: 200 } }),
    rest.call("channels/outbound"),
  ]);
  if (replies.status === "fulfilled") ui.replies = replies.value.results;
  if (outbound.status === "fulfilled") ui.outbound = outbound.value.results;
  if (dispositions.status === "fulfilled") ui.dispositions = dispositions.value.results;
  setUi();
}

/**
 * @param {"all"|"offline"|"found"} name
 * @param {string} path
 * @param {Record<string, any>} query
 */
async function loadList(name, path, query) {
  ui[name] = { ...ui[name], state: "busy" };
  setUi();
  try {
    const answer = await rest.call(path, { query });
    if (name === "found" && query.search !== ui.query.trim()) return;
    ui[name] = { state: "done", items: answer.results };
  } catch {
    ui[name] = { ...ui[name], state: "failed" };
  }
  setUi();
}

export const loadAll = () => loadList("all", "chats", { limit: 200 });

export const loadOffline = () => loadList("offline", "offline-messages", { handled: "false", limit: 100 });

/** @type {any} */
let searchTimer;

/** Search here at once (the list filters), everywhere after a breath. @param {string} query */
export function search(query) {
  clearTimeout(searchTimer);
  setUi({ query, found: query.trim().length < 2 ? { state: "idle", items: [] } : { state: "busy", items: [] } });
  if (query.trim().length >= 2) searchTimer = setTimeout(() => loadList("found", "chats", { search: query.trim(), limit: 30 }), 250);
}

/** The answer belongs to the dialog that asked. @param {any} dialog @param {string} query */
export function searchCustomers(dialog, query) {
  clearTimeout(searchTimer);
  const words = query.trim();
  Object.assign(dialog, { query, found: { state: words.length < 2 ? "idle" : "busy", items: [] } });
  setUi();
  if (words.length < 2) return;
  searchTimer = setTimeout(async () => {
    /** @type {any} */ let found = { state: "failed", items: [] };
    try {
      const answer = await rest.call("customers", { query: { search: words, limit: 20 } });
      found = { state: "done", items: answer.results };
    } catch {
      // Said in the dialog.
    }
    if (dialog.query !== query) return;
    dialog.found = found;
    setUi();
  }, 250);
}

/** @param {any} message */
export async function handleOffline(message) {
  await rest.call(`offline-messages/${message.id}/handle`, { method: "POST" });
  setUi({ offline: { ...ui.offline, items: ui.offline.items.filter((item) => item.id !== message.id) } });
}
