// Begins a chat exactly once, however often it has to be tried and whatever becomes of the page meanwhile.
import { newId } from "./ids.js";
import { PASSING } from "./poster.js";
import { strip } from "./session.js";

/**
 * @typedef {{client_id: string, team?: string, text: string, form: Record<string, string>, data: Record<string, any>, language: string, page: any}} StartBody
 */

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const MOST_RENEWALS = 2;

/** @param {number} count of tries so far @returns {Promise<void>} some time, spread */
export function pause(count) {
  const span = RETRY_MS[Math.min(count, RETRY_MS.length - 1)];
  return new Promise((resolve) => setTimeout(resolve, span * (0.5 + Math.random())));
}

export class Starter {
  /**
   * @param {import("./rest.js").Rest} rest
   * @param {import("./poster.js").Keeper} keeper
   * @param {() => Promise<void>} ensureSession
   * @param {() => void} onChange
   */
  constructor(rest, keeper, ensureSession, onChange) {
    this.rest = rest;
    this.keeper = keeper;
    this.ensureSession = ensureSession;
    this.onChange = onChange;
    /** Whether a first try has failed and we go on trying. */
    this.isStruggling = false;
  }

  /**
   * @param {Omit<StartBody, "client_id">} wish
   * @returns {Promise<{chat: any, replayed: boolean}>} rejects with a WireError when the person has to do something
   */
  start(wish) {
    return this.send({ client_id: newId(), ...wish });
  }

  /** @param {StartBody} body */
  async send(body) {
    // Kept before the first try, so that a page that dies now starts this chat once and not twice.
    await this.keeper.set("start", JSON.stringify(body));
    try {
      return await this.repeat(body);
    } finally {
      this.isStruggling = false;
      await this.keeper.set("start", null);
    }
  }

  /** @param {StartBody} body */
  async repeat(body) {
    for (let count = 0; ; count += 1) {
      try {
        await this.ensureSession();
        return await this.rest.post("chats", strip(body));
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        const isStale = code === "unauthorized" && this.rest.token && count < MOST_RENEWALS;
        if (!isStale && (!PASSING.has(code) || code === "too_many")) throw error;
        if (isStale) this.rest.token = "";
        else await this.wait(count);
      }
    }
  }

  /** @param {number} count */
  async wait(count) {
    this.isStruggling = true;
    this.onChange();
    await pause(count);
  }
}
