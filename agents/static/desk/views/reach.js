// Forms that reach out: a first message to somebody, another way for an open chat.
import { html } from "lit-html";
import { isSupervisor, store } from "../desk.js";
import { chooseChannel, chooseWay, goOnBy, outboundChannel, writeFirst, writeTo } from "../reach.js";
import { isByConnector } from "../travel.js";
import { setUi, ui } from "../ui.js";
import { t } from "../words.js";
import { blank, customerName, icon, skeleton } from "./bits.js";
import { channelIcon, channelName } from "./channel.js";
import { focusComposer } from "./composer.js";
import { smsCount } from "./travel.js";

/** Whether we may choose how the chat goes on: its agent, or a supervisor. @param {import("../store.js").Thread|undefined} thread */
export function mayMove(thread) {
  const chat = thread?.chat;
  if (!chat || chat.state === "closed" || isByConnector(chat) || !ui.outbound.length) return false;
  return isSupervisor || (store.state.mine.has(chat.id) && chat.state === "active" && !chat.guest);
}

/** In a chat's head. @param {import("../store.js").Thread} thread */
export const wayButton = (thread) =>
  mayMove(thread)
    ? html`<button class="button button-quiet way-button" aria-label=${t("way.open")} title="${t("way.open")} (G)" @click=${() => chooseWay(thread.id)}>${icon(channelIcon(thread.chat))}${icon("chevron-down")}</button>`
    : "";

/** Beside the list. */
export const newButton = () =>
  ui.outbound.length
    ? html`<button class="button button-icon list-new" aria-label=${t("outbound.open")} title="${t("outbound.open")} (C)" @click=${() => writeTo()}>${icon("message-square-plus")}</button>`
    : "";

/** In the customer's column: a new message, or another way for the chat that is open. @param {any} chat @param {any} customer */
export function reachButton(chat, customer) {
  if (mayMove(store.thread(chat.id))) return button("arrow-right-left", t("way.open"), () => chooseWay(chat.id));
  if (chat.state !== "closed" || !ui.outbound.length || customer.is_blocked || customer.erased_at) return "";
  return button("message-square-plus", t("outbound.to", { name: customerName({ customer }) }), () => writeTo(customer));
}

/** @param {string} name @param {string} label @param {() => void} run */
const button = (name, label, run) => html`<button class="button customer-reach" @click=${run}>${icon(name)}<span dir="auto">${label}</span></button>`;

/** @param {any} form of reach.writeTo */
export function outboundForm(form) {
  const { values } = form;
  const kind = outboundChannel(values.channel)?.kind || "";
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => {
    values[name] = event.target.value;
    setUi();
  };
  const isReady = values.channel && values.address.trim() && values.text.trim() && !form.busy;
  const run = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (isReady) void writeFirst(form).then((done) => (done ? focusComposer() : focusError()));
  };
  return html`
    <form class="dialog-body" novalidate @submit=${run}>
      <fieldset class="options"><legend>${t("field.channel")}</legend>
        ${ui.outbound.map((channel) => html`
          <label class="option"><input type="radio" name="channel" value=${channel.id} .checked=${channel.id === values.channel} @change=${() => chooseChannel(form, channel)} />
            ${icon(channelIcon({ channel }))}<span dir="auto">${channel.name}</span><small>${channelName({ channel })}</small></label>`)}
        ${errorOf(form, "channel")}
      </fieldset>
      ${field(form, "address", t(ADDRESSES[kind] || "field.account"), html`
        <input id="reach-address" data-focus type=${kind === "email" ? "email" : "tel"} maxlength="254" dir="ltr" autocomplete="off" aria-invalid=${Boolean(form.errors.address)}
          aria-describedby="reach-address-error" placeholder=${kind === "email" ? "mia@example.com" : "+49 170 1234567"} .value=${values.address} @input=${set("address")} />`)}
      ${kind === "email" ? field(form, "subject", t("field.subject"), html`
        <input id="reach-subject" type="text" maxlength="200" dir="auto" aria-invalid=${Boolean(form.errors.subject)} aria-describedby="reach-subject-error" .value=${values.subject} @input=${set("subject")} />`) : ""}
      ${field(form, "text", t("outbound.text"), html`
        <textarea id="reach-text" rows="5" maxlength="10000" dir="auto" aria-invalid=${Boolean(form.errors.text)} aria-describedby="reach-text-error reach-count" .value=${values.text} @input=${set("text")}></textarea>
        <span id="reach-count" class="field-help">${kind === "sms" ? smsCount(values.text) : ""}</span>`)}
      ${foot(form, t("send"), isReady)}
    </form>`;
}

