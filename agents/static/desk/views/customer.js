// The third column: who the customer is, how to reach them, what came before.
import { html } from "lit-html";
import { openChat } from "../actions.js";
import { saveCustomer } from "../customers.js";
import { store } from "../desk.js";
import { loadCustomer } from "../loads.js";
import { setUi, ui } from "../ui.js";
import { clockIn, languageName, moment, shortTime, t, tOr } from "../words.js";
import { blank, customerName, face, icon, safeLink, skeleton } from "./bits.js";
import { channelIcon, channelWay } from "./channel.js";
import { fact } from "./offline.js";
import { reachButton } from "./reach.js";
import { pairs } from "./values.js";

export function customerPanel() {
  const chat = ui.open ? store.state.threads.get(ui.open)?.chat : null;
  if (!chat?.customer) return html`<aside class="column customer" aria-label=${t("customer.label")}>${blank("circle-user", t("customer.none"))}</aside>`;
  const known = ui.customers.get(chat.customer.id);
  const customer = { ...chat.customer, ...known?.customer };
  return html`
    <aside class="column customer" aria-label=${t("customer.label")}>
      <header class="customer-head">
        <button class="button button-quiet button-icon only-narrow" aria-label=${t("back")} @click=${() => setUi({ pane: "thread" })}>${icon("arrow-left")}</button>
        ${face(customerName(chat), "face-large")}
        <div>
          <h2 dir="auto">${customerName({ customer })}</h2>
          <p>${customer.is_identified ? html`${icon("circle-check")}${t("customer.identified")}` : html`${icon("circle-help")}${t("customer.anonymous")}`}</p>
        </div>
        ${customer.erased_at ? "" : html`<button class="button button-quiet button-icon" aria-label=${t("customer.edit")} title=${t("customer.edit")} @click=${() => setUi({ dialog: { kind: "customer", customer } })}>${icon("pencil")}</button>`}
      </header>
      <div class="customer-body">
        ${customer.erased_at ? html`<p class="banner">${icon("trash-2")}${t("customer.is_erased")}</p>` : ""}
        ${customer.is_blocked ? html`<p class="banner banner-danger">${icon("ban")}${t("customer.is_blocked")}</p>` : ""}
        ${reach(customer)} ${reachButton(chat, customer)} ${thisChat(chat)} ${known?.state === "busy" && !known.customer ? skeleton(3) : ""}
        ${known?.state === "failed" ? html`<p class="banner">${icon("cloud-off")}<span>${t("customer.failed")} <button class="button-link" @click=${() => loadCustomer(customer.id)}>${t("retry")}</button></span></p>` : ""}
        ${data(customer.data)} ${known?.customer && !customer.erased_at ? notes(customer) : ""} ${earlier(chat, known)}
        ${known?.customer && !customer.erased_at ? html`
          <button class="button button-quiet customer-merge" @click=${() => setUi({ dialog: { kind: "merge", customer } })}>${icon("users")}${t("merge")}</button>
          <button class="button button-quiet customer-block" @click=${() => setUi({ dialog: { kind: "block", customer } })}>${icon("ban")}${t(customer.is_blocked ? "customer.unblock" : "customer.block")}</button>` : ""}
      </div>
    </aside>`;
}

/** @param {any} customer */
function reach(customer) {
  const local = clockIn(customer.time_zone);
  const facts = [
    fact("mail", t("field.email"), customer.email ? html`<a href="mailto:${encodeURIComponent(customer.email).replace("%40", "@")}">${customer.email}</a>` : ""),
    fact("phone", t("field.phone"), customer.phone ? html`<a href="tel:${customer.phone.replace(/[^\d+]/g, "")}">${customer.phone}</a>` : ""),
    fact("languages", t("field.language"), customer.language ? languageName(customer.language) : ""),
    fact("clock", t("field.local_time"), local ? `${local} (${customer.time_zone})` : ""),
    fact("user", t("field.external_id"), customer.external_id),
  ];
  return html`<dl class="facts">${facts}</dl>`;
}

/** @param {any} chat */
function thisChat(chat) {
  const data = chat.data || {};
  return section(t("customer.this_chat"), html`
    <dl class="facts">
      ${fact("link", t("field.page"), chat.page?.url ? safeLink(chat.page.url, chat.page.title || chat.page.url) : "")}
      ${fact("tag", t("field.subject"), chat.subject)} ${fact(channelIcon(chat), t("field.channel"), [...new Set([channelWay(chat), chat.channel?.name])].filter(Boolean).join(" · "))}
      ${fact("at-sign", t("field.account"), chat.delivery?.account)}
      ${fact("calendar", t("field.started"), chat.started_at ? moment(chat.started_at) : "")}
      ${fact("sparkles", t("field.skills"), chat.skills?.join(", "))} ${fact("archive", t("field.disposition"), chat.disposition?.name || chat.disposition)}
    </dl>
    ${Object.keys(data).length ? pairs(data) : ""}`);
}

/** @param {Record<string, any>} values */
function data(values) {
  return Object.keys(values || {}).length ? section(t("customer.data"), pairs(values)) : "";
}

/** @param {string} title @param {any} content */
const section = (title, content) => html`<section class="customer-section"><h3>${title}</h3>${content}</section>`;

/** @param {any} customer */
function notes(customer) {
  const save = (/** @type {any} */ { target }) => {
    if (target.value !== (customer.notes || "")) void saveCustomer(customer.id, { notes: target.value });
  };
  return section(t("customer.notes"), html`
    <textarea class="input notes" rows="3" maxlength="10000" dir="auto" aria-label=${t("customer.notes")} placeholder=${t("customer.notes.placeholder")}
      .defaultValue=${customer.notes || ""} @change=${save}></textarea>`);
}

/** @param {any} chat @param {any} known */
function earlier(chat, known) {
  const others = (known?.chats || []).filter((/** @type {any} */ other) => other.id !== chat.id);
  if (!known || known.state === "busy") return "";
  return section(t("customer.earlier"), others.length
    ? html`<ul class="earlier">${others.map((/** @type {any} */ other) => html`
        <li><button class="earlier-item" @click=${() => openChat(other.id)}>
          <span class="row-top"><b dir="auto">${other.subject || other.team?.name || t("chat")}</b><time>${shortTime(other.started_at)}</time></span>
          <span class="row-text" dir="auto">${other.last_message?.text || tOr(`closed.${other.close_reason}`, "")}</span>
        </button></li>`)}</ul>`
    : html`<p class="muted">${t("customer.earlier.none")}</p>`);
}
