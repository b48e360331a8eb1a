// What the agent wrote reaches the server once, in order, whatever happens on the way.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Poster } from "../../agents/static/desk/poster.js";
import { Store } from "../../agents/static/desk/store.js";

class Memory {
  constructor() {
    this.map = new Map();
  }
  get length() {
    return this.map.size;
  }
  key(n) {
    return [...this.map.keys()][n] ?? null;
  }
  getItem(key) {
    return this.map.get(key) ?? null;
  }
  setItem(key, value) {
    this.map.set(key, value);
  }
  removeItem(key) {
    this.map.delete(key);
  }
}

const settle = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

const post = (id, text = id) => ({
  client_id: id, chat: "c1", text, note: false, attachments: [], at: `2026-11-21T09:00:0${id.slice(1)}Z`, state: "waiting",
});

let asked;
let answers;
let storage;
let store;

/** A server that answers each post with the next of `answers`, then with acks. */
function make() {
  return new Poster(store, (frame) => {
    asked.push(frame);
    const answer = answers.shift() ?? { position: asked.length };
    return answer.code ? Promise.reject(answer) : Promise.resolve(answer);
  }, storage, "p.");
}

beforeEach(() => {
  [asked, answers, storage, store] = [[], [], new Memory(), new Store()];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

const pending = () => store.thread("c1").pending.map((item) => `${item.client_id} ${item.state}`);

test("posts go one after the other and are forgotten when acknowledged", async () => {
  const poster = make();
  poster.add(post("k1"));
  poster.add(post("k2"));
  await settle();
  assert.deepEqual(asked.map((frame) => frame.client_id), ["k1", "k2"]);
  assert.deepEqual(pending(), ["k1 sent", "k2 sent"]);
  assert.equal(storage.length, 0);
});

test("a lost line keeps both, and the next one sends them in order with the same ids", async () => {
  answers = [{ code: "offline" }];
  const poster = make();
  poster.add(post("k1"));
  poster.add(post("k2"));
  await settle();
  assert.deepEqual(pending(), ["k1 waiting", "k2 waiting"]);
  assert.equal(storage.length, 2);
  poster.pumpAll();
  await settle();
  assert.deepEqual(asked.map((frame) => frame.client_id), ["k1", "k1", "k2"]);
});

test("a server that asks for patience gets it", async () => {
  answers = [{ code: "too_many", retry_after: 3 }];
  make().add(post("k1"));
  await settle();
  mock.timers.tick(2900);
  await settle();
  assert.equal(asked.length, 1);
  mock.timers.tick(200);
  await settle();
  assert.equal(asked.length, 2);
});

test("a refusal waits for the person and lets the next one through", async () => {
  answers = [{ code: "closed", message: "This chat has ended." }];
  const poster = make();
  poster.add(post("k1"));
  poster.add(post("k2"));
  await settle();
  assert.deepEqual(pending(), ["k1 failed", "k2 sent"]);
  assert.equal(store.thread("c1").pending[0].error, "This chat has ended.");
  poster.again(store.thread("c1").pending[0]);
  await settle();
  assert.deepEqual(asked.map((frame) => frame.client_id), ["k1", "k2", "k1"]);
});

test("a new page takes up what the old one could not finish", async () => {
  answers = [{ code: "offline" }];
  const old = make();
  old.add(post("k1"));
  old.add(post("k2"));
  await settle();
  storage.setItem("p.broken", "{");
  storage.setItem("other", "not ours");
  store = new Store();
  const poster = make();
  poster.restore();
  poster.pumpAll();
  await settle();
  assert.deepEqual(asked.slice(1).map((frame) => frame.client_id), ["k1", "k2"]);
});

test("what is discarded is gone for good", async () => {
  answers = [{ code: "closed" }];
  const poster = make();
  poster.add(post("k1"));
  await settle();
  poster.discard(store.thread("c1").pending[0]);
  assert.deepEqual(pending(), []);
  assert.equal(storage.length, 0);
});
