import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { accentColors, contrast, parseColor } from "../../chats/static/widget/colors.js";
import { Link, backoff } from "../../chats/static/widget/link.js";
import { Poster } from "../../chats/static/widget/poster.js";
import { Store } from "../../chats/static/widget/store.js";
import { LANGUAGES, chooseLanguage, place, setCatalogues, t } from "../../chats/static/widget/words.js";

const HOME = new URL("../../chats/static/widget/", import.meta.url);
// A poll's own limit of forty seconds outlives the test that asked; it must not keep the process waiting.
const timer = globalThis.setTimeout;
globalThis.setTimeout = (run, ms, ...rest) => (ms > 5000 ? timer(run, ms, ...rest).unref() : timer(run, ms, ...rest));
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

function event(index, extra = {}) {
  return { index, type: "message.posted", at: "2026-11-21T09:00:00Z", sender: { kind: "agent", name: "Ann" }, text: `text ${index}`, ...extra };
}
const chat = (extra = {}) => ({ id: "c1", state: "active", head: 0, read: { agent: 0, customer: 0 }, ...extra });
const events = (...list) => ({ type: "events", chat: "c1", events: list, head: 0 });

function panel(frames = []) {
  const store = new Store();
  const signals = [];
  store.subscribe((more) => signals.push(...more));
  for (const frame of [{ type: "welcome", epoch: "e1", chat: chat() }, ...frames]) store.receive(frame, 0);
  return { store, signals, indexes: () => store.state.log.events.map((one) => one.index) };
}

test("doubled and reordered announcements change nothing", () => {
  const { indexes, signals } = panel([events(event(1)), events(event(2)), events(event(1)), events(event(3), event(2)), events(event(3))]);
  assert.deepEqual(indexes(), [1, 2, 3]);
  assert.deepEqual(signals.filter((s) => s.kind === "message").map((s) => s.event.index), [1, 2, 3]);
});

test("a hole is not shown but asked for, and closes once", () => {
  const { store, indexes, signals } = panel([events(event(1)), events(event(4))]);
  assert.deepEqual(indexes(), [1]);
  assert.deepEqual(signals.at(-1), { kind: "hole", after: 1 });
  store.receive(events(event(2), event(3), event(4)), 0);
  assert.deepEqual(indexes(), [1, 2, 3, 4]);
});

test("every order of every cut ends in the same log", () => {
  const all = [1, 2, 3, 4, 5, 6].map((n) => event(n));
  for (let seed = 1; seed < 200; seed += 1) {
    const { store, indexes } = panel();
    let state = seed * 7919;
    const next = (n) => (state = (state * 48271) % 2147483647) % n;
    for (let step = 0; step < 12; step += 1) {
      const from = next(6);
      store.receive(events(...all.slice(from, from + 1 + next(3))), 0);
      assert.deepEqual(indexes(), indexes().map((_, at) => at + 1), `seed ${seed}`);
    }
    store.receive(events(...all), 0);
    assert.deepEqual(indexes(), [1, 2, 3, 4, 5, 6]);
  }
});

test("a ping whose head is past ours asks for the rest", () => {
  const { signals } = panel([events(event(1)), { type: "ping", head: 3 }]);
  assert.deepEqual(signals.at(-1), { kind: "hole", after: 1 });
});

test("another epoch or a reset forgets the log, and what was written and not sent stays", () => {
  for (const again of [{ epoch: "e2" }, { epoch: "e1", reset: true }]) {
    const { store, indexes } = panel([events(event(1), event(2))]);
    store.queuePost({ client_id: "k", chat: "c1", text: "hi", attachments: [], at: "", state: "waiting" });
    store.receive({ type: "welcome", chat: chat(), ...again }, 0);
    assert.deepEqual(indexes(), []);
    assert.equal(store.state.pending.length, 1);
  }
});

