// How a log becomes lines, and what becomes a link.
import assert from "node:assert/strict";
import { test } from "node:test";

import { luminance, readableOn } from "../../agents/static/desk/accent.js";
import { splitLinks, toLines } from "../../agents/static/desk/lines.js";

let position = 0;
const at = (minute, day = 21) => `2026-11-${day}T09:${String(minute).padStart(2, "0")}:00Z`;
const say = (kind, minute, extra = {}) => {
  position += 1;
  return { position, index: position, type: "message.posted", at: at(minute), sender: { kind, name: kind }, text: "x", ...extra };
};
const shape = (lines) => lines.map((line) => (line.kind === "group" ? `${line.side}${line.note ? " note" : ""} ${line.events.length}` : line.kind));

test("messages of one sender within five minutes are one group", () => {
  const lines = toLines([say("customer", 0), say("customer", 2), say("agent", 3), say("customer", 4), say("customer", 30)], undefined);
  assert.deepEqual(shape(lines), ["day", "in 2", "out 1", "in 1", "in 1"]);
});

test("notes never stand in a group with messages", () => {
  const lines = toLines([say("agent", 0), say("agent", 1, { type: "note.posted", index: null }), say("agent", 2)], undefined);
  assert.deepEqual(shape(lines), ["day", "out 1", "out note 1", "out 1"]);
});

test("the new line stands before the first unread message of the customer, once", () => {
  position = 0;
  const events = [say("customer", 0), say("agent", 1), say("customer", 2), say("customer", 3)];
  assert.deepEqual(shape(toLines(events, 2)), ["day", "in 1", "out 1", "new", "in 2"]);
});

test("what was said before the chat is a block of its own", () => {
  const history = { type: "history.imported", index: null, data: { entries: [{ kind: "bot", name: "", text: "x", at: null }] } };
  assert.deepEqual(shape(toLines([say("customer", 0), say("system", 1, history), say("customer", 2)], undefined)), ["day", "in 1", "imported", "in 1"]);
});

test("each day begins with a line", () => {
  assert.deepEqual(shape(toLines([say("customer", 0, { at: at(0, 20) }), say("customer", 1)], undefined)), ["day", "in 1", "day", "in 1"]);
});

test("only http and https become links", () => {
  const text = "see https://a.example/x?y=1, javascript:alert(1) data:text/html,x http://javascript:alert(1) (http://b.example/(c)) ftp://x";
  assert.deepEqual(splitLinks(text).filter((part) => part.href).map((part) => part.href), ["https://a.example/x?y=1", "http://b.example/(c)"]);
  assert.equal(splitLinks(text).map((part) => part.text).join(""), text, "nothing is lost");
});

test("text on the accent is readable", () => {
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  for (const hex of ["#2f6fed", "#ffd400", "#1c7a57", "#000000", "#ffffff", "#e0573e", "#777777"]) {
    assert.ok(contrast(luminance(hex), luminance(readableOn(hex))) >= 4, hex);
  }
});