/** What an address is called. @type {Record<string, string>} */
const ADDRESSES = { sms: "field.phone", email: "field.email" };

/** @param {any} form of reach.chooseWay */
export function wayForm(form) {
  if (form.state === "busy") return html`<div class="dialog-body">${skeleton(2)}</div>`;
  if (form.state === "failed") return html`<div class="dialog-body">${blank("cloud-off", t("way.failed"), "", html`<button class="button" @click=${() => chooseWay(form.chat)}>${t("retry")}</button>`)}</div>`;
  const options = waysOf(form);
  const chosen = options.find((way) => way.key === form.choice) || options[0];
  if (!options.length) return html`<div class="dialog-body">${blank("search", t("way.none"), t("way.none.help"))}</div>`;
  const isReady = !form.busy;
  const run = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (isReady) void goOnBy(form, { channel: chosen.channel.id, address: chosen.address }).then((done) => (done ? focusComposer() : focusError()));
  };
  return html`
    <form class="dialog-body" novalidate @submit=${run}>
      <p class="muted">${t("way.help", { name: customerName(store.thread(form.chat).chat) })}</p>
      <fieldset class="options"><legend>${t("field.channel")}</legend>${options.map((way) => option(form, way, way === chosen))}</fieldset>
      ${foot(form, t("way.do"), isReady)}
    </form>`;
}

/** Every address of every channel, but the one that the chat has now. @param {any} form @returns {{key: string, channel: any, address: string}[]} */
function waysOf(form) {
  const chat = /** @type {any} */ (store.thread(form.chat).chat);
  const isNow = (/** @type {any} */ channel, /** @type {string} */ address) => chat.channel?.id === channel.id && chat.delivery?.account === address;
  const all = form.ways.flatMap((/** @type {any} */ { channel, addresses }) => addresses.map((/** @type {string} */ address) => ({ key: `${channel.id} ${address}`, channel, address })));
  return all.filter((/** @type {any} */ { channel, address }) => !isNow(channel, address));
}

/** @param {any} form @param {{key: string, channel: any, address: string}} way @param {boolean} isChosen */
function option(form, { key, channel, address }, isChosen) {
  const choose = () => ((form.choice = key), setUi());
  // The network's own ids tell nobody anything.
  const name = channel.kind === "facebook" ? channelName({ channel }) : address;
  return html`
    <label class="option"><input type="radio" name="way" value=${key} .checked=${isChosen} ?data-focus=${isChosen} @change=${choose} />
      ${icon(channelIcon({ channel }))}<bdi>${name}</bdi><small dir="auto">${channel.name}</small></label>`;
}

/** @param {any} form @param {string} name @param {string} label @param {any} input */
const field = (form, name, label, input) => html`<div class="field"><label for="reach-${name}">${label}</label>${input}${errorOf(form, name)}</div>`;

/** Stands there before it says something, so that it is heard. @param {any} form @param {string} name */
const errorOf = (form, name) => html`<span id="reach-${name}-error" class="field-error" role="alert">${form.errors[name] || ""}</span>`;

/** @param {any} form @param {string} label @param {any} isReady */
const foot = (form, label, isReady) => html`
  ${form.error ? html`<p class="banner banner-danger" role="alert">${icon("circle-alert")}<span dir="auto">${form.error}</span></p>` : ""}
  <footer class="dialog-foot">
    <button type="button" class="button" @click=${() => setUi({ dialog: null })}>${t("cancel")}</button>
    <button class="button button-primary" ?disabled=${!isReady}>${form.busy ? icon("loader-circle", "spin") : ""}${label}</button>
  </footer>`;

function focusError() {
  requestAnimationFrame(() => /** @type {HTMLElement|null} */ (document.querySelector('dialog [aria-invalid="true"]'))?.focus());
}
