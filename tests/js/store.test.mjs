// The desk's store: every event once, in order, whatever the line does.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../../agents/static/desk/store.js";

const ME = { id: "a1", name: "Ann", status: "online", capacity: 3, used: 1 };

function event(position, extra = {}) {
  return {
    position, index: position, type: "message.posted", at: `2026-11-21T09:00:${String(position).padStart(2, "0")}Z`,
    sender: { kind: "customer", name: "Mia" }, text: `text ${position}`, ...extra,
  };
}

function chat(id = "c1", extra = {}) {
  return { id, state: "active", head: 0, held: true, agent_id: "a1", read: { agent: 0, customer: 0 }, customer: { name: "Mia" }, unread: 0, ...extra };
}

function welcome(extra = {}) {
  return {
    type: "welcome", epoch: "e1", now: "2026-11-21T09:00:00Z", center: { name: "Acme" }, agent: ME, teams: [], colleagues: [],
    chats: [chat()], invitations: [], queue: [], reset: [], ...extra,
  };
}

function desk(frames = []) {
  const store = new Store();
  const signals = [];
  store.subscribe((more) => signals.push(...more));
  for (const frame of [welcome(), ...frames]) store.receive(frame, Date.parse("2026-11-21T09:00:00Z"));
  return { store, signals, thread: store.thread("c1"), positions: () => store.thread("c1").log.events.map((e) => e.position) };
}

const events = (...list) => ({ type: "events", chat: "c1", events: list, head: 0 });

test("doubled and reordered announcements change nothing", () => {
  const { positions, signals } = desk([
    events(event(1)), events(event(2)), events(event(2)), events(event(1)), events(event(3), event(2)), events(event(4), event(3)),
  ]);
  assert.deepEqual(positions(), [1, 2, 3, 4]);
  assert.deepEqual(signals.filter((s) => s.kind === "message").map((s) => s.event.position), [2, 3, 4]);
});

test("what an erased customer said is asked for anew, and once", () => {
  const { store, signals, positions } = desk([events(event(1)), events(event(2)), events(event(3, { index: null, type: "chat.erased", text: "" }))]);
  assert.deepEqual(signals.at(-1), { kind: "erased", chat: "c1" });
  assert.deepEqual(positions(), []);
  const empty = { text: "", attachments: [], data: { erased: true } };
  store.receive(events(event(2, empty), event(3, { index: null, type: "chat.erased", text: "" })), 0);
  store.receive(events(event(1, empty)), 0);
  assert.deepEqual(positions(), [1, 2, 3]);
  assert.equal(signals.filter((signal) => signal.kind === "erased").length, 1);
});

test("a hole is not shown but asked for, and closes once", () => {
  const { store, positions, signals } = desk([events(event(1)), events(event(4))]);
  assert.deepEqual(positions(), [1]);
  assert.deepEqual(signals.at(-1), { kind: "hole", chat: "c1", after: 1 });
  store.receive(events(event(2), event(3), event(4)), 0);
  assert.deepEqual(positions(), [1, 2, 3, 4]);
});

test("every order of every cut ends in the same log", () => {
  const all = [1, 2, 3, 4, 5, 6].map((n) => event(n));
  for (let seed = 1; seed < 200; seed += 1) {
    const { store, positions } = desk([events(event(1))]);
    let state = seed * 7919;
    const next = (n) => (state = (state * 48271) % 2147483647) % n;
    for (let step = 0; step < 12; step += 1) {
      const from = next(6);
      store.receive(events(...all.slice(from, from + 1 + next(3))), 0);
      const held = positions();
      assert.deepEqual(held, held.map((_, at) => at + 1), `seed ${seed}`);
    }
    store.receive(events(...all), 0);
    assert.deepEqual(positions(), [1, 2, 3, 4, 5, 6]);
  }
});

test("older pages go before what is held", () => {
  const { store, positions } = desk([events(event(5), event(6))]);
  store.receive(events(event(3), event(4), event(5)), 0);
  store.receive(events(event(1)), 0);
  assert.deepEqual(positions(), [3, 4, 5, 6]);
});

test("cursors name what is held, and only of our own chats", () => {
  const { store } = desk([events(event(1), event(2)), { type: "chat", chat: chat("c2", { held: false, agent_id: "b2" }) }]);
  assert.deepEqual(store.cursors(), { c1: 2 });
});

