// Events as quiet single lines: who joined, where it was passed on, why it ended.
import { html } from "lit-html";
import { setUi } from "../ui.js";
import { clock, moment, t, tOr } from "../words.js";
import { icon } from "./bits.js";
import { channelName } from "./channel.js";

/** @type {Record<string, string>} */
const ICONS = {
  "chat.started": "message-square-plus", "chat.queued": "hourglass", "search.failed": "signal-zero", "routing.decided": "sparkles",
  "invitation.declined": "x", "invitation.expired": "timer", "invitation.withdrawn": "undo-2", "agent.joined": "user-check", "guest.invited": "users", "guest.declined": "user-x", "chat.updated": "pencil",
  "agent.left": "user-x", "chat.transferred": "arrow-right-left", "customer.reminded": "bell", "customer.updated": "pencil",
  "chat.moved": "corner-down-left", "message.failed": "circle-alert", "message.resent": "send", "chat.closed": "archive", "chat.disposed": "tag", "chat.erased": "trash-2", "chat.reopened": "undo-2", "survey.answered": "star",
};

/**
 * @param {import("../log.js").Event} event
 * @param {import("../store.js").Thread} thread
 */
export function quiet(event, thread) {
  return html`
    <div class="line-quiet" data-position=${event.position} data-type=${event.type}>
      ${icon(ICONS[event.type] || "circle")}
      <span dir="auto">${sentence(event, thread)}</span>
      <time datetime=${event.at} title=${moment(event.at)}>${clock(event.at)}</time>
    </div>`;
}

/** @param {import("../log.js").Event} event @param {import("../store.js").Thread} thread */
function sentence(event, thread) {
  const data = event.data || {};
  const build = SENTENCES[event.type];
  return build ? build(data, event, thread) : tOr(`event.${event.type}`, event.type);
}

/** A team may come as its name, its id, or an object with a name. @param {any} team @param {any} thread */
const teamName = (team, thread) => (typeof team === "string" && !/^[0-9a-f-]{32,36}$/.test(team) ? team : team?.name) || thread.chat?.team?.name || "";

/** @type {Record<string, (data: any, event: import("../log.js").Event, thread: import("../store.js").Thread) => any>} */
const SENTENCES = {
  "chat.started": (data, _event, thread) => t(data.subject ? "event.chat.started.subject" : "event.chat.started", { team: teamName(data.team, thread), subject: data.subject }),
  "chat.queued": (data, _event, thread) => tOr(`event.chat.queued.${data.reason}`, t("event.chat.queued")).replace("{team}", data.team_name || teamName(data.team, thread)),
  "routing.decided": (data, event, thread) => {
    const chosen = chosenName(data);
    const why = () => setUi({ dialog: { kind: "why", chat: thread.id, position: event.position } });
    return html`${chosen ? t("event.routing.chosen", { name: chosen }) : t("event.routing.none")}
      <button class="button-link why" @click=${why}>${t(chosen ? "why.open" : "why.open_none")}</button>`;
  },
  "invitation.declined": (data) => t("event.invitation.declined", { name: data.name }),
  "invitation.expired": (data) => t("event.invitation.expired", { name: data.name }),
  "invitation.withdrawn": (data) => t("event.invitation.withdrawn", { name: data.name }),
  "agent.joined": (data, event) => t("event.agent.joined", { name: data.name || event.sender?.name }),
  "agent.left": (data, event) => t("event.agent.left", { name: data.name || event.sender?.name }),
  "guest.invited": (data) => t("event.guest.invited", { name: data.name }),
  "guest.declined": (data) => t("event.guest.declined", { name: data.name }),
  "chat.updated": (data) => t("event.chat.updated", { fields: Object.keys(data.changed || {}).join(", ") }),
  "chat.transferred": (data, _event, thread) => t("event.chat.transferred", { name: data.agent_name || data.name || data.team_name || teamName(data.team, thread) }),
  "chat.moved": (data) => moved(data, channelName({ channel: { kind: data.channel, name: data.name } })),
  "message.failed": (_data, event) => t("lost", { reason: failureReason(event) }),
  "message.resent": () => t("event.message.resent"),
  "customer.reminded": (_data, event) => t("event.customer.reminded", { text: event.text || "" }),
  "customer.updated": (data) => t("event.customer.updated", { fields: Object.keys(data.changed || {}).map((field) => tOr(`field.${field}`, field)).join(", ") }),
  "chat.closed": (data) => tOr(`event.chat.closed.${data.reason === "done" ? data.by : data.reason}`, t("event.chat.closed")),
  "chat.disposed": (data) => t("event.chat.disposed", { name: [data.name || data.disposition_name || data.disposition, data.comment].filter(Boolean).join(" – ") }),
  "survey.answered": (data) => t("event.survey.answered", { stars: data.rating ? "★".repeat(data.rating) + "☆".repeat(5 - data.rating) : "", comment: data.comment || "" }),
};

/** The address as the network writes it; Facebook's own ids tell nobody anything. @param {any} data @param {string} channel */
function moved(data, channel) {
  if (!data.address || data.channel === "facebook") return t("event.chat.moved", { channel });
  return t("event.chat.moved.to", { channel, address: `\u2068${data.address}\u2069` });
}

/** Why a message did not arrive: in our words where its code has some, else in the network's. @param {import("../log.js").Event} event @returns {string} */
export function failureReason({ data }) {
  const own = { stopped: t("lost.stopped"), window: t("lost.window"), account: t("lost.account") }[/** @type {string} */ (data?.code)];
  return own || (data?.error ? `\u2068${data.error}\u2069` : t("lost.unknown"));
}

/** @param {any} data of a routing decision */
export function chosenName(data) {
  if (!data.chosen) return "";
  const id = data.chosen.agent || data.chosen.id || data.chosen;
  return data.chosen.name || (data.eligible || []).find((/** @type {any} */ item) => item.agent === id)?.name || "";
}
