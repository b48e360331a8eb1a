// One chat's log as we hold it: a run of events without holes, each once, in the order of their positions.

/**
 * @typedef {{id?: string, kind: "customer"|"agent"|"bot"|"system", name: string}} Sender
 * @typedef {{id: string, name: string, size: number, content_type: string, width?: number, height?: number}} Attachment
 * @typedef {{type: string, name: string, url: string}} Link  a file that lies elsewhere
 * @typedef {{index: number|null, position: number, type: string, at: string, sender: Sender, text?: string,
 *   attachments?: Attachment[], client_id?: string, data?: Record<string, any>}} Event
 * @typedef {{events: Event[], first: number, last: number}} Log  first and last are 0 while nothing is held
 */

/** @returns {Log} */
export const emptyLog = () => ({ events: [], first: 0, last: 0 });

/**
 * Take what fits: a continuation at either end. What is held already is dropped, what would leave a hole is refused.
 * @param {Log} log
 * @param {Event[]} incoming in any order
 * @returns {{log: Log, added: Event[], hole: boolean}} added holds only events after the old end, in order
 */
export function merge(log, incoming) {
  const sorted = [...incoming].sort((a, b) => a.position - b.position);
  if (!sorted.length) return { log, added: [], hole: false };
  if (!log.last) return start(sorted);
  const before = run(sorted.filter((event) => event.position < log.first).reverse(), log.first - 1, -1).reverse();
  const later = sorted.filter((event) => event.position > log.last);
  const after = run(later, log.last + 1, 1);
  const left = later.length ? later[later.length - 1].position > log.last + after.length : false;
  if (!before.length && !after.length) return { log, added: [], hole: left };
  const events = [...before, ...log.events, ...after];
  return {
    log: { events, first: events[0].position, last: events[events.length - 1].position },
    added: after,
    hole: left,
  };
}

/** @param {Event[]} sorted */
function start(sorted) {
  // The first page decides where we begin; a hole within it keeps the part before the hole.
  const events = run(sorted, sorted[0].position, 1);
  const last = events[events.length - 1].position;
  return { log: { events, first: events[0].position, last }, added: events, hole: sorted[sorted.length - 1].position > last };
}

/**
 * The longest run from `next` on, in steps of one; repeats are passed over.
 * @param {Event[]} sorted
 * @param {number} next
 * @param {1|-1} step
 */
function run(sorted, next, step) {
  /** @type {Event[]} */
  const taken = [];
  for (const event of sorted) {
    if (event.position !== next) continue;
    taken.push(event);
    next += step;
  }
  return taken;
}

/**
 * The customer's messages that come after our read cursor.
 * @param {Log} log
 * @param {number} readIndex
 */
export function countUnread(log, readIndex) {
  let count = 0;
  for (let at = log.events.length - 1; at >= 0; at -= 1) {
    const event = log.events[at];
    if (event.index !== null && event.index <= readIndex) break;
    if (event.type === "message.posted" && event.sender.kind === "customer") count += 1;
  }
  return count;
}

/**
 * The newest index that the customer sees, 0 when there is none.
 * @param {Log} log
 */
export function lastIndex(log) {
  for (let at = log.events.length - 1; at >= 0; at -= 1) {
    const { index } = log.events[at];
    if (index !== null) return index;
  }
  return 0;
}
