// Readable colours from one accent, whatever it is: text on it, itself as text, and a soft ground, for light and dark.

/** @typedef {[number, number, number]} Rgb */

const WHITE = /** @type {Rgb} */ ([255, 255, 255]);
const INK = /** @type {Rgb} */ ([23, 28, 40]);
const GROUNDS = { light: WHITE, dark: /** @type {Rgb} */ ([20, 24, 33]) };
const READABLE = 4.5; // WCAG 2.2, 1.4.3

/** @param {string} text #rrggbb @returns {Rgb|null} */
export function parseColor(text) {
  const found = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text || "");
  return found && /** @type {Rgb} */ (found.slice(1).map((part) => parseInt(part, 16)));
}

/** @param {Rgb} color */
export const toHex = (color) => `#${color.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;

/** @param {Rgb} color */
function luminance(color) {
  const [r, g, b] = color.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Rgb} one @param {Rgb} other @returns {number} 1–21 */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** @param {Rgb} one @param {Rgb} other @param {number} share of the other @returns {Rgb} */
export const mix = (one, other, share) => /** @type {Rgb} */ (one.map((part, at) => part + (other[at] - part) * share));

/** Towards the target until it can be read on the ground. @param {Rgb} color @param {Rgb} ground @param {Rgb} target */
function readable(color, ground, target) {
  for (let share = 0; share < 1; share += 0.05) {
    const tried = mix(color, target, share);
    if (contrast(tried, ground) >= READABLE) return tried;
  }
  return target;
}

/** @param {Rgb} accent */
export function onAccent(accent) {
  // Where neither can be read, white is kept and the accent deepened.
  const ink = contrast(accent, INK);
  return ink >= READABLE && ink > contrast(accent, WHITE) ? INK : WHITE;
}

/**
 * @param {string} accent #rrggbb
 * @param {"light"|"dark"} theme
 * @returns {Record<string, string>} custom properties; none when the accent is no colour
 */
export function accentColors(accent, theme) {
  const color = parseColor(accent);
  if (!color) return {};
  const ground = GROUNDS[theme];
  const text = onAccent(color);
  const filled = text === WHITE ? readable(color, WHITE, INK) : color;
  const soft = mix(ground, color, theme === "light" ? 0.1 : 0.22);
  return {
    "--accent": toHex(filled),
    "--on-accent": toHex(text),
    "--accent-text": toHex(readable(color, soft, theme === "light" ? INK : WHITE)),
    "--accent-soft": toHex(soft),
    "--accent-border": toHex(mix(ground, color, 0.35)),
    "--bubble-out": toHex(filled),
    "--focus": toHex(readable(color, ground, theme === "light" ? INK : WHITE)),
  };
}
