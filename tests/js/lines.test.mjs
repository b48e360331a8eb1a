// How a log becomes lines, and what becomes a link.
import assert from "node:assert/strict";
import { test } from "node:test";

import { luminance, readableOn } from "../../agents/static/desk/accent.js";
import { fileNames, hostOf, linkName, splitLinks, toLines } from "../../agents/static/desk/lines.js";

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

test("what the customer's side tells staff is a note, and none of the customer's messages", () => {
  const lines = toLines([say("customer", 0), say("customer", 1, { type: "note.posted", index: null }), say("customer", 2)], 1);
  assert.deepEqual(shape(lines), ["day", "new", "in 1", "in note 1", "in 1"]);
});

test("a group is meant for the same people", () => {
  const to = (...names) => ({ data: { to: names.map((name) => ({ id: name, name })) } });
  const lines = toLines([say("agent", 0), say("agent", 0, to("Ann")), say("agent", 0, to("Ann")), say("agent", 0, to("Ann", "Bob")), say("agent", 0)], undefined);
  assert.deepEqual(lines.slice(1).map((line) => [line.to, line.events.length]), [[[], 1], [["Ann"], 2], [["Ann", "Bob"], 1], [[], 1]]);
});

test("a link has a name, and an honest host", () => {
  const link = (name, url) => ({ type: "image/png", name, url });
  assert.equal(linkName(link("Map", "https://a.example/1")), "Map");
  assert.equal(linkName(link("  ", "https://a.example:8443/1")), "a.example:8443");
  assert.equal(hostOf("https://bаnk.example/"), "xn--bnk-6cd.example", "a letter of another alphabet is told");
  assert.deepEqual(["javascript:alert(1)", "data:text/html,x", "/x", "", "https://"].map(hostOf), ["", "", "", "", ""]);
  const event = say("customer", 0, { text: "", attachments: [{ name: "a.pdf" }], data: { links: [link("", "https://a.example/1"), link("Map", "https://b.example")] } });
  assert.equal(fileNames(event), "a.pdf, a.example, Map");
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
