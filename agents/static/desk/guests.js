// Chats with a colleague: ask one in, come in, say no, go. A chat keeps its one agent; guests take no slot.
import { ask, closeThread, openChat } from "./actions.js";
import { store } from "./desk.js";
import { setUi, toast, ui } from "./ui.js";
import { t } from "./words.js";

/** @param {string} chat @param {{id: string, name: string}} colleague */
export async function invite(chat, colleague) {
  if (!(await ask({ type: "invite", chat, agent: colleague.id }))) return;
  setUi({ dialog: null });
  toast(t("guest.asked_done", { name: colleague.name }));
}

/** @param {string} chat */
export async function join(chat) {
  const ack = await ask({ type: "join", chat });
  if (!ack) return;
  store.receive({ type: "chat", chat: ack.chat }, Date.now());
  setUi({ tab: "mine" });
  openChat(chat);
}

/** @param {string} chat */
export const refuse = (chat) => part(chat, "refuse");

/** @param {string} chat */
export const leave = (chat) => part(chat, "leave");

/** @param {string} chat @param {"refuse"|"leave"} type */
async function part(chat, type) {
  // Marked before the request: the notice that the chat is gone may come before the answer.
  ui.passedOn.add(chat);
  if (!(await ask({ type, chat }))) return void ui.passedOn.delete(chat);
  if (ui.open === chat && type === "leave") closeThread();
}
