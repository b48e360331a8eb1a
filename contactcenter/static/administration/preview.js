// Colours from data attributes (style attributes would need a wider policy), and the widget's preview kept in step with its fields.
(() => {
  const WHITE = "#ffffff", DARK = "#171c28";

  /** WCAG relative luminance. @param {string} colour */
  const luminance = (colour) => {
    const [red, green, blue] = [1, 3, 5].map((start) => {
      const part = parseInt(colour.slice(start, start + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  /** @param {string} colour */
  const textOn = (colour) => {
    const own = luminance(colour);
    return 1.05 / (own + 0.05) >= (own + 0.05) / (luminance(DARK) + 0.05) ? WHITE : DARK;
  };
  /** @param {HTMLElement} element @param {string} colour */
  const paint = (element, colour) => {
    if (!/^#[0-9a-f]{6}$/i.test(colour)) return;
    element.style.setProperty("--accent", colour);
    element.style.setProperty("--on-accent", textOn(colour));
  };
  /** @param {string} id */
  const valueOf = (id) => {
    const field = document.getElementById(id);
    return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : "";
  };

  const followWidget = () => {
    const preview = document.querySelector(".cc-preview");
    if (!(preview instanceof HTMLElement)) return;
    const title = preview.querySelector("[data-part=title]"), greeting = preview.querySelector("[data-part=greeting]");
    const draw = () => {
      if (!document.getElementById("id_widget-0-title")) return;
      paint(preview, valueOf("id_widget-0-accent") || preview.dataset.centerAccent || "");
      preview.dataset.side = valueOf("id_widget-0-side") || "end";
      if (title) title.textContent = valueOf("id_widget-0-title") || preview.dataset.centerName || "";
      if (greeting instanceof HTMLElement) {
        greeting.textContent = valueOf("id_widget-0-greeting");
        greeting.hidden = !greeting.textContent;
      }
    };
    document.addEventListener("input", draw);
    draw();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-accent]").forEach((element) => {
      if (element instanceof HTMLElement) paint(element, element.dataset.accent ?? "");
    });
    followWidget();
    const sample = document.querySelector(".cc-colours"), accent = document.getElementById("id_accent");
    if (sample instanceof HTMLElement) accent?.addEventListener("input", () => paint(sample, valueOf("id_accent")));
  });
})();
