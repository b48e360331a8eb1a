// Lists (one entry a line) as chips. The textarea stays the field that is sent; without scripts it is simply shown.
// Also: buttons that copy.
(() => {
  /** @param {HTMLTextAreaElement} source */
  const entriesOf = (source) => [...new Set(source.value.split("\n").map((line) => line.trim()).filter(Boolean))];

  /** @param {HTMLTextAreaElement} source */
  const enhance = (source) => {
    if (source.dataset.linesReady || source.name.includes("__prefix__")) return;
    source.dataset.linesReady = "1";
    const box = document.createElement("div");
    box.className = "cc-lines";
    const input = document.createElement("input");
    input.placeholder = source.placeholder;
    input.spellcheck = false;
    input.setAttribute("aria-label", document.querySelector(`label[for="${source.id}"]`)?.textContent?.trim() ?? source.name);

    /** @param {string[]} entries */
    const store = (entries) => {
      source.value = [...new Set(entries)].join("\n");
      source.dispatchEvent(new Event("change", { bubbles: true }));
      draw();
    };
    const take = () => {
      const typed = input.value.split(/[\n,]/).map((part) => part.trim()).filter(Boolean);
      input.value = "";
      if (typed.length) store([...entriesOf(source), ...typed]);
    };
    const draw = () => {
      box.replaceChildren(...entriesOf(source).map((entry) => {
        const chip = document.createElement("span");
        chip.className = "cc-chip";
        const remove = document.createElement("button");
        remove.type = "button";
        remove.textContent = "×";
        remove.setAttribute("aria-label", `× ${entry}`);
        remove.addEventListener("click", () => {
          store(entriesOf(source).filter((other) => other !== entry));
          input.focus();
        });
        chip.append(entry, remove);
        return chip;
      }), input);
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === ",") {
        if (event.key === "Enter" && !input.value) return;
        event.preventDefault();
        take();
        input.focus();
      } else if (event.key === "Backspace" && !input.value) {
        store(entriesOf(source).slice(0, -1));
        input.focus();
      }
    });
    input.addEventListener("paste", () => setTimeout(() => { if (/[\n,]/.test(input.value)) take(); }));
    input.addEventListener("blur", take);
    // A click on "Save" must not lose what is typed but not yet a chip.
    source.form?.addEventListener("submit", take, { capture: true });
    draw();
    source.classList.add("cc-lines-source");
    source.after(box);
  };

  const enhanceAll = () => document.querySelectorAll("textarea[data-lines]").forEach(enhance);
  document.addEventListener("DOMContentLoaded", enhanceAll);
  document.addEventListener("formset:added", () => setTimeout(enhanceAll));
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy]");
    if (!(button instanceof HTMLElement)) return;
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    button.textContent = button.dataset.copied ?? button.textContent;
  });
})();
