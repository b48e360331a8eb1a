// Reaching out: a first message to somebody, another way for an open chat, one more try for what did not arrive.
import { explain, takeOver } from "./actions.js";
import { rest, store } from "./desk.js";
import { setUi, ui } from "./ui.js";
import { errorText } from "./words.js";

/**
 * @typedef {{channel: string, address: string, subject: string, text: string, client_id: string}} First  a first message as it stands in the form
 * @typedef {{kind: string, busy: boolean, errors: Record<string, string>, error: string} & Record<string, any>} Form  an open dialog
 */

/** Half-written first messages by whom they are for, as long as this page lives. @type {Map<string, First>} */
const kept = new Map();

/** An answer that did not come may have been a yes: the same id again, so that nobody gets it twice. */
const OPEN_ENDED = new Set(["offline", "timeout", "failed", "unavailable"]);

/** Where a customer can be found by each kind of channel. @type {Record<string, string>} */
const OWN = { sms: "phone", email: "email" };

/** @param {string} id */
export const outboundChannel = (id) => ui.outbound.find((channel) => channel.id === id);

/** @param {any} [customer] to whom; nobody: whose address is typed */
export function writeTo(customer = null) {
  const key = customer?.id || "";
  const values = kept.get(key) || firstOf(customer);
  kept.set(key, values);
  setUi({ dialog: { kind: "outbound", key, customer, values, busy: false, errors: {}, error: "" } });
}

/** @param {any} customer @returns {First} */
function firstOf(customer) {
  const channel = ui.outbound.find((one) => customer?.[OWN[one.kind]]) || ui.outbound[0];
  return { channel: channel?.id || "", address: customer?.[OWN[channel?.kind]] || "", subject: "", text: "", client_id: crypto.randomUUID() };
}

/** Another channel: its own address of this customer, unless one was typed. @param {any} form @param {any} channel */
export function chooseChannel(form, channel) {
  const { values, customer } = form;
  const before = outboundChannel(values.channel)?.kind;
  if (!values.address || values.address === customer?.[OWN[before]]) values.address = customer?.[OWN[channel.kind]] || "";
  values.channel = channel.id;
  form.errors = {};
  setUi();
}

/** @param {any} form @returns {Promise<boolean>} whether it is done */
export async function writeFirst(form) {
  const { subject, ...values } = form.values;
  const isMail = outboundChannel(values.channel)?.kind === "email";
  const body = { ...values, address: values.address.trim(), text: values.text.trim(), ...(isMail && subject.trim() ? { subject: subject.trim() } : {}) };
  const chat = await attempt(form, () => rest.call("chats/outbound", { method: "POST", body }));
  if (!chat) {
    if (!OPEN_ENDED.has(form.code)) form.values.client_id = crypto.randomUUID();
    return false;
  }
  kept.delete(form.key);
  takeOver(chat);
  return true;
}

/** @param {string} chat */
export async function chooseWay(chat) {
  /** @type {any} */
  const form = { kind: "way", chat, state: "busy", ways: [], choice: "", busy: false, errors: {}, error: "" };
  setUi({ dialog: form });
  try {
    const answer = await rest.call(`chats/${chat}/ways`);
    Object.assign(form, { state: "done", ways: answer.results });
  } catch {
    form.state = "failed";
  }
  setUi();
  // What the dialog was opened for comes after it: the focus still stands on the button that closes it.
  requestAnimationFrame(() => /** @type {HTMLElement|null} */ (document.querySelector("dialog[open] [data-focus]"))?.focus());
}

/** @param {any} form @param {{channel: string, address: string}} way @returns {Promise<boolean>} */
export async function goOnBy(form, way) {
  const chat = await attempt(form, () => rest.call(`chats/${form.chat}/channel`, { method: "POST", body: way }));
  if (chat) store.receive({ type: "chat", chat }, Date.now());
  return Boolean(chat);
}

/**
 * Ask, and say in the form what was refused: beside the field where it belongs to one.
 * @param {any} form @param {() => Promise<any>} ask @returns {Promise<any>} the answer, or null
 */
async function attempt(form, ask) {
  Object.assign(form, { busy: true, errors: {}, error: "", code: "" });
  setUi();
  try {
    const answer = await ask();
    if (ui.dialog === form) setUi({ dialog: null });
    return answer;
  } catch (error) {
    const { code, message, fields } = /** @type {any} */ (error);
    const errors = Object.fromEntries(Object.entries(fields || {}).map(([name, said]) => [name, [said].flat().join(" ")]));
    // The server's sentence is in the reader's language, and says more than a code can.
    Object.assign(form, { busy: false, errors, code, error: Object.keys(errors).length ? "" : message || errorText({ code, message }) });
    setUi();
    return null;
  }
}

/** One more try for a message that did not arrive. @param {string} id @param {import("./log.js").Event} failure */
export async function sendAgain(id, failure) {
  const index = failure.data?.index;
  store.markAgain(id, index, failure.position);
  try {
    await rest.call(`chats/${id}/messages/${index}/retry`, { method: "POST" });
  } catch (error) {
    // A conflict says that it arrived or is on its way: nothing is left to try.
    if (/** @type {any} */ (error).code !== "conflict") store.markAgain(id, index, 0);
    explain(error);
  }
}
