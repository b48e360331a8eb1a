// The wire: hello with cursors, refs, silence, and connecting again for as long as it takes.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Socket } from "../../agents/static/desk/socket.js";

let wires;
let links;
let frames;
let tickets;

class FakeWire {
  constructor(url) {
    Object.assign(this, { url, sent: [] });
    wires.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closedWith = code;
  }
  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}

function make(overrides = {}) {
  return new Socket({
    url: "ws://desk/ws", ticket: async () => `t${(tickets += 1)}`, hello: () => ({ epoch: "e1", cursors: { c1: 4 } }),
    cursors: () => ({ c1: 4 }), onFrame: (frame) => frames.push(frame), onLink: (link) => links.push(link), WebSocket: FakeWire,
    random: () => 0.5, ...overrides,
  });
}

const settle = async () => {
  for (let n = 0; n < 5; n += 1) await Promise.resolve();
};

async function live(socket) {
  socket.start();
  await settle();
  wires.at(-1).onopen();
  wires.at(-1).say({ type: "welcome", epoch: "e1" });
  return wires.at(-1);
}

beforeEach(() => {
  [wires, links, frames, tickets] = [[], [], [], 0];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});

test("hello is the first frame and carries ticket, epoch and cursors", async () => {
  const wire = await live(make());
  assert.deepEqual(wire.sent[0], { type: "hello", ref: "hello", ticket: "t1", epoch: "e1", cursors: { c1: 4 } });
  assert.equal(links.at(-1).state, "live");
});

test("an answer reaches the one who asked", async () => {
  const socket = make();
  const wire = await live(socket);
  const [first, second] = [socket.request({ type: "a" }), socket.request({ type: "b" })];
  const [a, b] = wire.sent.slice(1);
  wire.say({ type: "error", ref: b.ref, code: "full", message: "No slot." });
  wire.say({ type: "ack", ref: a.ref, index: 7 });
  assert.equal((await first).index, 7);
  await assert.rejects(second, (error) => error.code === "full");
});

test("a lost line is stale, rejects what waits, and comes back with a new ticket", async () => {
  const socket = make();
  const wire = await live(socket);
  const waiting = socket.request({ type: "post" });
  wire.onclose({ code: 1006 });
  await assert.rejects(waiting, (error) => error.code === "offline");
  assert.equal(links.at(-1).state, "stale");
  mock.timers.tick(600);
  await settle();
  wires.at(-1).onopen();
  assert.equal(wires.at(-1).sent[0].ticket, "t2");
});

test("delays grow to thirty seconds and never end", async () => {
  const socket = make({ random: () => 1 });
  socket.start();
  const delays = [];
  for (let n = 0; n < 12; n += 1) {
    await settle();
    wires.at(-1).onclose({ code: 1006 });
    delays.push(links.at(-1).retryAt - Date.now());
    mock.timers.tick(delays.at(-1));
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000, 30000]);
  assert.equal(links.at(-1).state, "connecting", "what was never live is not stale");
});

test("a restart is met within five seconds, spread", async () => {
  const wire = await live(make({ random: () => 0.9 }));
  wire.onclose({ code: 1012 });
  assert.equal(links.at(-1).retryAt - Date.now(), 4500);
});

test("waking connects at once and only once", async () => {
  const socket = make();
  const wire = await live(socket);
  wire.onclose({ code: 1006 });
  socket.wake();
  socket.wake();
  await settle();
  assert.equal(wires.length, 2);
});

test("silence ends the line without waiting for its close", async () => {
  const wire = await live(make());
  mock.timers.tick(50_000);
  assert.equal(links.at(-1).state, "stale");
  assert.equal(wire.closedWith, 4000);
});

test("heartbeats are answered with our cursors", async () => {
  const wire = await live(make());
  wire.say({ type: "ping", heads: {} });
  assert.deepEqual(wire.sent.at(-1), { type: "pong", cursors: { c1: 4 } });
});

test("a late frame of an old line is not heard", async () => {
  const socket = make();
  const wire = await live(socket);
  wire.onclose({ code: 1006 });
  mock.timers.tick(600);
  await settle();
  frames.length = 0;
  wire.say({ type: "events", chat: "c1", events: [] });
  assert.deepEqual(frames, []);
});

test("who was signed out is told, not retried", async () => {
  const socket = make({ ticket: async () => Promise.reject({ code: "unauthorized", message: "" }) });
  socket.start();
  await settle();
  assert.equal(links.at(-1).state, "signed_out");
  mock.timers.tick(60_000);
  assert.equal(wires.length, 0);
});