test("events of another chat are not ours", () => {
  const { indexes } = panel([{ type: "events", chat: "c2", events: [event(1)], head: 1 }]);
  assert.deepEqual(indexes(), []);
});

test("a chat rendered before the last event does not undo it", () => {
  const { store } = panel([events(event(1, { type: "chat.closed", data: { by: "agent", reason: "done" } }))]);
  assert.equal(store.state.chat.state, "closed");
  store.receive({ type: "chat", chat: chat({ head: 0, state: "active" }) }, 0);
  assert.equal(store.state.chat.state, "closed");
});

test("an old event does not undo a chat that knows more", () => {
  const store = new Store();
  store.receive({ type: "welcome", epoch: "e", chat: chat({ head: 3 }) }, 0);
  store.receive(events(event(1, { type: "chat.closed", data: {} }), event(2, { type: "chat.reopened" })), 0);
  assert.equal(store.state.chat.state, "active");
});

test("nobody was found until somebody comes or the customer searches again", () => {
  const failed = (index) => event(index, { type: "search.failed", sender: undefined });
  const { store } = panel([{ type: "chat", chat: chat({ state: "searching" }) }, events(failed(1))]);
  assert.equal(store.foundNobody(), true);
  store.searchAgain();
  assert.equal(store.foundNobody(), false);
  store.receive(events(failed(2)), 0);
  assert.equal(store.foundNobody(), true);
  store.receive(events(event(3, { type: "agent.joined", data: { name: "Ann" } })), 0);
  assert.equal(store.foundNobody(), false);
});

test("a guest comes and goes, and the chat's own agent stays", () => {
  const ann = { id: "a1", name: "Ann" };
  const guest = (index, type) => event(index, { type, sender: undefined, data: { agent: "a2", name: "Bob", reason: "guest" } });
  const { store } = panel([{ type: "chat", chat: chat({ agent: ann }) }, events(guest(1, "agent.joined")), events(guest(2, "agent.left"))]);
  assert.deepEqual(store.state.chat.agent, ann);
});

test("unread counts what is not the customer's own past the read cursor", () => {
  const { store } = panel([events(event(1), event(2, { sender: { kind: "customer" } }), event(3))]);
  assert.equal(store.unread(), 2);
  store.markRead(1);
  assert.equal(store.unread(), 1);
  assert.equal(store.markRead(1), false);
});

/** A keeper that tells the order in which things happened. */
function keeper(steps = []) {
  const saved = {};
  return { saved, steps, async set(name, value) { steps.push(`${value === null ? "drop" : "keep"} ${name}`); if (value === null) delete saved[name]; else saved[name] = value; } };
}
const post = (id, extra = {}) => ({ client_id: id, chat: "c1", text: id, attachments: [], at: `2026-11-21T09:00:0${id.length}Z`, state: "waiting", ...extra });

test("a message is kept before its first try and dropped after its acknowledgement", async () => {
  const { store } = panel();
  const box = keeper();
  const poster = new Poster(store, async (frame) => { box.steps.push(`send ${frame.client_id}`); return { index: 1 }; }, box);
  await poster.add(post("a"));
  assert.deepEqual(box.steps, ["keep post:a", "send a", "drop post:a"]);
  assert.equal(store.state.pending[0].state, "sent");
  store.receive(events(event(1, { client_id: "a", sender: { kind: "customer" } })), 0);
  assert.equal(store.state.pending.length, 0);
});

test("a lost connection keeps order and client_ids, also across a page load", async () => {
  const { store } = panel();
  const box = keeper();
  const sent = [];
  let isDown = true;
  const request = async (frame) => { sent.push(frame.client_id); if (isDown) throw { code: "offline" }; return { index: sent.length }; };
  const first = new Poster(store, request, box);
  await first.add(post("a"));
  await first.add(post("bb"));
  assert.deepEqual(Object.keys(box.saved), ["post:a", "post:bb"]);
  const later = panel().store;
  const second = new Poster(later, request, box);
  second.restore(box.saved);
  isDown = false;
  sent.length = 0;
  await second.pump();
  assert.deepEqual(sent, ["a", "bb"]);
  assert.deepEqual(box.saved, {});
});

