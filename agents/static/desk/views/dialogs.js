// Questions that stand before everything else: passing on, closing, blocking, editing, help.
import { html } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { ref } from "lit-html/directives/ref.js";
import { assign, canSteer, closeChat, transfer } from "../actions.js";
import { blockCustomer, saveCustomer } from "../customers.js";
import { config, store } from "../desk.js";
import { invite } from "../guests.js";
import { setUi, ui } from "../ui.js";
import { t } from "../words.js";
import { customerName, icon } from "./bits.js";
import { mergeForm } from "./merge.js";
import { palette } from "./palette.js";
import { outboundForm, wayForm } from "./reach.js";
import { why } from "./why.js";

export function dialogs() {
  const { dialog } = ui;
  if (!dialog) return "";
  const build = DIALOGS[dialog.kind];
  const { title, body, wide } = build(dialog);
  // The browser tells of a closed dialog a moment later: by then the next one may be open.
  const closed = () => ui.dialog === dialog && shut();
  return keyed(dialog, html`
    <dialog class="dialog ${wide ? "dialog-wide" : ""} dialog-${dialog.kind}" ${ref(show)} @close=${closed} @click=${backdrop} aria-label=${title}>
      ${dialog.kind === "palette" ? "" : html`
        <header class="dialog-head"><h2>${title}</h2>
          <button class="button button-quiet button-icon" aria-label=${t("dismiss")} @click=${shut}>${icon("x")}</button></header>`}
      ${body}
    </dialog>`);
}

/** @param {Element|undefined} element */
function show(element) {
  const dialog = /** @type {HTMLDialogElement|undefined} */ (element);
  if (!dialog) return;
  // A directive runs before the element stands in the page; a modal can only be shown from there.
  queueMicrotask(() => {
    if (!dialog.isConnected || dialog.open) return;
    dialog.showModal();
    /** @type {HTMLElement|null} */ (dialog.querySelector("[data-focus]"))?.focus();
  });
}

export const shut = () => ui.dialog && setUi({ dialog: null });

/** @param {any} event */
function backdrop(event) {
  if (event.target === event.currentTarget) shut();
}

/** @type {Record<string, (dialog: any) => {title: string, body: any, wide?: boolean}>} */
const DIALOGS = {
  transfer: (dialog) => ({ title: t("transfer.title"), body: transferForm(dialog) }),
  close: (dialog) => ({ title: t("close.title"), body: closeForm(dialog) }),
  block: (dialog) => ({ title: t(dialog.customer.is_blocked ? "customer.unblock" : "customer.block"), body: blockForm(dialog) }),
  customer: (dialog) => ({ title: t("customer.edit"), body: customerForm(dialog) }),
  outbound: (form) => ({ title: form.customer ? t("outbound.to", { name: customerName(form) }) : t("outbound.open"), body: outboundForm(form), wide: true }),
  way: (form) => ({ title: t("way.open"), body: wayForm(form) }),
  merge: (dialog) => ({ title: t("merge"), body: mergeForm(dialog), wide: true }),
  help: () => ({ title: t("help.title"), body: help(), wide: true }),
  palette: () => ({ title: t("palette.open"), body: palette() }),
  why: (dialog) => ({ title: t("why.title"), body: why(dialog), wide: true }),
};

/** @param {(data: Record<string, string>) => void} run */
const submit = (run) => (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  run(Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value)])));
};

/** @param {string} label @param {string} [tone] */
const foot = (label, tone = "primary") => html`
  <footer class="dialog-foot"><button type="button" class="button" @click=${shut}>${t("cancel")}</button><button class="button button-${tone}">${label}</button></footer>`;

/** @param {any} dialog */
function transferForm({ chat }) {
  const { teams, colleagues, agent } = store.state;
  const current = store.thread(chat).chat;
  const free = colleagues.filter((other) => other.id !== agent?.id && other.id !== current?.agent_id && other.status !== "offline");
  const run = submit(({ target, note }) => {
    const [kind, id] = (target || "").split(":");
    if (!id) return;
    if (kind === "assign") void assign(chat, id, note.trim());
    else void transfer(chat, { [kind]: id, ...(note.trim() ? { note: note.trim() } : {}) });
  });
  const kind = canSteer() && current?.agent_id !== agent?.id ? "assign" : "agent";
  return html`
    <form class="dialog-body" @submit=${run}>
      <p class="muted">${t("transfer.help", { name: customerName(current) })}</p>
      <fieldset class="options"><legend>${t("transfer.teams")}</legend>
        ${teams.map((team, at) => html`<label class="option"><input type="radio" name="target" value="team:${team.id}" ?data-focus=${at === 0} required /><span dir="auto">${team.name}</span>
          ${team.id === current?.team?.id ? html`<small>${t("transfer.same")}</small>` : ""}</label>`)}
      </fieldset>
      <fieldset class="options"><legend>${t("transfer.agents")}</legend>
        ${free.length ? "" : html`<p class="muted">${t("transfer.nobody")}</p>`}
        ${free.map((other) => html`<div class="option-line"><label class="option"><input type="radio" name="target" value="${kind}:${other.id}" required /><i class="dot dot-${other.status}"></i><span dir="auto">${other.name}</span>
          <small>${t(other.used >= other.capacity ? "transfer.full" : "slots", { used: other.used, capacity: other.capacity })}</small></label>
          ${current?.state === "active" ? inviteButton(current, other) : ""}</div>`)}
      </fieldset>
      <div class="field"><label for="transfer-note">${t("transfer.note")}</label><textarea id="transfer-note" name="note" rows="2" maxlength="10000" dir="auto"></textarea><span class="field-help">${t("note.only_team")}</span></div>
      ${foot(t("transfer"))}
    </form>`;
}

