// Chats that travel by a network: how long a text is, when one may write, what did not arrive.
import assert from "node:assert/strict";
import { test } from "node:test";

import { smsParts } from "../../agents/static/desk/sms.js";
import { Store } from "../../agents/static/desk/store.js";
import { closedBecause, closesSoon, failures, fateOf, isByConnector, mayLeave, tooMuch, travels } from "../../agents/static/desk/travel.js";

const NOW = Date.parse("2026-11-21T09:00:00Z");
const by = (delivery) => ({ id: "c1", state: "active", delivery: { carrier: "twilio", most_text: 1600, window_ends_at: null, stopped: false, ...delivery } });

test("a text makes as many messages as the phone network counts", () => {
  const counted = (text) => Object.values(smsParts(text)).slice(0, 3);
  for (const [text, used, room, parts] of [
    ["", 0, 160, 1],
    ["x".repeat(160), 160, 160, 1],
    ["x".repeat(161), 161, 306, 2],
    ["x".repeat(307), 307, 459, 3],
    ["Grüße à Ñandú: é\n", 17, 70, 1], // ú is not of the small alphabet, ü, à and Ñ are
    ["Grüße à Ñandù: é\n", 17, 160, 1],
    ["€".repeat(80), 160, 160, 1],
    ["€".repeat(77), 154, 160, 1],
    ["x".repeat(152) + "€" + "x".repeat(152), 306, 459, 3], // the € goes whole into the second, which then overflows
    ["ł".repeat(70), 70, 70, 1],
    ["ł".repeat(71), 71, 134, 2],
    ["😀".repeat(35), 70, 70, 1],
    ["😀".repeat(67), 134, 201, 3], // 33 whole ones in each
    ["سلام", 4, 70, 1],
  ]) assert.deepEqual(counted(text), [used, room, parts], JSON.stringify(text.slice(0, 20)));
  assert.deepEqual([smsParts("a`").isPlain, smsParts("a'").isPlain], [false, true]);
});

test("one may write unless the customer said STOP, the window is over or the text is too long", () => {
  const at = (minutes) => new Date(NOW + minutes * 60_000).toISOString();
  for (const [chat, because, soon] of [
    [by({}), "", false],
    [by({ stopped: true, window_ends_at: at(-1) }), "stopped", false],
    [by({ window_ends_at: at(0) }), "window", false],
    [by({ window_ends_at: at(1) }), "", true],
    [by({ window_ends_at: at(60) }), "", true],
    [by({ window_ends_at: at(61) }), "", false],
    [{ id: "c1", delivery: null }, "", false],
    [{ id: "c1" }, "", false],
  ]) assert.deepEqual([closedBecause(chat, NOW), closesSoon(chat, NOW)], [because, soon]);
  assert.deepEqual([tooMuch(by({}), "😀".repeat(1601)), tooMuch(by({}), "x".repeat(1600)), tooMuch(by({ most_text: null }), "x".repeat(9999))], [1, 0, 0]);
  assert.deepEqual([mayLeave(by({}), "x", NOW), mayLeave(by({}), "x".repeat(1601), NOW), mayLeave(by({ stopped: true }), "x", NOW)], [true, false, false]);
});

test("a connector is no network of ours", () => {
  const known = [by({}), by({ carrier: "connector" }), { delivery: { connector: "sms" } }, { delivery: null }];
  assert.deepEqual(known.map(isByConnector), [false, true, true, false]);
  assert.deepEqual(known.map(travels), [true, false, false, false]);
});

test("what failed stays so until it is sent again, and then until it arrives", () => {
  const store = new Store();
  const failed = (position, index, error) => ({ position, index: null, type: "message.failed", at: "", sender: { kind: "system", name: "" }, data: { index, error, code: "" } });
  const [first, other, second] = [failed(5, 2, "Unknown number"), failed(6, 3, "Busy"), failed(9, 2, "Still unknown")];
  const found = failures([first, other, second]);
  assert.deepEqual([...found.values()].map((event) => event.data.error), ["Still unknown", "Busy"]);
  const thread = store.thread("c1");
  thread.delivered = 4; // of a later message: that says nothing of this one
  assert.equal(fateOf(thread, first), "failed");
  store.markAgain("c1", 2, 5);
  assert.deepEqual([fateOf(thread, first), fateOf(thread, other), fateOf(thread, second)], ["again", "failed", "failed"]);
  store.receive({ type: "delivered", chat: "c1", kind: "customer", index: 5 }, NOW);
  assert.equal(fateOf(thread, first), "arrived");
  store.markAgain("c1", 2, 0);
  assert.equal(fateOf(thread, first), "failed");
  // What the log says holds for everybody, also for a desk that was opened later.
  const resent = { ...second, position: 10, type: "message.resent", data: { index: 2 } };
  assert.equal(failures([first, resent]).get(2), resent);
  const later = new Store().thread("c1");
  assert.equal(fateOf(later, resent), "again");
  later.delivered = 2;
  assert.equal(fateOf(later, resent), "arrived");
});
