// The center's colour on the desk. Set by script because a strict policy forbids styles in the page.

/** @param {string} hex #rrggbb @returns {number} relative luminance, 0–1 (WCAG 2.2) */
export function luminance(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The text colour that reads better on this one. @param {string} hex */
export const readableOn = (hex) => (1.05 / (luminance(hex) + 0.05) >= 4 ? "#ffffff" : "#10131a");

/** @param {string} hex */
export function useAccent(hex) {
  if (!/^#[0-9a-f]{6}$/i.test(hex || "")) return;
  const root = document.documentElement;
  root.style.setProperty("--accent", hex);
  root.style.setProperty("--on-accent", readableOn(hex));
  root.classList.add("branded");
}
