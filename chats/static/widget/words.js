// What the panel says, in the customer's language. English is complete and stands in for what another lacks.

/** @typedef {string|Partial<Record<Intl.LDMLPluralRule, string>>} Phrase */

export const LANGUAGES = ["en", "de", "ar", "fr", "es"];
const RIGHT_TO_LEFT = new Set(["ar"]);

/** @type {Record<string, Phrase>} */
let english = {};
/** @type {Record<string, Phrase>} */
let phrases = {};
let current = "en";

/**
 * @param {readonly string[]} wishes best first
 * @param {readonly string[]} offered by the channel; empty = all that we speak
 */
export function chooseLanguage(wishes, offered) {
  const codes = (offered?.length ? offered : LANGUAGES).map((code) => code.toLowerCase().split("-")[0]).filter((code) => LANGUAGES.includes(code));
  for (const wish of wishes) {
    const code = String(wish || "").toLowerCase().split("-")[0];
    if (codes.includes(code)) return code;
  }
  return codes[0] || "en";
}

/** @param {string} code */
export async function loadLanguage(code) {
  const [base, own] = await Promise.all([fetchCatalogue("en"), code === "en" ? {} : fetchCatalogue(code).catch(() => null)]);
  setCatalogues(base, own || {}, own ? code : "en");
}

/** @param {string} code @returns {Promise<Record<string, Phrase>>} */
async function fetchCatalogue(code) {
  const answer = await fetch(new URL(`./languages/${code}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`no catalogue ${code}`);
  return answer.json();
}

/** @param {Record<string, Phrase>} base @param {Record<string, Phrase>} own @param {string} code */
export function setCatalogues(base, own, code) {
  english = base;
  phrases = own;
  current = code;
}

export const language = () => current;
export const direction = () => (RIGHT_TO_LEFT.has(current) ? "rtl" : "ltr");

/**
 * @param {string} key
 * @param {Record<string, string|number>} [values] fill {name}; `n` chooses the plural form
 */
export function t(key, values = {}) {
  const own = Object.hasOwn(phrases, key);
  const phrase = own ? phrases[key] : english[key];
  if (phrase === undefined) return key;
  const text = typeof phrase === "string" ? phrase : plural(phrase, Number(values.n), own ? current : "en");
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? value.toLocaleString(locale()) : value;
  });
}

/** @param {Exclude<Phrase, string>} forms @param {number} n @param {string} code */
function plural(forms, n, code) {
  return forms[new Intl.PluralRules(code).select(n)] ?? forms.other ?? "";
}

/** Our language as the reader's region writes it: 24 hours in en-GB, 12 in en-US. */
function locale() {
  const own = typeof navigator === "object" ? navigator.languages || [] : [];
  return own.find((code) => code.toLowerCase().split("-")[0] === current) || current;
}

/** @param {string} at ISO 8601 */
export const clock = (at) => new Date(at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });

/** @param {string} at @param {Date} [now] "Today", "Yesterday" or a date */
export function day(at, now = new Date()) {
  const date = new Date(at);
  const days = daysBetween(date, now);
  if (days === 0) return t("day.today");
  if (days === -1) return t("day.yesterday");
  return date.toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
}

/** When we are back, in the reader's zone: "tomorrow at 09:00". @param {string} at @param {Date} [now] */
export function back(at, now = new Date()) {
  const date = new Date(at);
  const days = daysBetween(date, now);
  const time = clock(at);
  if (days === 0) return t("back.today", { time });
  if (days === 1) return t("back.tomorrow", { time });
  const when = days < 7 ? { weekday: "long" } : { weekday: "long", day: "numeric", month: "long" };
  return t("back.day", { day: date.toLocaleDateString(locale(), /** @type {any} */ (when)), time });
}

/** @param {Date} date @param {Date} now */
function daysBetween(date, now) {
  const midnight = (/** @type {Date} */ one) => Date.UTC(one.getFullYear(), one.getMonth(), one.getDate());
  return Math.round((midnight(date) - midnight(now)) / 86_400_000);
}

/** @param {{position: number, wait_seconds: number|null}} queue "3 people ahead of you, about 4 minutes" */
export function place({ position, wait_seconds: seconds }) {
  const ahead = Math.max(0, position - 1);
  const line = ahead ? t("queue.ahead", { n: ahead }) : t("queue.next");
  if (seconds === null || seconds === undefined) return line;
  const wait = seconds < 60 ? t("queue.soon") : t("queue.minutes", { n: Math.ceil(seconds / 60) });
  return t("queue.both", { place: line, wait });
}

/** @param {number} bytes */
export function size(bytes) {
  const [value, unit] = bytes < 1_000_000 ? [Math.max(1, Math.round(bytes / 1000)), "kilobyte"] : [Math.round(bytes / 100_000) / 10, "megabyte"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit: String(unit), unitDisplay: "short" }).format(Number(value));
}
