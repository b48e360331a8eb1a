// The one script that a site includes. It is a classic script, so that it runs anywhere, and small: it shows the launcher, keeps
// what the customer's browser must keep in the site's own storage, and on the first opening fetches the panel into a frame of our origin.
// The site cannot reach into the panel nor the panel into the site: all that passes is a few checked messages (docs/widget.md).
(() => {
  "use strict";
  const script = /** @type {HTMLScriptElement|null} */ (document.currentScript);
  const queued = /** @type {any} */ (window).ContactCenter;
  if (!script || !script.src || (queued && queued.version)) return;
  const key = script.dataset.key || "";
  if (!/^[\w-]{1,64}$/.test(key)) return console.warn("ContactCenter: the script needs data-key.");
  const base = new URL(script.src).origin;
  const prefix = `contactcenter.${key}.`;
  const SMALL = "(max-width: 479px), (max-height: 479px)";
  const KEPT = /^(token|chat|start|form|offline|identity|greeting|draft|post:[\w-]{1,64})$/;
  const WORDS = {
    en: ["Chat with us", "Close chat", "Dismiss", "{n} unread"],
    de: ["Chatten Sie mit uns", "Chat schließen", "Ausblenden", "{n} ungelesen"],
    ar: ["تحدث معنا", "إغلاق المحادثة", "إخفاء", "{n} غير مقروءة"],
    fr: ["Discutez avec nous", "Fermer la discussion", "Masquer", "{n} non lus"],
    es: ["Chatea con nosotros", "Cerrar el chat", "Ocultar", "{n} sin leer"],
  };
  const PATHS = {
    chat: ["M2.992 16.342a2 2 0 0 1 .094 1.167l-1.065 3.29a1 1 0 0 0 1.236 1.168l3.413-.998a2 2 0 0 1 1.099.092 10 10 0 1 0-4.777-4.719"],
    down: ["m6 9 6 6 6-6"],
    x: ["M18 6 6 18", "m6 6 12 12"],
  };
  const CSS = `
:host{all:initial!important;display:block!important;position:static!important}
*{box-sizing:border-box}
.root{--a:#2f5bea;--o:#fff;font:400 15px/22px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif;color:#171c28}
button{font:inherit;color:inherit;margin:0;padding:0;border:0;background:none;cursor:pointer;-webkit-tap-highlight-color:transparent}
svg{display:block;inline-size:26px;block-size:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.launcher{position:fixed;z-index:2147483002;inset-block-end:max(20px,env(safe-area-inset-bottom));inset-inline-end:20px;inline-size:56px;block-size:56px;
border-radius:50%;display:grid;place-items:center;background:var(--a);color:var(--o);box-shadow:0 1px 3px rgb(23 28 40/20%),0 8px 24px rgb(23 28 40/22%);transition:transform .16s,box-shadow .16s}
.launcher:hover{transform:translateY(-1px);box-shadow:0 2px 4px rgb(23 28 40/20%),0 12px 30px rgb(23 28 40/28%)}
button:focus-visible{outline:3px solid var(--a);outline-offset:3px;box-shadow:0 0 0 3px #fff}
.start .launcher,.start .greeting,.start .panel{inset-inline:20px auto}
.badge{position:absolute;inset-block-start:-3px;inset-inline-end:-3px;min-inline-size:22px;block-size:22px;padding:0 6px;border-radius:11px;background:#c4262e;color:#fff;
font-size:12px;font-weight:650;line-height:22px;text-align:center;box-shadow:0 0 0 2px #fff}
.greeting{position:fixed;z-index:2147483001;inset-block-end:88px;inset-inline-end:20px;display:flex;align-items:flex-start;max-inline-size:min(300px,calc(100vw - 40px));background:#fff;
border-radius:12px;box-shadow:0 1px 3px rgb(23 28 40/12%),0 10px 32px rgb(23 28 40/18%);animation:in .18s}
.say{padding:12px 0 12px 16px;padding-inline:16px 0;text-align:start;overflow-wrap:anywhere}
.greeting .no{flex:none;inline-size:44px;block-size:44px;display:grid;place-items:center;color:#545d70;border-radius:12px}.no svg{inline-size:16px;block-size:16px}
.panel{position:fixed;z-index:2147483001;inset-block-end:88px;inset-inline-end:20px;inline-size:380px;block-size:min(600px,calc(100dvh - 108px));max-inline-size:calc(100vw - 40px);
border:0;border-radius:12px;background:transparent;color-scheme:normal;box-shadow:0 2px 6px rgb(23 28 40/12%),0 16px 56px rgb(23 28 40/26%);animation:in .18s}
[hidden]{display:none!important}
@keyframes in{from{opacity:0;transform:translateY(8px)}}
@media (prefers-color-scheme:dark){.auto .greeting{background:#1b202b;color:#e7ebf3}.auto .greeting .no{color:#a2acbe}}
.dark .greeting{background:#1b202b;color:#e7ebf3}.dark .greeting .no{color:#a2acbe}
@media ${SMALL}{.root .panel{inset:0;inline-size:100%;block-size:100%;max-inline-size:none;border-radius:0;animation:none;background:#fff}.open .launcher{display:none}}
@media (prefers-color-scheme:dark) and ${SMALL.split(", ")[0]}{.auto .panel{background:#141821}}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media print{.root{display:none}}`;

  /** @type {any} */ let config = null;
  /** @type {any} */ let identity = null;
  /** @type {Record<string, any>} */ let data = {};
  /** @type {HTMLIFrameElement|null} */ let frame = null;
  let language = script.dataset.language || "";
  let isReady = false;
  let isOpen = false;
  let isDestroyed = false;
  let wantsOpen = false;
  let unread = 0;
  let retryMs = 4000;
  /** @type {any} */ let timer = 0;
  /** @type {Map<string, Set<(detail: any) => void>>} */ const listeners = new Map();

  // Storage: the site's own, because a frame's is partitioned or forbidden. Where the site's is forbidden too, this page's memory.
  const memory = new Map();
  const storage = {
    /** @param {string} name @returns {string|null} */
    get(name) {
      try { return localStorage.getItem(prefix + name); } catch { return memory.get(name) ?? null; }
    },
    /** @param {string} name @param {string|null} value */
    set(name, value) {
      try {
        if (value === null) localStorage.removeItem(prefix + name);
        else localStorage.setItem(prefix + name, value);
      } catch {
        value === null ? memory.delete(name) : memory.set(name, value);
      }
    },
    all() {
      /** @type {Record<string, string>} */ const found = Object.fromEntries(memory);
      try {
        for (const name of Object.keys(localStorage)) {
          if (name.startsWith(prefix)) found[name.slice(prefix.length)] = localStorage.getItem(name) || "";
        }
      } catch { /* Forbidden: memory is all there is. */ }
      return found;
    },
  };

  // What is seen: everything in a closed shadow root, so that the site's styles and ours do not meet.
  const host = document.createElement("contact-center");
  const shadow = host.attachShadow({ mode: "closed" });
  const root = element("div", { class: "root" });
  const badge = element("span", { class: "badge", hidden: "" });
  const launcher = /** @type {HTMLButtonElement} */ (element("button", { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" }));
  const glyph = icon("chat");
  launcher.append(glyph, badge);
  launcher.addEventListener("click", () => (isOpen ? close() : open()));
  root.append(launcher);
  style();
  shadow.append(root);

  /** @param {string} tag @param {Record<string, string>} attributes */
  function element(tag, attributes) {
    const made = document.createElement(tag);
    for (const name in attributes) made.setAttribute(name, attributes[name]);
    return made;
  }

  /** @param {keyof typeof PATHS} name */
  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    draw(svg, name);
    return svg;
  }

  /** @param {SVGElement} svg @param {keyof typeof PATHS} name */
  function draw(svg, name) {
    svg.replaceChildren(...PATHS[name].map((d) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      return path;
    }));
  }

  function style() {
    try {
      // A constructed sheet is not inline: the site's content security policy has nothing against it.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      shadow.adoptedStyleSheets = [sheet];
    } catch {
      const sheet = element("style", {});
      sheet.textContent = CSS;
      shadow.prepend(sheet);
    }
  }

  /** @returns {"en"|"de"|"ar"|"fr"|"es"} */
  function chosenLanguage() {
    const offered = config?.languages?.length ? config.languages : Object.keys(WORDS);
    for (const wish of [language, document.documentElement.lang, ...navigator.languages, offered[0]]) {
      const code = String(wish || "").toLowerCase().split("-")[0];
      if (Object.hasOwn(WORDS, code) && offered.some((/** @type {string} */ one) => one.split("-")[0] === code)) return /** @type {any} */ (code);
    }
    return "en";
  }

  function paint() {
    const code = chosenLanguage();
    const words = WORDS[code];
    const look = config.look || {};
    const theme = script?.dataset.theme || "";
    let side = script?.dataset.side || look.side || "end";
    if (side === "left" || side === "right") side = (side === "left") === (code === "ar") ? "end" : "start";
    root.lang = code;
    root.dir = code === "ar" ? "rtl" : "ltr";
    root.className = `root ${side === "start" ? "start" : "end"} ${/^(light|dark)$/.test(theme) ? theme : "auto"}${isOpen ? " open" : ""}`;
    if (/^#[\da-f]{6}$/i.test(look.accent)) root.style.setProperty("--a", look.accent);
    if (/^#[\da-f]{6}$/i.test(look.on_accent)) root.style.setProperty("--o", look.on_accent);
    const label = words[isOpen ? 1 : 0];
    launcher.title = isOpen ? "" : label;
    launcher.setAttribute("aria-label", unread && !isOpen ? `${label}, ${words[3].replace("{n}", String(unread))}` : label);
    launcher.setAttribute("aria-expanded", String(isOpen));
    draw(glyph, isOpen ? "down" : "chat");
    badge.textContent = unread > 99 ? "99+" : String(unread);
    badge.hidden = isOpen || !unread;
    if (frame) {
      frame.hidden = !isOpen;
      frame.title = look.title || config.center?.name || words[0];
    }
  }

  function greet() {
    const text = config.look?.greeting;
    if (!text || isOpen || storage.get("greeting") || storage.get("chat")) return;
    const bubble = element("div", { class: "greeting" });
    const say = element("button", { class: "say", type: "button", dir: "auto" });
    const no = element("button", { class: "no", type: "button", "aria-label": WORDS[chosenLanguage()][2] });
    say.textContent = text;
    no.append(icon("x"));
    say.addEventListener("click", open);
    no.addEventListener("click", () => {
      dismiss();
      launcher.focus();
    });
    bubble.append(say, no);
    // Before the launcher: whoever comes by Tab meets the greeting first.
    root.prepend(bubble);
  }

  /** For good: whoever sent it away or came in by it is not greeted on the next page. */
  function dismiss() {
    const bubble = root.querySelector(".greeting");
    if (!bubble) return;
    storage.set("greeting", "dismissed");
    bubble.remove();
  }

  async function begin() {
    let answer;
    try {
      answer = await fetch(`${base}/api/v1/widget/config?key=${encodeURIComponent(key)}`, { credentials: "omit" });
    } catch {
      answer = null;
    }
    if (isDestroyed) return;
    if (answer && answer.status >= 400 && answer.status < 429) {
      return console.warn(`ContactCenter: the key is unknown, or ${location.origin} is not among the channel's allowed origins.`);
    }
    if (!answer || !answer.ok) {
      // We may be restarting; the site must not notice more than a launcher that comes later.
      timer = setTimeout(begin, retryMs * (0.5 + Math.random()));
      retryMs = Math.min(retryMs * 2, 120_000);
      return;
    }
    config = await answer.json();
    (document.body || document.documentElement).append(host);
    paint();
    addEventListener("message", receive);
    addEventListener("storage", onStorage);
    visualViewport?.addEventListener("resize", fit);
    visualViewport?.addEventListener("scroll", fit);
    emit("ready");
    if (wantsOpen) open();
    // A running chat goes on behind the closed panel: its answers must reach the badge.
    else if (storage.get("token") && (storage.get("chat") || storage.get("start"))) load();
    timer = setTimeout(greet, 1500);
  }

  function load() {
    if (frame) return;
    frame = /** @type {HTMLIFrameElement} */ (element("iframe", { class: "panel", hidden: "", allow: "" }));
    frame.addEventListener("load", () => post({ type: "hello" }));
    frame.src = `${base}/widget/frame/?key=${encodeURIComponent(key)}`;
    root.insertBefore(frame, launcher);
    paint();
  }

  /** @param {Record<string, any>} message */
  function post(message) {
    frame?.contentWindow?.postMessage({ contactCenter: 1, ...message }, base);
  }

  const page = () => ({ url: location.href.slice(0, 2000), title: document.title.slice(0, 300) });

  /** What the frame may ask of us; each one checks its own fields. @type {Record<string, (message: any) => void>} */
  const handlers = {
    ready() {
      isReady = true;
      const hints = [language, document.documentElement.lang].filter(Boolean);
      post({ type: "state", saved: storage.all(), page: page(), hints, theme: script?.dataset.theme || "", identity, data, isOpen });
      fit();
    },
    close: () => close(),
    unread({ count }) {
      if (!Number.isInteger(count) || count < 0 || count === unread) return;
      unread = count;
      paint();
      emit("unread", { count });
    },
    save({ name, value, id }) {
      if (typeof name !== "string" || !KEPT.test(name) || !(value === null || (typeof value === "string" && value.length < 65_536))) return;
      storage.set(name, value);
      if (typeof id === "number") post({ type: "stored", id });
    },
    event({ name, detail }) {
      if (["chat.started", "chat.closed", "message"].includes(name)) emit(name, detail);
    },
  };

  /** @param {MessageEvent} event */
  function receive(event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== base) return;
    const message = event.data;
    if (!message || message.contactCenter !== 1 || !Object.hasOwn(handlers, message.type)) return;
    handlers[message.type](message);
  }

  /** Another tab of the same customer began or ended something. @param {StorageEvent} event */
  function onStorage(event) {
    if (!event.key?.startsWith(prefix)) return;
    const name = event.key.slice(prefix.length);
    if (name !== "token" && name !== "chat") return;
    if (isReady) post({ type: "saved", name, value: event.newValue });
    else if (name === "chat" && event.newValue) load();
  }

  /** Above the keyboard: it shrinks the visual viewport only. */
  function fit() {
    if (!frame || !visualViewport) return;
    const isSmall = isOpen && matchMedia(SMALL).matches;
    frame.style.height = isSmall ? `${visualViewport.height}px` : "";
    frame.style.top = isSmall ? `${visualViewport.offsetTop}px` : "";
    frame.style.bottom = isSmall ? "auto" : "";
  }

  /** @param {string} name @param {any} [detail] */
  function emit(name, detail) {
    for (const listener of listeners.get(name) || []) {
      try { listener(detail); } catch (error) { console.error(error); }
    }
  }

  function open() {
    wantsOpen = true;
    if (!config || isOpen) return;
    load();
    isOpen = true;
    dismiss();
    paint();
    fit();
    frame?.focus();
    if (isReady) post({ type: "open", page: page() });
    emit("open");
  }

  function close() {
    wantsOpen = false;
    if (!isOpen) return;
    isOpen = false;
    paint();
    fit();
    launcher.focus();
    post({ type: "closed" });
    emit("close");
  }

  const api = {
    version: 1,
    open,
    close,
    toggle: () => (isOpen ? close() : open()),
    /** @param {string} name @param {(detail: any) => void} listener @returns {() => void} takes the listener off again */
    on(name, listener) {
      if (typeof listener !== "function") return () => {};
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name)?.add(listener);
      if (name === "ready" && config) listener(undefined);
      return () => listeners.get(name)?.delete(listener);
    },
    /** @param {Record<string, any>} who */
    identify(who) {
      identity = who && typeof who === "object" ? JSON.parse(JSON.stringify(who)) : null;
      if (isReady) post({ type: "identify", identity });
    },
    /** @param {Record<string, any>} values */
    set(values) {
      data = { ...data, ...JSON.parse(JSON.stringify(values || {})) };
      if (isReady) post({ type: "data", data });
    },
    /** @param {string} code */
    language(code) {
      language = String(code || "");
      if (config) paint();
      if (isReady) post({ type: "language", hints: [language, document.documentElement.lang].filter(Boolean) });
    },
    destroy() {
      isDestroyed = true;
      clearTimeout(timer);
      removeEventListener("message", receive);
      removeEventListener("storage", onStorage);
      visualViewport?.removeEventListener("resize", fit);
      visualViewport?.removeEventListener("scroll", fit);
      listeners.clear();
      host.remove();
      delete (/** @type {any} */ (window).ContactCenter);
    },
    /** What a page asked for before we were here: ContactCenter = [["open"], ["set", {…}]]. @param {...[string, ...any[]]} calls */
    push(...calls) {
      for (const [name, ...rest] of calls) if (Object.hasOwn(api, name)) /** @type {any} */ (api)[name](...rest);
    },
  };
  /** @type {any} */ (window).ContactCenter = api;
  if (Array.isArray(queued)) api.push(...queued);
  void begin();
})();