test("a refusal that no later try turns around waits for the person and lets the next one go", async () => {
  const { store } = panel();
  const box = keeper();
  const poster = new Poster(store, async ({ client_id: id }) => { if (id === "a") throw { code: "invalid" }; return { index: 1 }; }, box);
  await Promise.all([poster.add(post("a")), poster.add(post("bb"))]);
  await poster.pump();
  assert.deepEqual(store.state.pending.map((one) => [one.client_id, one.state]), [["a", "failed"], ["bb", "sent"]]);
  poster.discard(store.state.pending[0]);
  assert.deepEqual(box.saved, {});
});

test("what never went into an ended chat is handed back, and not sent into another one", async () => {
  const { store } = panel();
  const box = keeper();
  const poster = new Poster(store, async () => { throw { code: "offline" }; }, box);
  await poster.add(post("a"));
  await poster.add(post("bb"));
  assert.equal(poster.settle("c2"), "a\nbb");
  assert.deepEqual(box.saved, {});
  assert.deepEqual(store.state.pending, []);
});

test("the delay before connecting again is drawn from a growing span that ends at thirty seconds", () => {
  assert.equal(backoff(0, 1), 500);
  assert.equal(backoff(4, 0.5), 4000);
  assert.equal(backoff(30, 1), 30_000);
  assert.equal(backoff(30, 0), 500);
});

/** A websocket of which the test decides what becomes. */
class Wire {
  static all = [];
  constructor() { this.sent = []; Wire.all.push(this); }
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { /* Ends when the test says so. */ }
  hear(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
}

function link(extra = {}) {
  Wire.all = [];
  const seen = { states: [], frames: [], polls: 0 };
  const rest = { get: async () => { seen.polls += 1; if (seen.polls > 1) return new Promise(() => {}); return { events: [event(1)], head: 1, epoch: "e", chat: chat() }; }, post: async () => ({ index: 9 }) };
  const made = new Link({
    url: "ws://x", rest, hello: () => ({ token: "t", after: 0 }), chat: () => "c1", last: () => 0, epoch: () => "", WebSocket: Wire,
    random: () => 0, onFrame: (frame) => seen.frames.push(frame.type), onState: (state) => seen.states.push(state), onUnauthorized: () => seen.states.push("unauthorized"), ...extra,
  });
  return { made, seen };
}

test("hello is the first frame and never the address; a ping is answered with what we hold", () => {
  const { made, seen } = link();
  made.start();
  const [wire] = Wire.all;
  wire.onopen();
  assert.deepEqual(wire.sent[0], { type: "hello", ref: "hello", token: "t", after: 0 });
  wire.hear({ type: "welcome" });
  wire.hear({ type: "ping", head: 0 });
  assert.deepEqual(wire.sent[1], { type: "pong", after: 0 });
  assert.deepEqual(seen.states, ["connecting", "live"]);
  made.stop();
});

test("where no websocket opens twice, long polls carry the chat, posts too", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const { made, seen } = link();
  made.start();
  Wire.all[0].onclose({ code: 1006 });
  context.mock.timers.tick(500);
  Wire.all[1].onclose({ code: 1006 });
  context.mock.timers.tick(500);
  context.mock.timers.reset();
  await settle();
  assert.equal(Wire.all.length, 2);
  assert.deepEqual(seen.frames, ["welcome", "events", "chat"]);
  assert.equal(seen.states.at(-1), "live");
  assert.deepEqual(await made.request({ type: "post", chat: "c1", client_id: "k", text: "x" }), { index: 9 });
  made.stop();
});

