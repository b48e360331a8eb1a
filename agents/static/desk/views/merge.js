// Two records of one person: find the other one, choose which stays.
import { html } from "lit-html";
import { mergeCustomers } from "../customers.js";
import { searchCustomers } from "../loads.js";
import { setUi } from "../ui.js";
import { shortTime, t } from "../words.js";
import { customerName, icon, skeleton } from "./bits.js";

/** @param {any} dialog {customer, query?, found?: {state, items}, other?, stays?} */
export function mergeForm(dialog) {
  return dialog.other ? choice(dialog) : finder(dialog);
}

/** @param {any} dialog */
function finder(dialog) {
  const onInput = (/** @type {any} */ event) => searchCustomers(dialog, event.target.value);
  return html`
    <div class="dialog-body">
      <p class="muted">${t("merge.help", { name: customerName(dialog) })}</p>
      <label class="searchbox searchbox-dialog">${icon("search")}
        <input data-focus type="search" autocomplete="off" dir="auto" placeholder=${t("merge.search")} aria-label=${t("merge.search")} .value=${dialog.query || ""} @input=${onInput} /></label>
      <div class="options" role="status">${results(dialog)}</div>
    </div>`;
}

/** @param {any} dialog */
function results(dialog) {
  const { state, items } = dialog.found || { state: "idle", items: [] };
  if (state === "idle") return html`<p class="muted">${t("merge.search.help")}</p>`;
  if (state === "busy") return skeleton(2);
  if (state === "failed") return html`<p class="muted">${t("error.offline")}</p>`;
  const others = items.filter((/** @type {any} */ item) => item.id !== dialog.customer.id);
  if (!others.length) return html`<p class="muted">${t("merge.none")}</p>`;
  return others.map((/** @type {any} */ other) => html`
    <button type="button" class="option" @click=${() => pick(dialog, other)}>${label(other)}</button>`);
}

/** @param {any} dialog @param {any} other */
function pick(dialog, other) {
  dialog.other = other;
  // What a site has vouched for stays, unless somebody decides otherwise.
  dialog.stays = other.is_identified && !dialog.customer.is_identified ? other.id : dialog.customer.id;
  setUi();
}

/** @param {any} customer */
const label = (customer) => html`
  <span class="option-who"><b dir="auto">${customerName({ customer })}</b><small dir="auto">${[customer.email, customer.phone].filter(Boolean).join(" · ")}</small></span>
  <small>${customer.is_identified ? t("customer.identified") : customer.created_at ? t("merge.since", { time: shortTime(customer.created_at) }) : ""}</small>`;

/** @param {any} dialog */
function choice(dialog) {
  const { customer, other } = dialog;
  const [kept, gone] = dialog.stays === other.id ? [other, customer] : [customer, other];
  const back = () => {
    dialog.other = null;
    setUi();
  };
  const run = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void mergeCustomers(gone.id, kept.id);
  };
  const option = (/** @type {any} */ one) => html`
    <label class="option"><input type="radio" name="stays" value=${one.id} .checked=${dialog.stays === one.id} ?data-focus=${dialog.stays === one.id}
      @change=${() => ((dialog.stays = one.id), setUi())} />${label(one)}</label>`;
  return html`
    <form class="dialog-body" @submit=${run}>
      <fieldset class="options"><legend>${t("merge.stays")}</legend>${option(customer)} ${option(other)}</fieldset>
      <p class="muted">${t("merge.effect", { gone: customerName({ customer: gone }), kept: customerName({ customer: kept }) })}</p>
      <footer class="dialog-foot"><button type="button" class="button" @click=${back}>${t("back")}</button><button class="button button-primary">${t("merge.do")}</button></footer>
    </form>`;
}
