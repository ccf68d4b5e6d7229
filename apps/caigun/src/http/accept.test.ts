import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { negotiate } from "./accept.ts";

const json = "application/json";
const events = "text/event-stream";

test("who says nothing, or anything, gets JSON", () => {
  for (const accept of [
    undefined,
    "",
    "*/*",
    "application/*",
    "application/json",
    "text/html, */*;q=0.1",
    "Application/JSON; charset=utf-8",
  ]) {
    assert.equal(negotiate(accept, [json, events]), json, accept);
  }
});

test("an event stream is sent to those who name it", () => {
  assert.equal(negotiate(events, [json, events]), events);
  assert.equal(negotiate(`${events}, ${json}`, [json, events]), events);
  assert.equal(negotiate(`${json}, ${events}`, [json, events]), json);
  assert.equal(negotiate(`${json};q=0.5, ${events}`, [json, events]), events);
  assert.equal(negotiate(`*/*, ${events}`, [json, events]), events);
  assert.equal(negotiate("text/*", [json, events]), events);
});

test("who accepts neither gets neither", () => {
  for (const accept of ["text/html", "application/xml", "application/json;q=0", "*/*;q=0", "image/*"]) {
    assert.equal(negotiate(accept, [json]), undefined, accept);
  }
  assert.equal(negotiate(json, [events]), undefined);
  assert.equal(negotiate(`${json};q=0, */*`, [json, events]), events);
});

test("whatever the header, the answer is one of those offered or none", () => {
  fc.assert(
    fc.property(fc.string(), (accept) => {
      const chosen = negotiate(accept, [json, events]);
      assert.ok(chosen === undefined || chosen === json || chosen === events);
    }),
  );
});
