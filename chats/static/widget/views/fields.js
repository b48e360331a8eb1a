// Fields of forms: label, control, error, all tied together for screen readers; checked when sent, quiet while typed.
import { h } from "../dom.js";
import { t } from "../words.js";

/** @typedef {import("./app.js").Field} Field */

const TYPES = { text: "text", email: "email", phone: "tel" };
const AUTOCOMPLETE = { name: "name", email: "email", phone: "tel" };
const LIMITS = { name: 100, email: 254, phone: 32 };
const MESSAGE_LIMIT = 10_000;
let counter = 0;

/** One field of a form. `value` is kept by whoever listens. */
export class FormField {
  /**
   * @param {Field} field
   * @param {string} value
   * @param {(value: string) => void} onInput
   */
  constructor(field, value, onInput) {
    counter += 1;
    this.field = field;
    this.id = `f${counter}`;
    this.control = this.makeControl(value);
    this.control.addEventListener("input", () => {
      this.say("");
      onInput(this.value);
    });
    this.error = h("p.field-error", { id: `${this.id}e`, hidden: true });
    const mark = field.required ? null : h("span.optional", {}, t("form.optional"));
    this.node = h("div.field", {}, h("label", { for: this.id }, h("span", { dir: "auto" }, field.label), mark), this.control, this.error);
  }

  /** @param {string} value */
  makeControl(value) {
    const { key, kind, required } = this.field;
    const shared = { id: this.id, name: key, "aria-describedby": `${this.id}e`, "aria-required": required && "true", dir: "auto" };
    if (kind === "select") return this.makeSelect(shared, value);
    if (kind === "textarea") {
      const area = h("textarea", { ...shared, rows: 3 });
      area.value = value;
      return area;
    }
    const known = /** @type {any} */ (AUTOCOMPLETE)[key];
    return h("input", {
      ...shared, value, type: TYPES[kind] || "text", autocomplete: known || "off", maxlength: /** @type {any} */ (LIMITS)[key] || 500,
    });
  }

  /** @param {Record<string, any>} shared @param {string} value */
  makeSelect(shared, value) {
    const options = this.field.options.map((/** @type {any} */ option) => {
      const [code, label] = Array.isArray(option) ? option : [option, option];
      return h("option", { value: code, selected: code === value }, String(label));
    });
    const { dir: _, ...rest } = shared;
    return h("select", rest, h("option", { value: "" }, t("form.choose")), options);
  }

  get value() {
    return this.control.value.trim();
  }

  /** @returns {boolean} whether it may be sent; says what is wrong otherwise */
  check() {
    this.say(this.problem());
    return this.error.hidden;
  }

  problem() {
    const { required, kind } = this.field;
    if (required && !this.value) return t("form.required");
    if (kind === "email" && this.value && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(this.value)) return t("form.email");
    return this.value.length > MESSAGE_LIMIT ? t("form.long") : "";
  }

  /** @param {string} problem empty = none */
  say(problem) {
    this.error.textContent = problem;
    this.error.hidden = !problem;
    if (problem) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }
}

/** @param {FormField[]} fields @returns {boolean} all are right; else the first wrong one has the focus */
export function checkAll(fields) {
  const wrong = fields.filter((field) => !field.check());
  wrong[0]?.control.focus();
  return !wrong.length;
}