test("a ping whose head is past ours asks for the rest", () => {
  const { signals } = desk([events(event(1)), { type: "ping", heads: { c1: 3 } }]);
  assert.deepEqual(signals.at(-1), { kind: "hole", chat: "c1", after: 1 });
});

test("another epoch forgets the logs", () => {
  const { store, positions } = desk([events(event(1), event(2))]);
  store.receive(welcome({ epoch: "e2" }), 0);
  assert.deepEqual(positions(), []);
  store.receive(events(event(1)), 0);
  assert.deepEqual(positions(), [1]);
});

test("a pending post disappears with its event, whichever comes first", () => {
  const post = { client_id: "k1", chat: "c1", text: "hi", note: false, attachments: [], at: "x", state: "waiting" };
  const mine = event(2, { client_id: "k1", sender: { kind: "agent", name: "Ann" } });
  const first = desk([events(event(1))]);
  first.store.queuePost(post);
  first.store.updatePost("c1", "k1", { state: "sent", position: 2 });
  assert.equal(first.thread.pending[0].state, "sent");
  first.store.receive(events(mine), 0);
  assert.equal(first.thread.pending.length, 0);
  const second = desk([events(event(1))]);
  second.store.queuePost(post);
  second.store.receive(events(mine), 0);
  second.store.updatePost("c1", "k1", { state: "sent", position: 2 });
  assert.equal(second.thread.pending.length, 0);
});

test("unread counts the customer's words past our cursor", () => {
  const { store, thread } = desk([events(event(1), event(2), event(3, { sender: { kind: "agent", name: "Ann" } }), event(4))]);
  assert.equal(store.unread(thread), 3);
  store.receive({ type: "read", chat: "c1", kind: "agent", index: 2 }, 0);
  assert.equal(store.unread(thread), 1);
  store.receive({ type: "read", chat: "c1", kind: "agent", index: 1 }, 0);
  assert.equal(store.unread(thread), 1, "a cursor never goes back");
});

test("a closed chat stays until it is put away, a transferred one goes", () => {
  const { store } = desk([{ type: "chat", chat: chat("c2") }]);
  store.receive({ type: "chat_gone", chat: "c1", reason: "closed" }, 0);
  store.receive({ type: "chat_gone", chat: "c2", reason: "transferred" }, 0);
  assert.deepEqual([...store.state.mine], ["c1"]);
  assert.equal(store.thread("c2").gone, "transferred");
  store.putAway("c1");
  assert.equal(store.state.mine.size, 0);
});

test("history that a chat already knows does not undo its state", () => {
  const store = new Store();
  store.receive(welcome({ chats: [chat("c1", { head: 3 })] }), 0);
  store.receive(events(event(1), event(2, { type: "chat.closed", sender: { kind: "system" } }), event(3, { type: "chat.reopened" })), 0);
  assert.equal(store.thread("c1").chat.state, "active");
  store.receive(events(event(4, { type: "chat.closed", data: { reason: "done" } })), 0);
  assert.equal(store.thread("c1").chat.state, "closed");
});

test("an invitation is announced once, also across a reconnect", () => {
  const invitation = { id: "i1", chat: chat("c9", { held: false, agent_id: null }), seconds: 20 };
  const { store, signals } = desk([{ type: "invitation", invitation }, { type: "invitation", invitation }]);
  store.receive(welcome({ invitations: [invitation] }), 0);
  assert.equal(signals.filter((s) => s.kind === "invitation").length, 1);
  store.receive({ type: "invitation_ended", id: "i1", chat: "c9", reason: "expired" }, 0);
  assert.equal(store.state.invitations.size, 0);
});

test("a chat that vanished while we were away is asked after", () => {
  const { store, signals } = desk();
  store.receive(welcome({ chats: [] }), 0);
  assert.deepEqual(signals.filter((s) => s.kind === "lost"), [{ kind: "lost", chat: "c1" }]);
});

test("an unknown frame is passed over", () => {
  const { positions } = desk([{ type: "weather" }, events(event(1))]);
  assert.deepEqual(positions(), [1]);
});

const visit = (guest, extra = {}) => ({ type: "chat", chat: chat("v1", { held: false, agent_id: "a2", guest, head: 1, ...extra }) });