/** Beside a colleague: ask in without giving the chat away. @param {any} chat @param {any} other */
function inviteButton(chat, other) {
  const guest = (chat.guests || []).find((/** @type {any} */ one) => one.id === other.id);
  if (guest) return html`<small class="tag">${guest.state === "joined" ? t("guest.here") : t("guest.invited")}</small>`;
  return html`
    <button type="button" class="button button-quiet" aria-label=${t("guest.invite_name", { name: other.name })} title=${t("guest.invite.help")} @click=${() => invite(chat.id, other)}>
      ${icon("users")}${t("guest.invite")}</button>`;
}

/** @param {any} dialog */
function closeForm({ chat }) {
  const run = submit(({ disposition, comment }) => {
    void closeChat(chat, { ...(disposition ? { disposition } : {}), ...(comment.trim() ? { comment: comment.trim() } : {}) });
  });
  return html`
    <form class="dialog-body" @submit=${run}>
      <p class="muted">${t("close.help", { name: customerName(store.thread(chat).chat) })}</p>
      ${ui.dispositions.length ? html`
        <fieldset class="options options-tight"><legend>${t("close.disposition")}</legend>
          ${ui.dispositions.map((item, at) => html`<label class="option"><input type="radio" name="disposition" value=${item.id} ?data-focus=${at === 0} /><span dir="auto">${item.name}</span></label>`)}
        </fieldset>` : ""}
      <div class="field"><label for="close-comment">${t("close.comment")}</label><textarea id="close-comment" name="comment" rows="2" maxlength="2000" dir="auto"></textarea></div>
      ${foot(t("close"))}
    </form>`;
}

/** @param {any} dialog */
function blockForm({ customer }) {
  const run = submit(({ reason }) => void blockCustomer(customer.id, !customer.is_blocked, reason || ""));
  return html`
    <form class="dialog-body" @submit=${run}>
      <p class="muted">${t(customer.is_blocked ? "customer.unblock.help" : "customer.block.help")}</p>
      ${customer.is_blocked ? "" : html`<div class="field"><label for="block-reason">${t("customer.block.reason")}</label><input id="block-reason" name="reason" maxlength="200" data-focus dir="auto" /></div>`}
      ${foot(t(customer.is_blocked ? "customer.unblock" : "customer.block"), customer.is_blocked ? "primary" : "danger")}
    </form>`;
}

/** @param {any} dialog */
function customerForm({ customer }) {
  const run = submit(async (values) => (await saveCustomer(customer.id, values)) && shut());
  const field = (/** @type {string} */ name, /** @type {string} */ type, /** @type {number} */ max) => html`
    <div class="field"><label for="customer-${name}">${t(`field.${name}`)}</label><input id="customer-${name}" name=${name} type=${type} maxlength=${max} value=${customer[name] || ""} dir="auto" autocomplete="off" /></div>`;
  return html`<form class="dialog-body" @submit=${run}>${field("name", "text", 100)}${field("email", "email", 254)}${field("phone", "tel", 32)}${foot(t("save"))}</form>`;
}

const KEYS = [
  ["j", "k"], ["Enter"], ["r"], ["n"], ["a"], ["d"], ["t"], ["e"], ["c"], ["g"], ["/"], ["⌘", "K"], ["i"], ["Esc"], ["?"],
];

function help() {
  const mac = /Mac/.test(navigator.platform);
  return html`
    <div class="dialog-body"><p class="muted">${t("help.text", { name: config.center.name })}</p>
      <dl class="keys">${KEYS.map((keys) => html`<dt>${keys.map((key) => html`<kbd>${key === "⌘" && !mac ? "Ctrl" : key}</kbd>`)}</dt><dd>${t(`help.${keys.join("").replace("⌘", "mod")}`)}</dd>`)}</dl>
    </div>`;
}
