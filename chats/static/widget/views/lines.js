// One line each of a conversation: bubbles, quiet events, days.
import { h, icon, linked } from "../dom.js";
import { clock, t } from "../words.js";
import { attachment } from "./files.js";

/**
 * @typedef {import("../log.js").Event} Event
 * @typedef {import("../store.js").Pending} Pending
 * @typedef {import("./app.js").App} App
 * @typedef {{side: "in"|"out"|"system", name: string, at: string, text: string, attachments: any[], id: string, index: number, pending: Pending|null}} Message
 */

const FOLD_AT = 1200;

/** @param {Event} event @param {string} us what we are called where no person speaks @returns {Message} */
export function asMessage(event, us) {
  const isOwn = event.sender?.kind === "customer";
  const name = isOwn ? t("message.you") : event.sender?.name || us;
  const id = event.client_id && isOwn ? event.client_id : String(event.index);
  const { at, text = "", attachments = [], index } = event;
  return { side: isOwn ? "out" : "in", name, at, text, attachments, id, index, pending: null };
}

/** @param {Pending} post @returns {Message} */
export function asPendingMessage(post) {
  const { at, text, attachments, client_id: id } = post;
  return { side: "out", name: t("message.you"), at, text, attachments, id, index: post.index || 0, pending: post };
}

/** The quiet line for an event that is no message; empty = says nothing to a customer. @param {Event} event */
export function quietLine(event) {
  const data = event.data || {};
  switch (event.type) {
    case "agent.joined": return t("line.joined", { name: data.name || "" });
    case "agent.left": return data.reason === "transferred" ? "" : t("line.left", { name: data.name || "" });
    case "chat.transferred": return data.team_name ? t("line.transferred", { team: data.team_name }) : t("line.passed");
    case "chat.queued": return data.reason === "agent_gone" ? t("line.agent_gone") : "";
    case "chat.reopened": return t("line.reopened");
    case "chat.closed": return closedLine(data);
    default: return "";
  }
}

/** @param {Record<string, any>} data */
function closedLine({ by, reason }) {
  if (by === "customer") return t("line.closed.you");
  return t(reason === "idle" || reason === "customer_left" ? "line.closed.idle" : "line.closed");
}

/** @param {string} text @param {string} kind of line */
export const quiet = (text, kind) => h(`li.${kind}`, { dir: "auto" }, h("span", {}, text));

/**
 * @param {App} app
 * @param {Message} message
 * @param {{isFirst: boolean, isLast: boolean, status: string, avatar: any}} place within its group
 */
export function bubble(app, message, place) {
  const { side, name, text, attachments, at, pending } = message;
  const head = place.isFirst && side === "in" ? h("p.who", { dir: "auto" }, name) : h("span.visually-hidden", {}, `${name}: `);
  return h(`li.message.${side}${place.isFirst ? ".first" : ""}${place.isLast ? ".last" : ""}${pending?.state === "failed" ? ".failed" : ""}`, {},
    side === "in" ? h("div.avatar-place", { "aria-hidden": "true" }, place.isLast ? place.avatar : null) : null,
    h("div.stack", {}, head,
      // The text has its own direction, the bubble's tail that of the panel.
      text ? h("div.bubble", {}, h("div", { dir: "auto" }, ...body(text))) : null,
      attachments.map((file) => attachment(app, file)),
      place.isLast ? h("p.meta", {}, h("time", { datetime: at }, clock(at)), place.status ? ` · ${place.status}` : null) : null,
      pending?.state === "failed" ? failure(app, pending) : null));
}

/** @param {string} text */
function body(text) {
  if (text.length <= FOLD_AT) return linked(text);
  const shown = h("span", {}, ...linked(`${text.slice(0, FOLD_AT)}…`));
  const more = h("button.more", { type: "button" }, t("message.more"));
  more.addEventListener("click", () => {
    shown.replaceChildren(...linked(text));
    more.remove();
  });
  return [shown, more];
}

/** @param {App} app @param {Pending} pending */
function failure(app, pending) {
  const why = pending.error && pending.error !== "failed" ? ` ${t(`error.${pending.error}`)}` : "";
  const known = why.includes("error.") ? "" : why;
  return h("p.failure", {}, h("span", {}, icon("circle-alert"), ` ${t("message.failed")}${known}`),
    h("button.link", { type: "button", onclick: () => void app.client.poster.again(pending) }, t("message.again")),
    h("button.link", { type: "button", onclick: () => app.client.poster.discard(pending) }, t("message.discard")));
}

/** @param {{name?: string, avatar?: string|null}|null} agent @param {string} name */
export function avatar(agent, name) {
  const initial = h("span.avatar", {}, [...(name.trim() || "·")][0].toLocaleUpperCase());
  if (!agent?.avatar || agent.name !== name) return initial;
  const picture = h("img.avatar", { src: agent.avatar, alt: "", referrerpolicy: "no-referrer" });
  picture.addEventListener("error", () => picture.replaceWith(initial));
  return picture;
}