test("a socket that is tried beside polling takes over when it is welcomed", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const { made, seen } = link();
  made.start();
  Wire.all[0].onclose({ code: 1006 });
  context.mock.timers.tick(500);
  Wire.all[1].onclose({ code: 1006 });
  context.mock.timers.tick(500);
  for (let round = 0; round < 10; round += 1) await Promise.resolve();
  context.mock.timers.tick(15_000);
  const rival = Wire.all[2];
  rival.onopen();
  rival.hear({ type: "welcome" });
  assert.equal(made.line.wire, rival);
  assert.equal(seen.states.at(-1), "live");
  made.stop();
});

test("an unknown token is renewed, a refused origin stays refused, unanswered requests are told", async () => {
  const { made, seen } = link();
  made.start();
  Wire.all[0].onopen();
  Wire.all[0].hear({ type: "welcome" });
  const asked = made.request({ type: "post", chat: "c1" });
  Wire.all[0].onclose({ code: 4401 });
  await assert.rejects(asked, { code: "offline" });
  assert.equal(seen.states.at(-1), "unauthorized");
  made.stop();
  const other = link();
  other.made.start();
  Wire.all[0].onclose({ code: 4403 });
  assert.equal(other.seen.states.at(-1), "refused");
  assert.equal(other.made.isRunning, false);
});

test("any accent gives readable text in light and dark", () => {
  for (const accent of ["#2f6fed", "#ffe600", "#000000", "#ffffff", "#7f7f7f", "#00c2a8", "#e91e63", "#777777", "#ff9800"]) {
    for (const theme of ["light", "dark"]) {
      const colors = accentColors(accent, theme);
      assert.ok(contrast(parseColor(colors["--accent"]), parseColor(colors["--on-accent"])) >= 4.5, `${accent} ${theme}`);
      assert.ok(contrast(parseColor(colors["--accent-text"]), parseColor(colors["--accent-soft"])) >= 4.5, `${accent} ${theme} text`);
    }
  }
  assert.deepEqual(accentColors("url(x)", "light"), {});
});

test("every language has every phrase, with the same values and its own plural forms", async () => {
  const catalogues = Object.fromEntries(await Promise.all(LANGUAGES.map(async (code) => [code, JSON.parse(await readFile(new URL(`languages/${code}.json`, HOME), "utf8"))])));
  const values = (phrase) => [...new Set([...JSON.stringify(phrase).matchAll(/\{(\w+)\}/g)].map((found) => found[1]))].filter((name) => name !== "n").sort();
  for (const [code, catalogue] of Object.entries(catalogues)) {
    assert.deepEqual(Object.keys(catalogue), Object.keys(catalogues.en), code);
    for (const [key, phrase] of Object.entries(catalogue)) {
      assert.deepEqual(values(phrase), values(catalogues.en[key]), `${code} ${key}`);
      if (typeof phrase !== "object") continue;
      for (const n of [0, 1, 2, 3, 11, 100]) assert.ok(phrase[new Intl.PluralRules(code).select(n)] || phrase.other, `${code} ${key} ${n}`);
    }
  }
  setCatalogues(catalogues.en, { chat: "Plausch" }, "de");
  assert.equal(t("chat"), "Plausch");
  assert.equal(t("cancel"), "Cancel", "English stands in");
  setCatalogues(catalogues.en, {}, "en");
  assert.equal(place({ position: 4, wait_seconds: 240 }), "3 people ahead of you, about 4 minutes");
  assert.equal(place({ position: 1, wait_seconds: null }), "You are next");
});

test("the language is the first wish that is offered", () => {
  assert.equal(chooseLanguage(["xx", "de-AT", "en"], []), "de");
  assert.equal(chooseLanguage(["de"], ["en", "ar"]), "en");
  assert.equal(chooseLanguage(["ar-EG"], ["en", "ar"]), "ar");
});

test("a page carries at most 15 KB of us until the widget is opened", async () => {
  assert.ok(gzipSync(await readFile(new URL("loader.js", HOME))).length <= 15 * 1024);
});
