// From events to the lines of a conversation: groups of bubbles, day lines, quiet events. Pure, so that it can be tested without a page.

/**
 * @typedef {import("./log.js").Event} Event
 * @typedef {{kind: "day", key: string, at: string}
 *   | {kind: "new", key: string}
 *   | {kind: "group", key: string, side: "in"|"out", note: boolean, sender: import("./log.js").Sender, to: string[], at: string, events: Event[]}
 *   | {kind: "quiet", key: string, event: Event}
 *   | {kind: "imported", key: string, event: Event}} Line
 */

const GROUP_MS = 5 * 60_000;

/** Told by another line already, or of no use to a reader. */
const SILENT = new Set(["invitation.offered", "invitation.accepted"]);

/**
 * @param {Event[]} events
 * @param {number|undefined} newFrom the index before which "new" is drawn
 * @returns {Line[]}
 */
export function toLines(events, newFrom) {
  /** @type {Line[]} */
  const lines = [];
  let day = "";
  let marked = newFrom === undefined;
  for (const event of events) {
    if (SILENT.has(event.type)) continue;
    const today = new Date(event.at).toDateString();
    if (today !== day) {
      day = today;
      lines.push({ kind: "day", key: `day-${today}`, at: event.at });
    }
    if (!marked && event.index !== null && event.index >= Number(newFrom) && isMessage(event) && event.sender.kind === "customer") {
      marked = true;
      lines.push({ kind: "new", key: "new" });
    }
    add(lines, event);
  }
  return lines;
}

/** @param {Event} event */
const isMessage = (event) => event.type === "message.posted" || event.type === "note.posted";

/**
 * @param {Line[]} lines
 * @param {Event} event
 */
function add(lines, event) {
  const key = `e${event.position}`;
  if (!isMessage(event)) {
    lines.push({ kind: event.type === "history.imported" ? "imported" : "quiet", key, event });
    return;
  }
  const note = event.type === "note.posted";
  const to = addressees(event);
  const last = lines[lines.length - 1];
  const goesOn = last?.kind === "group" && last.note === note && isSame(last.sender, event.sender) && isSoon(last.events, event);
  if (goesOn && last.to.join("\n") === to.join("\n")) {
    last.events.push(event);
    return;
  }
  const side = event.sender.kind === "customer" ? "in" : "out";
  lines.push({ kind: "group", key, side, note, sender: event.sender, to, at: event.at, events: [event] });
}

/** Whom a message is meant for, by name; nobody = all. @param {Event} event @returns {string[]} */
const addressees = (event) => (event.data?.to || []).map((/** @type {{name: string}} */ one) => one.name);

/** @type {(a: Event["sender"], b: Event["sender"]) => boolean} */
const isSame = (a, b) => a.kind === b.kind && (a.id || a.name) === (b.id || b.name);

/** @type {(events: Event[], event: Event) => boolean} */
const isSoon = (events, event) => Date.parse(event.at) - Date.parse(events[events.length - 1].at) < GROUP_MS;

/**
 * Text cut at its links. Only http and https become links: anything else stays the text that it is.
 * @param {string} text
 * @returns {{text: string, href?: string}[]}
 */
export function splitLinks(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/gi)) {
    let href = match[0].replace(/[.,;:!?…]+$/u, "");
    // A bracket at the end belongs to the sentence unless the address opened one.
    while (href.endsWith(")") && count(href, ")") > count(href, "(")) href = href.slice(0, -1);
    if (!isWebAddress(href)) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push({ text: href, href });
    from = match.index + href.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

/** @type {(text: string, letter: string) => number} */
const count = (text, letter) => text.split(letter).length - 1;

/** Where an address of the web leads, as letters that cannot pass for others; "" for anything else. @param {string} url */
export const hostOf = (url) => (isWebAddress(url) ? new URL(url).host : "");

/** @param {import("./log.js").Link} link */
export const linkName = (link) => link.name.trim() || hostOf(link.url) || link.url;

/** What lists show of a message without text. @param {Event} event */
export const fileNames = (event) => [...(event.attachments || []).map((file) => file.name), ...(event.data?.links || []).map(linkName)].join(", ");

/** @param {string} value */
export function isWebAddress(value) {
  try {
    return ["http:", "https:"].includes(new URL(value).protocol);
  } catch {
    return false;
  }
}
