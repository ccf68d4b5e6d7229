import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askFollowUps, askHandbook, followUpRate, type Handbook, handbooks, rates, readHandbook } from "./handbooks.ts";
import { comparable } from "./measures.ts";

/** What the reader reaches today, as shares (0..1); raise them with it. */
const floors: Record<Handbook, ReturnType<typeof rates>> = {
  "bicycle-works": { answered_right: 0.65, refused: 0.54 },
  "tea-house": { answered_right: 0.59, refused: 0.84 },
};

/** The share of the follow-ups that are answered right, resolved by rules and read by words alone. */
const followUpFloors: Record<Handbook, number> = { "bicycle-works": 0.5, "tea-house": 0.7 };

describe("our own handbooks", () => {
  for (const name of handbooks) {
    it(`${name}: answers and refusals don't drop`, () => {
      const reached = rates(askHandbook(name));
      for (const [figure, floor] of Object.entries(floors[name])) {
        const value = reached[figure as keyof typeof reached];
        assert(value >= floor, `${figure} is ${value.toFixed(3)}, below ${floor}`);
      }
    });

    it(`${name}: has a hundred questions, a third of them unanswerable, and holds every answer`, () => {
      const { text, questions } = readHandbook(name);
      assert.equal(questions.length, 100);
      assert.equal(questions.filter(({ answer }) => answer === null).length, 33);
      for (const { answer } of questions)
        if (answer !== null) assert(comparable(text).includes(comparable(answer)), answer);
    });

    it(`${name}: answers to follow-ups don't drop`, () => {
      const reached = followUpRate(askFollowUps(name));
      assert(reached >= followUpFloors[name], `${reached.toFixed(3)} is below ${followUpFloors[name]}`);
    });

    it(`${name}: has twenty follow-ups, and holds every answer`, () => {
      const { text, followUps } = readHandbook(name);
      assert.equal(followUps.length, 20);
      for (const { first, second, answer } of followUps) {
        assert(first !== "" && second !== "" && answer !== "", first);
        assert(text.includes(answer), answer);
      }
    });
  }
});
