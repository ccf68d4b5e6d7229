import assert from "node:assert/strict";
import { test } from "node:test";
import { distinctionsOf } from "./distinctions.ts";

test("texts that differ in a number, a time or a negation are told apart", () => {
  for (const [language, one, other] of [
    ["en", "What does a 2 day rental cost?", "What does a 3 day rental cost?"],
    ["en", "What does a two day rental cost?", "What does a three day rental cost?"],
    ["en", "Can I return a bike?", "Can't I return a bike?"],
    ["en", "Can I leave with paying?", "Can I leave without paying?"],
    ["en", "Are you open on Sundays?", "Are you open on Mondays?"],
    ["en", "Where does route 1 begin?", "Where does route 2 begin?"],
    ["en", "Where does route 1 begin?", "Where does the route begin?"],
    ["en", "Do you have B12?", "Do you have B6?"],
    ["zh", "租兩天多少錢？", "租三天多少錢？"],
    ["zh", "可以退嗎？", "不可以退嗎？"],
  ] as const)
    assert.notDeepEqual(distinctionsOf(one, language), distinctionsOf(other, language), `${one} ${other}`);
});

test("other wordings of the same number or negation are the same", () => {
  for (const [language, one, other] of [
    ["en", "What does a 2 day rental cost?", "what is the price of renting for two days?"],
    ["en", "Can't I return a bike?", "can’t I bring a bike back"],
    ["zh", "租2天多少錢？", "租两天多少钱"],
    ["de", "Haben Sie Gutscheine?", "Gutscheine?"],
  ] as const)
    assert.deepEqual(distinctionsOf(one, language), distinctionsOf(other, language), `${one} ${other}`);
});
