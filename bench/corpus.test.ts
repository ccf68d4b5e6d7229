import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeCorpus } from "./corpus.ts";

describe("the corpus", () => {
  it("is the same every time, and another with another seed", () => {
    assert.deepEqual(makeCorpus(30, 7), makeCorpus(30, 7));
    assert.notEqual(makeCorpus(30, 7).text, makeCorpus(30, 8).text);
  });

  it("has as many paragraphs as asked for", () => {
    assert.equal(makeCorpus(30).text.split("\n\n").length, 30);
  });

  it("asks questions that differ, whose answers stand where they say, all in ASCII", () => {
    const { text, questions } = makeCorpus(200);
    assert.equal(questions.length, 800);
    assert.equal(new Set(questions.map(({ question }) => question)).size, questions.length);
    for (const { answer, start, end } of questions) assert(text.slice(start, end).includes(answer));
    assert.match(text, /^[\x20-\x7e\n]+$/);
  });
});
