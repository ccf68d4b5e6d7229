import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { numerals } from "./numerals.ts";
import { vocabularyOf } from "./vocabulary.ts";

const HAN = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/** 1..9999 in Han characters. */
function inHan(value: number): string {
  const digits = [...String(value).padStart(4, "0")].map(Number);
  let written = "";
  for (const [place, unit] of ["千", "百", "十", ""].entries()) {
    const digit = digits[place]!;
    if (digit > 0) written += HAN[digit]! + unit;
    else if (written !== "" && !written.endsWith("零") && digits.slice(place).some((rest) => rest > 0)) written += "零";
  }
  return written;
}

it("reads numbers in Han characters as it does in digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_999 }), (value) => {
      for (const text of [inHan(value), String(value), value.toLocaleString("en-US")])
        assert.deepEqual(
          numerals(`共${text}人`, vocabularyOf("zh")).map(({ value }) => value),
          [value],
          text,
        );
    }),
  );
});

it("reads numbers in words, with their scales", () => {
  const values = (text: string) => numerals(text, vocabularyOf("en")).map(({ value }) => value);
  assert.deepEqual(values("twenty-four people, one hundred and 2.5 million"), [24, 100, 2_500_000]);
  assert.deepEqual(values("three thousand two hundred"), [3_200]);
  assert.deepEqual(values("someone in Tennessee wasn't often there"), []);
  assert.deepEqual(
    numerals("二〇二四年15万", vocabularyOf("zh")).map(({ value }) => value),
    [2_024, 150_000],
  );
});
