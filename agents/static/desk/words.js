// Words, numbers and times in the reader's language. The catalogue comes with the page; the code only knows keys.

/** @type {Record<string, string>} */
let catalogue = {};
let language = "en";
let plurals = new Intl.PluralRules("en");
let skew = 0;

/**
 * @param {Record<string, string>} words
 * @param {string} code
 */
export function useWords(words, code) {
  catalogue = words;
  language = code;
  plurals = new Intl.PluralRules(code);
}

/**
 * @param {string} key
 * @param {Record<string, any>} [values] `count` also chooses the plural form (`key.one`, `key.other` …)
 * @returns {string}
 */
export function t(key, values = {}) {
  let text = catalogue[key];
  if (typeof values.count === "number") text = catalogue[`${key}.${plurals.select(values.count)}`] ?? catalogue[`${key}.other`] ?? text;
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number(value) : String(value);
  });
}

/** @param {string} key @param {string} fallback for words that the server made: a reason, a status */
export const tOr = (key, fallback) => catalogue[key] ?? fallback;

/** Formatters are dear to make and cheap to use. @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {Intl.NumberFormatOptions} options */
function format(options) {
  const key = language + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.NumberFormat(language, options)));
  return made;
}

/**
 * What to tell a person about a refusal. The server's own sentences are more exact, but English: other readers get ours where we have one.
 * @param {any} error {code, message}
 */
export function errorText({ code, message }) {
  const own = tOr(`error.${code}`, "");
  return language.startsWith("en") ? message || own || t("error.failed") : own || message || t("error.failed");
}

/** @param {number} value */
export const number = (value) => format({}).format(value);

/** The server's clock decides what "now" is. @param {number} milliseconds */
export function useSkew(milliseconds) {
  skew = milliseconds;
}

export const now = () => Date.now() + skew;

/** @param {string} iso */
export const clock = (iso) => new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));

/** @param {string} iso */
export function moment(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** @param {string} iso */
export const dayKey = (iso) => new Date(iso).toDateString();

/** @param {string} iso */
export function day(iso) {
  const date = new Date(iso);
  const days = Math.round((new Date(now()).setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-days, "day");
    return word.charAt(0).toLocaleUpperCase(language) + word.slice(1);
  }
  const year = date.getFullYear() === new Date(now()).getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year }).format(date);
}

/** The time of today, the date of earlier days. @param {string} iso */
export function shortTime(iso) {
  if (dayKey(iso) === new Date(now()).toDateString()) return clock(iso);
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }).format(new Date(iso));
}

/** How long ago, counting up: 0:07, 12:30, 3 h. @param {number} ms */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 3600) return `${number(Math.floor(seconds / 60))}:${pad(seconds % 60)}`;
  const unit = seconds < 86_400 ? "hour" : "day";
  const value = Math.floor(seconds / (unit === "hour" ? 3600 : 86_400));
  return format({ style: "unit", unit, unitDisplay: "short" }).format(value);
}

/** @param {number} value */
const pad = (value) => format({ minimumIntegerDigits: 2 }).format(value);

/** @param {number} bytes */
export function size(bytes) {
  const [value, unit] = bytes < 1024 ? [bytes, "byte"] : bytes < 1024 ** 2 ? [bytes / 1024, "kilobyte"] : [bytes / 1024 ** 2, "megabyte"];
  return format({ style: "unit", unit: String(unit), unitDisplay: "short", maximumFractionDigits: 1 }).format(Number(value));
}

/** @param {string} code a language code, in words of the reader's language */
export function languageName(code) {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(code) || code;
  } catch {
    return code;
  }
}

/** The wall clock in somebody's time zone, or "" when the zone is unknown. @param {string} zone */
export function clockIn(zone) {
  try {
    return zone ? new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(now())) : "";
  } catch {
    return "";
  }
}
