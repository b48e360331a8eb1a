// The whole page: top bar, three columns, dialogs, short notices.
import { html } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { config, store } from "../desk.js";
import { dismissToast, ui } from "../ui.js";
import { t } from "../words.js";
import { icon } from "./bits.js";
import { customerPanel } from "./customer.js";
import { dialogs } from "./dialogs.js";
import { list } from "./list.js";
import { conversation } from "./thread.js";
import { topbar } from "./topbar.js";

export function app() {
  const { link } = store.state;
  const withPanel = ui.open && !ui.open.startsWith("offline:") && ui.panel;
  return html`
    ${topbar()} ${signedOut()}
    <main class="desk pane-${ui.pane} ${withPanel ? "desk-panel" : ""} ${link.state === "stale" ? "desk-stale" : ""}">
      ${list()} ${conversation()} ${withPanel || ui.pane === "customer" ? customerPanel() : ""}
    </main>
    ${dialogs()}
    <div class="toasts" role="status">${repeat(ui.toasts, (item) => item.id, toastView)}</div>`;
}

function signedOut() {
  const { link } = store.state;
  if (link.state !== "signed_out") return "";
  return html`<div class="strip" role="alert">${icon("lock")}<span>${t("signed_out")}</span><a class="button" href=${config.signInUrl}>${t("sign_in")}</a></div>`;
}

/** @param {(typeof ui.toasts)[number]} item */
const toastView = (item) => html`
  <div class="toast toast-${item.tone}" role=${item.tone === "danger" ? "alert" : "status"}>
    ${icon(item.tone === "danger" ? "circle-alert" : "circle-check")}<span>${item.text}</span>
    ${item.action ? html`<button class="button-link" @click=${item.action.run}>${item.action.label}</button>` : ""}
    <button class="button button-quiet button-icon" aria-label=${t("dismiss")} @click=${() => dismissToast(item.id)}>${icon("x")}</button>
  </div>`;
