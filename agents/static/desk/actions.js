// What the agent does: each a request on the wire, and what the desk shows meanwhile.
import { config, poster, socket, store } from "./desk.js";
import { askToNotify } from "./alerts.js";
import { loadAll, loadChat, loadCustomer, loadOlder } from "./loads.js";
import { lastIndex } from "./log.js";
import { mayLeave } from "./travel.js";
import { setTyping } from "./typing.js";
import { draft, mode, setDraft, setUi, toast, ui } from "./ui.js";
import { errorText, now, t } from "./words.js";

/** @param {any} error */
export function explain(error) {
  toast(errorText(error), { tone: "danger" });
}

/** @param {Record<string, any>} frame @returns {Promise<any>} the ack, or null after the person was told */
export async function ask(frame) {
  try {
    return await socket.request(frame);
  } catch (error) {
    explain(error);
    return null;
  }
}

/** @param {string} status */
export async function setStatus(status) {
  if (status === "online") askToNotify();
  const ack = await ask({ type: "status", status });
  if (ack) store.receive({ type: "agent", agent: ack.agent || { status } }, Date.now());
}

/** @param {string} id @param {{push?: boolean}} [options] */
export function openChat(id, { push = true } = {}) {
  const thread = store.thread(id);
  leaveChat();
  const unread = store.unread(thread);
  if (unread) ui.newFrom.set(id, (thread.chat?.read?.agent || 0) + 1);
  else ui.newFrom.delete(id);
  if (push) history.pushState({ open: id }, "", `#/chat/${id}`);
  setUi({ open: id, pane: "thread", below: 0, atBottom: true, slash: 0 });
  const isKnown = Boolean(thread.chat);
  // A row of "All" or of the search knows its chat, the store does not: it can be followed once it is loaded.
  if (!isKnown || !thread.log.last || thread.chat?.state === "closed") void loadChat(id).then(() => isKnown || attend(id));
  else if (thread.log.events.length < 20) void loadOlder(id);
  if (isKnown) attend(id);
}

/** What an open chat needs besides its log. @param {string} id */
function attend(id) {
  if (ui.open !== id) return;
  watch(id);
  const customer = store.thread(id).chat?.customer;
  if (customer?.id) void loadCustomer(customer.id);
}

function leaveChat() {
  const thread = ui.open ? store.state.threads.get(ui.open) : null;
  if (!thread) return;
  setTyping(thread.id, false);
  if (thread.watched) unwatch(thread);
}

/** @param {import("./store.js").Thread} thread */
function unwatch(thread) {
  thread.watched = false;
  socket.request({ type: "unwatch", chat: thread.id }).catch(() => {});
}

/** Follow a chat that we do not hold. @param {string} id */
export function watch(id) {
  const thread = store.thread(id);
  const chat = thread.chat;
  if (!chat || chat.state === "closed" || store.state.mine.has(id) || thread.gone === "not_found") return;
  socket.request({ type: "watch", chat: id, after: thread.log.last || undefined }).then(
    (ack) => {
      thread.watched = true;
      if (ui.open !== id) unwatch(thread);
      if (ack.chat) store.receive({ type: "chat", chat: ack.chat }, Date.now());
    },
    () => {},
  );
}

export function closeThread() {
  leaveChat();
  history.pushState({}, "", "#/");
  setUi({ open: null, pane: "list" });
}

/** @param {any} invitation */
export async function accept(invitation) {
  const ack = await ask({ type: "accept", invitation: invitation.id });
  store.receive({ type: "invitation_ended", id: invitation.id, chat: invitation.chat.id, reason: "accepted" }, Date.now());
  if (!ack) return;
  takeOver(ack.chat);
}

/** @param {any} invitation */
export async function decline(invitation) {
  if (await ask({ type: "decline", invitation: invitation.id })) {
    store.receive({ type: "invitation_ended", id: invitation.id, chat: invitation.chat.id, reason: "declined" }, Date.now());
  }
}

