// Files that lie elsewhere, as cards. Never loaded from here: that would tell where the agent sits, and when a message is read.
import { html } from "lit-html";
import { hostOf, linkName } from "../lines.js";
import { t } from "../words.js";
import { icon } from "./bits.js";

/** @param {import("../log.js").Link} link */
export function linked(link) {
  const host = hostOf(link.url);
  const name = linkName(link);
  // Anything but an address of the web stays the text that it is.
  if (!host) return html`<p class="file linked">${icon("link")}<span><b dir="auto">${name}</b></span></p>`;
  return html`
    <a class="file linked" href=${link.url} target="_blank" rel="noopener noreferrer" title=${link.url}>
      ${icon("link")}<span><b dir="auto">${name}</b><small>${name === host ? "" : html`<bdi dir="ltr">${host}</bdi> · `}${t("link.external")}</small></span>${icon("external-link")}
    </a>`;
}
