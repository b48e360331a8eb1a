// What all views share: the client, the channel's settings, and what was typed. Types only, and the words for errors.
import { t } from "../words.js";

/**
 * @typedef {{key: string, label: string, kind: "text"|"email"|"phone"|"select"|"textarea", required: boolean, options: string[]}} Field
 * @typedef {{center: {id: string, name: string}, look: Record<string, any>, languages: string[], is_open: boolean, opens_at: string|null,
 *   teams: {id: string, key: string, name: string, is_open: boolean}[], form: Field[], offline_form: boolean, survey: boolean,
 *   uploads: {max_bytes: number, types: string[]}|null}} Config
 * @typedef {{values: Record<string, string>, text: string, team: string}} Typed
 * @typedef {{client: import("../client.js").Client, store: import("../store.js").Store, config: Config, typed: Typed, draft: string,
 *   uploads: import("../uploads.js").Uploads, isOpen: boolean, leaving: ""|"closed"|"nobody",
 *   keepTyped: () => void, keepDraft: (text: string) => void, keep: (name: string, value: string|null) => Promise<void>,
 *   refresh: () => void, close: () => void, announce: (text: string) => void}} App
 */

const KNOWN = new Set(["offline", "unavailable", "too_many", "too_large", "blocked", "closed", "invalid"]);

/** @param {any} error what REST or a socket refused with */
export function sentence(error) {
  const code = error?.code === "timeout" ? "offline" : error?.code;
  return t(`error.${KNOWN.has(code) ? code : "failed"}`);
}

/** @param {App} app */
export const nameOfUs = (app) => app.config.look?.title || app.config.center.name;