/** @param {any} chat ours from now on */
export function takeOver(chat) {
  store.receive({ type: "chat", chat: { ...chat, held: true } }, Date.now());
  setUi({ tab: "mine" });
  openChat(chat.id);
}

/** @param {string} chat */
export async function pick(chat) {
  const ack = await ask({ type: "pick", chat });
  if (ack) takeOver(ack.chat);
}

/** @param {string} chat */
export async function reopen(chat) {
  const ack = await ask({ type: "reopen", chat });
  if (ack) takeOver(ack.chat);
}

/** Whether the customer hears us: in our own chat, and as a guest while somebody has it. @param {string} id */
export function speaks(id) {
  const chat = store.thread(id).chat;
  return store.state.mine.has(id) && (!chat?.guest || chat.state === "active");
}

/** Who only reads along writes to the team alone. @param {string} chat */
export const writesNote = (chat) => !speaks(chat) || mode(chat) === "note";

/** @param {string} chat @param {string} text @param {boolean} note @param {any[]} [attachments] */
function post(chat, text, note, attachments = []) {
  poster.add({ client_id: crypto.randomUUID(), chat, text, note, attachments, at: new Date().toISOString(), state: "waiting" });
}

/** @param {string} chat */
export function send(chat) {
  const text = draft(chat).trim();
  const uploads = (ui.uploads.get(chat) || []).filter((item) => item.state === "done");
  if (!text && !uploads.length) return;
  if (!writesNote(chat) && !mayLeave(store.thread(chat).chat, text, now())) return;
  if ((ui.uploads.get(chat) || []).some((item) => item.state === "busy")) return toast(t("upload.wait"));
  post(chat, text, writesNote(chat), uploads.map((item) => item.attachment));
  ui.uploads.delete(chat);
  ui.newFrom.delete(chat);
  setUi({ atBottom: true, below: 0 });
  setDraft(chat, "");
  setTyping(chat, false);
}

/** What is on the screen of somebody who looks at it counts as read. */
export function markRead() {
  const thread = ui.open ? store.state.threads.get(ui.open) : null;
  if (!thread?.chat || thread.chat.guest || !ui.atBottom || document.hidden || !store.state.mine.has(thread.id)) return;
  const index = lastIndex(thread.log);
  if (store.state.link.state !== "live" || thread.chat.state === "closed" || index <= (thread.chat.read?.agent || 0)) return;
  store.receive({ type: "read", chat: thread.id, kind: "agent", index }, Date.now());
  socket.request({ type: "read", chat: thread.id, index }).catch(() => {});
}

/** @param {string} chat @param {{disposition?: string, comment?: string}} ending */
export async function closeChat(chat, ending) {
  if (!(await ask({ type: "close", chat, ...ending }))) return false;
  setUi({ dialog: null });
  return true;
}

/** @param {string} chat @param {{team?: string, agent?: string, note?: string}} target */
export async function transfer(chat, target) {
  // Marked before the request: the notice that the chat is gone may come before the answer.
  ui.passedOn.add(chat);
  if (!(await ask({ type: "transfer", chat, ...target }))) return void ui.passedOn.delete(chat);
  setUi({ dialog: null });
  if (ui.open === chat) closeThread();
  toast(t("transfer.done"));
}

/** @param {string} chat @param {string} agent @param {string} [note] for whoever gets it */
export async function assign(chat, agent, note = "") {
  if (note) post(chat, note, true);
  if (!(await ask({ type: "assign", chat, agent }))) return;
  setUi({ dialog: null });
  toast(t("transfer.done"));
  if (ui.tab === "all") void loadAll();
}

/** @param {string} id */
export function putAway(id) {
  store.putAway(id);
  if (ui.open === id) closeThread();
}

export const canSteer = () => ["supervisor", "admin"].includes(config.agent.role);
