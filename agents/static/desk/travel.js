// What holds for chats that travel by a network (SMS, email, Facebook): when one may write, how much, what never arrived. Pure: no page, no clock.

/**
 * @typedef {import("./log.js").Event} Event
 * @typedef {import("./store.js").Thread} Thread
 * @typedef {{position: number, delivered: number}} Again  of which failure, and how far deliveries were then
 */

const HOUR_MS = 3_600_000;

/** Whether a program of the center's own carries it (a connector), and no network that we speak. @param {any} chat */
export const isByConnector = (chat) => Boolean(chat?.delivery) && (chat.delivery.carrier || "connector") === "connector";

/** @param {any} chat */
export const travels = (chat) => Boolean(chat?.delivery) && !isByConnector(chat);

/** Why the customer cannot be written to there now; "" when one can. @param {any} chat @param {number} now @returns {""|"stopped"|"window"} */
export function closedBecause(chat, now) {
  if (chat?.delivery?.stopped) return "stopped";
  const ends = windowEnds(chat);
  return ends && ends <= now ? "window" : "";
}

/** Whether the window closes within the hour. @param {any} chat @param {number} now */
export function closesSoon(chat, now) {
  const ends = windowEnds(chat);
  return ends > now && ends - now <= HOUR_MS;
}

/** In milliseconds; 0 where it never closes. @param {any} chat */
const windowEnds = (chat) => (chat?.delivery?.window_ends_at ? Date.parse(chat.delivery.window_ends_at) : 0);

/** By how many characters the text is longer than one message may be. @param {any} chat @param {string} text */
export function tooMuch(chat, text) {
  const most = chat?.delivery?.most_text;
  return most ? Math.max(0, Array.from(text).length - most) : 0;
}

/** Whether this text may leave now. @param {any} chat @param {string} text @param {number} now */
export const mayLeave = (chat, text, now) => !closedBecause(chat, now) && !tooMuch(chat, text);

/** What was said last of each message that failed, by the message's index: that it failed, or that it was sent again. @param {Event[]} events @returns {Map<number, Event>} */
export function failures(events) {
  /** @type {Map<number, Event>} */
  const found = new Map();
  for (const event of events) if (event.type === "message.failed" || event.type === "message.resent") found.set(event.data?.index, event);
  return found;
}

/**
 * What to say of a message that failed: that it failed, that it is on its way again, or nothing more.
 * @param {Thread} thread @param {Event} last what was said last of it @returns {"failed"|"again"|"arrived"}
 */
export function fateOf(thread, last) {
  const index = last.data?.index;
  const again = thread.again.get(index);
  if (last.type === "message.failed" && again?.position !== last.position) return "failed";
  // A later message may have arrived before: only what was delivered since counts, where we know it.
  return thread.delivered >= index && thread.delivered > (again?.delivered ?? 0) ? "arrived" : "again";
}