test("a colleague's chat that we are asked to join is offered once, and ours to write in once we have joined", () => {
  const { store, signals } = desk([visit("invited"), visit("invited")]);
  assert.deepEqual([...store.state.asked], ["v1"]);
  assert.equal(signals.filter((s) => s.kind === "asked").length, 1);
  assert.equal(store.state.mine.has("v1"), false);
  store.receive(visit("joined"), 0);
  assert.deepEqual([...store.state.asked], []);
  assert.equal(store.state.mine.has("v1"), true);
});

test("a visited chat counts nothing as unread: that is its own agent's", () => {
  const { store } = desk([visit("joined", { unread: 4 })]);
  assert.equal(store.unread(store.thread("v1")), 0);
  store.receive(visit(null, { held: true, agent_id: "a1", unread: 4 }), 0);
  assert.equal(store.unread(store.thread("v1")), 4);
});

test("who leaves, or is not asked any more, sees it neither here nor there", () => {
  for (const guest of ["invited", "joined"]) {
    const { store, signals } = desk([visit(guest), { type: "chat_gone", chat: "v1", reason: "left" }]);
    assert.deepEqual([[...store.state.asked], store.state.mine.has("v1")], [[], false]);
    assert.equal(store.thread("v1").chat.guest, null);
    assert.equal(signals.at(-1).kind, "chat_gone");
  }
});

test("a visited chat that ends stays until it is put away, one that was not joined is gone", () => {
  const end = { type: "chat_gone", chat: "v1", reason: "closed" };
  const { store } = desk([visit("joined"), end]);
  assert.deepEqual([store.thread("v1").chat.state, store.state.mine.has("v1")], ["closed", true]);
  const other = desk([visit("invited"), end]).store;
  assert.deepEqual([[...other.state.asked], other.state.mine.has("v1")], [[], false]);
});

test("a queue that many see does not say whose guest we are", () => {
  const { store } = desk([visit("joined")]);
  const waiting = chat("v1", { held: false, agent_id: null, state: "queued", guest: null, head: 2 });
  store.receive({ type: "queue", teams: [{ id: "t1", waiting: 1, chats: [waiting] }] }, 0);
  assert.deepEqual([store.thread("v1").chat.guest, store.thread("v1").chat.state], ["joined", "queued"]);
});

test("after a reconnect one is asked only where the server says so", () => {
  const { store } = desk([visit("invited")]);
  store.receive(welcome(), 0);
  assert.deepEqual([...store.state.asked], []);
  store.receive(welcome({ chats: [chat(), visit("invited").chat] }), 0);
  assert.deepEqual([[...store.state.asked], [...store.state.mine]], [["v1"], ["c1"]]);
});

test("a message without text is told in lists by the names of its files and links", () => {
  const links = [{ type: "", name: "Map", url: "https://a.example" }];
  const { thread } = desk([events(event(1, { text: "", attachments: [{ name: "a.pdf" }], data: { links } }))]);
  assert.equal(thread.chat.last_message.text, "a.pdf, Map");
});

test("how far a chat was delivered is known from the chat, and never goes back", () => {
  const { store, thread } = desk([{ type: "chat", chat: chat("c1", { delivered: { agent: 0, customer: 4 } }) }]);
  assert.equal(thread.delivered, 4);
  store.receive({ type: "chat", chat: chat("c1", { delivered: { agent: 0, customer: 3 } }) }, 0);
  store.receive({ type: "delivered", chat: "c1", kind: "customer", index: 6 }, 0);
  store.receive({ type: "chat", chat: chat("c1", { delivered: { agent: 0, customer: 5 } }) }, 0);
  assert.equal(thread.delivered, 6);
});

test("a queue that was drawn before does not undo what a connector does now", () => {
  const away = { connector: "sms", account: "1", away_since: "2026-11-21T09:00:00Z", owed_since: null };
  const queue = (delivery) => ({ type: "queue", teams: [{ id: "t1", waiting: 1, oldest_at: null, chats: [chat("c2", { state: "queued", delivery })] }] });
  const { store } = desk([queue(away)]);
  assert.deepEqual(store.thread("c2").chat.delivery, away);
  store.receive({ type: "chat", chat: chat("c2", { state: "queued", held: false, delivery: { ...away, away_since: null } }) }, 0);
  store.receive(queue(away), 0);
  assert.equal(store.thread("c2").chat.delivery.away_since, null);
});
