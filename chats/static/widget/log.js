// One chat's log as the customer holds it: 1, 2, 3 … without holes, each once.

/**
 * @typedef {{id?: string, kind: "customer"|"agent"|"bot"|"system", name?: string}} Sender
 * @typedef {{id: string, name: string, size: number, content_type: string, width?: number|null, height?: number|null}} Attachment
 * @typedef {{index: number, type: string, at: string, sender?: Sender, text?: string, attachments?: Attachment[],
 *   client_id?: string|null, data?: Record<string, any>}} Event
 * @typedef {{events: Event[], last: number}} Log
 */

/** @returns {Log} */
export const emptyLog = () => ({ events: [], last: 0 });

/**
 * Take what continues the log; drop what it holds; refuse what would leave a hole.
 * @param {Log} log
 * @param {Event[]} incoming in any order
 * @returns {{log: Log, added: Event[], hole: boolean}}
 */
export function merge(log, incoming) {
  /** @type {Event[]} */
  const added = [];
  let last = log.last;
  let highest = last;
  for (const event of [...incoming].sort((a, b) => a.index - b.index)) {
    if (!Number.isInteger(event.index)) continue;
    highest = Math.max(highest, event.index);
    if (event.index !== last + 1) continue;
    added.push(event);
    last = event.index;
  }
  if (!added.length) return { log, added, hole: highest > last };
  return { log: { events: [...log.events, ...added], last }, added, hole: highest > last };
}

/** @param {Event} event */
export const isFromUs = (event) => event.type === "message.posted" && event.sender?.kind !== "customer";

/**
 * What the customer has not seen yet.
 * @param {Log} log
 * @param {number} read the customer's read cursor
 */
export function countUnread(log, read) {
  let count = 0;
  for (let at = log.events.length - 1; at >= 0 && log.events[at].index > read; at -= 1) {
    if (isFromUs(log.events[at])) count += 1;
  }
  return count;
}

/**
 * The index of the last time that nobody was found, 0 when somebody came (or the search began anew) after it.
 * @param {Log} log
 */
export function lastFailedSearch(log) {
  for (let at = log.events.length - 1; at >= 0; at -= 1) {
    const { type, index } = log.events[at];
    if (type === "search.failed") return index;
    if (type === "agent.joined" || type === "chat.queued" || type === "chat.reopened") return 0;
  }
  return 0;
}
