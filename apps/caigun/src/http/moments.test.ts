import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMoment } from "./moments.ts";

const instants = fc.date({
  min: new Date("0001-01-01T00:00:00Z"),
  max: new Date("9999-12-31T00:00:00Z"),
  noInvalidDate: true,
});

test("every time that a reply shows is read back as the same instant", () => {
  fc.assert(
    fc.property(instants, (date) => {
      assert.equal(parseMoment(date.toISOString(), "start")?.getTime(), date.getTime());
    }),
  );
});

test("a bare date spans its whole day, zero-padded or not", () => {
  for (const text of ["2023-11-06", "2023-11-6"]) {
    assert.equal(parseMoment(text, "start")?.toISOString(), "2023-11-06T00:00:00.000Z");
    assert.equal(parseMoment(text, "end")?.toISOString(), "2023-11-06T23:59:59.999Z");
  }
  assert.equal(parseMoment("1970-1-1", "start")?.getTime(), 0);
});

test("offsets, a space for the T, microseconds and missing seconds are understood", () => {
  const expected = "2023-11-06T09:09:41.552Z";
  for (const text of [
    "2023-11-06 09:09:41.552",
    "2023-11-06T09:09:41.552265Z",
    "2023-11-06T10:09:41.552+01:00",
    "2023-11-06T04:39:41.552-0430",
    "2023-11-06t11:09:41.552+02",
  ]) {
    assert.equal(parseMoment(text, "start")?.toISOString(), expected, text);
  }
  assert.equal(parseMoment("2023-11-06T09:09", "end")?.toISOString(), "2023-11-06T09:09:00.000Z");
});

test("what no calendar or clock has is refused", () => {
  for (const text of [
    "",
    "now",
    "2023-02-29",
    "2023-13-01",
    "2023-00-10",
    "2023-11-06T24:00",
    "2023-11-06T09:60",
    "1699261781",
    "2023-11-06T09:09:41+99:00",
  ]) {
    assert.equal(parseMoment(text, "start"), undefined, text);
  }
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const date = parseMoment(text, "end");
      assert.ok(date === undefined || !Number.isNaN(date.getTime()));
    }),
  );
});
