// The top bar: whose desk it is, the connection's true state, status, slots, and the menu.
import { html } from "lit-html";
import { setStatus } from "../actions.js";
import { notifying, toggleNotify } from "../alerts.js";
import { config, socket, store } from "../desk.js";
import { setTheme, setUi, theme, ui } from "../ui.js";
import { t } from "../words.js";
import { icon } from "./bits.js";

const STATUSES = ["online", "away", "offline"];
const STATUS_ICONS = { online: "circle-check", away: "clock", offline: "circle-x" };

export function topbar() {
  const { agent } = store.state;
  const status = agent?.status || "offline";
  return html`
    <header class="topbar">
      <a class="topbar-brand" href="#/" @click=${goHome}>
        <span class="brand-mark brand-mark-small">${icon("messages-square")}</span>
        <h1 class="topbar-name" dir="auto">${config.center.name}</h1>
      </a>
      ${connection()}
      <button class="topbar-search" @click=${() => setUi({ dialog: { kind: "palette" } })}>
        ${icon("search")}<span>${t("palette.open")}</span><kbd>${isMac() ? "⌘" : "Ctrl"} K</kbd>
      </button>
      <div class="topbar-end">
        ${slots(agent)}
        <details class="menu" name="topbar">
          <summary class="status status-${status}" aria-label=${t("status.label", { status: t(`status.${status}`) })}>
            <span class="dot dot-${status}"></span><span class="status-word">${t(`status.${status}`)}</span>${icon("chevron-down")}
          </summary>
          <div class="menu-list" role="menu">
            ${STATUSES.map(
              (value) => html`
                <button role="menuitemradio" aria-checked=${value === status} class="menu-item" @click=${pickStatus(value)}>
                  <span class="status-${value} menu-icon">${icon(/** @type {any} */ (STATUS_ICONS)[value])}</span>
                  <span><b>${t(`status.${value}`)}</b><small>${t(`status.${value}.help`)}</small></span>
                  ${value === status ? icon("check", "menu-check") : ""}
                </button>`,
            )}
          </div>
        </details>
        ${mainMenu()}
      </div>
    </header>`;
}

/** Closes the menu that the clicked item stands in. @param {Event} event */
function shut(event) {
  /** @type {HTMLElement} */ (event.currentTarget).closest("details")?.removeAttribute("open");
}

/** @param {string} status */
const pickStatus = (status) => (/** @type {Event} */ event) => {
  shut(event);
  void setStatus(status);
};

/** @param {Event} event */
function goHome(event) {
  event.preventDefault();
  setUi({ pane: "list" });
}

/** @param {any} agent */
function slots(agent) {
  const used = agent?.used ?? agent?.slots?.used;
  const capacity = agent?.capacity ?? agent?.slots?.capacity;
  if (used === undefined || capacity === undefined) return "";
  const isFull = used >= capacity;
  return html`
    <span class="slots ${isFull ? "slots-full" : ""}" title=${t(isFull ? "slots.full" : "slots.help")}>
      <span class="slots-pips" aria-hidden="true">
        ${Array.from({ length: Math.min(capacity, 8) }, (_, n) => html`<i class=${n < used ? "pip pip-used" : "pip"}></i>`)}
      </span>
      ${t("slots", { used, capacity })}
    </span>`;
}

function connection() {
  const { link } = store.state;
  if (link.state === "live") {
    return html`<span class="link link-live" role="status">${icon("wifi")}<span>${t("link.live")}</span></span>`;
  }
  if (link.state === "signed_out") return "";
  const seconds = link.retryAt ? Math.max(0, Math.ceil((link.retryAt - Date.now()) / 1000)) : 0;
  return html`
    <span class="link link-${link.state}" role="status">
      ${icon(link.state === "stale" ? "wifi-off" : "loader-circle", link.state === "connecting" ? "spin" : "")}
      <span>${t(link.state === "stale" ? "link.stale" : "link.connecting")}</span>
      ${seconds > 1 ? html`<button class="button-link" @click=${() => socket.wake()}>${t("link.retry", { seconds })}</button>` : ""}
    </span>`;
}

function mainMenu() {
  const chosen = theme();
  return html`
    <details class="menu" name="topbar">
      <summary class="button button-quiet button-icon" aria-label=${t("menu")}>${icon("menu")}</summary>
      <div class="menu-list menu-wide">
        <p class="menu-head" dir="auto">${config.agent.name}</p>
        <div class="segment" role="radiogroup" aria-label=${t("theme")}>
          ${["light", "system", "dark"].map(
            (value) => html`
              <button role="radio" aria-checked=${value === chosen} class="segment-item" @click=${() => setTheme(/** @type {any} */ (value))}>
                ${icon(value === "light" ? "sun" : value === "dark" ? "moon" : "monitor")}${t(`theme.${value}`)}
              </button>`,
          )}
        </div>
        <form method="post" action=${config.languageUrl} class="menu-languages">
          <input type="hidden" name="csrfmiddlewaretoken" value=${config.csrf} />
          <input type="hidden" name="next" value=${location.pathname} />
          ${config.languages.map(
            ({ code, name }) => html`<button class="segment-item" name="language" value=${code} lang=${code} aria-pressed=${code === config.language}>${name}</button>`,
          )}
        </form>
        <button class="menu-item" @click=${toggleSound}>${icon(ui.sound ? "volume-2" : "volume-x")}<span>${t(ui.sound ? "sound.on" : "sound.off")}</span></button>
        <button class="menu-item" @click=${toggleNotify}>${icon(notifying() === "on" ? "bell" : "bell-off")}<span>${t(`notify.${notifying()}`)}</span></button>
        <button class="menu-item" @click=${(/** @type {Event} */ e) => (shut(e), setUi({ dialog: { kind: "help" } }))}>${icon("keyboard")}<span>${t("help.title")}</span></button>
        ${config.seatsUrl ? html`<a class="menu-item" href=${config.seatsUrl}>${icon("users")}<span>${t("menu.seats")}</span></a>` : ""}
        ${config.adminUrl ? html`<a class="menu-item" href=${config.adminUrl}>${icon("settings")}<span>${t("menu.admin")}</span></a>` : ""}
        <a class="menu-item" href=${config.accountUrl}>${icon("lock")}<span>${t("menu.account")}</span></a>
        <form method="post" action=${config.signOutUrl}>
          <input type="hidden" name="csrfmiddlewaretoken" value=${config.csrf} />
          <button class="menu-item">${icon("log-out")}<span>${t("menu.sign_out")}</span></button>
        </form>
      </div>
    </details>`;
}

export function toggleSound() {
  localStorage.setItem("desk.sound", ui.sound ? "off" : "on");
  setUi({ sound: !ui.sound });
}

const isMac = () => /Mac|iP(hone|ad)/.test(navigator.platform);
