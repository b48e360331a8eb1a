// Making elements. Text goes in as text, never as markup; addresses of links are checked by who makes them.

const ICONS = new URL("../design/icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node|string|null|undefined|false} Child */

/**
 * @param {string} tag "button.primary.wide": a name and classes
 * @param {Record<string, any>} [attributes] on… are listeners; true = present; false, null = absent
 * @param {...(Child|Child[])} children
 * @returns {any} the element; typed by who asks
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== "").map(asNode));
  return node;
}

/** @param {any} child @returns {Node} */
const asNode = (child) => (typeof child === "string" ? document.createTextNode(child) : child);

/** @param {string} name of the sprite @param {string} [kind] more classes */
export function icon(name, kind = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${kind}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} name @param {string} label @param {Record<string, any>} attributes */
export function iconButton(name, label, attributes) {
  const { class: kind = "", ...rest } = attributes;
  return h(`button.icon-button${kind ? `.${kind}` : ""}`, { type: "button", "aria-label": label, title: label, ...rest }, icon(name));
}

/**
 * Makes a list show the items in their order, touching only what changed.
 * @param {HTMLElement} list
 * @param {{key: string, state: string, make: () => HTMLElement}[]} items `state`: what the element was drawn from
 */
export function reconcile(list, items) {
  /** @type {Map<string, HTMLElement>} */
  const held = new Map();
  for (const node of /** @type {any} */ (list.children)) held.set(node.dataset.key, node);
  /** @type {Element|null} */
  let at = list.firstElementChild;
  for (const { key, state, make } of items) {
    let node = held.get(key);
    if (!node || node.dataset.state !== state) {
      const made = make();
      made.dataset.key = key;
      made.dataset.state = state;
      if (node) {
        if (at === node) at = node.nextElementSibling;
        node.remove();
      }
      node = made;
    }
    held.delete(key);
    if (node === at) at = at.nextElementSibling;
    else list.insertBefore(node, at);
  }
  for (const node of held.values()) node.remove();
}

/** Text with its web addresses made links; everything else stays text. @param {string} text @returns {Node[]} */
export function linked(text) {
  /** @type {Node[]} */
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}»”’]/gi)) {
    if (!isWebAddress(found[0])) continue;
    nodes.push(document.createTextNode(text.slice(from, found.index)));
    nodes.push(h("a", { href: found[0], target: "_blank", rel: "noopener noreferrer nofollow" }, found[0]));
    from = found.index + found[0].length;
  }
  nodes.push(document.createTextNode(text.slice(from)));
  return nodes;
}

/** @param {string} text */
function isWebAddress(text) {
  try {
    return ["http:", "https:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
