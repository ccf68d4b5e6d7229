import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { weightsForTests } from "../testkit/weights.ts";
import { EmbeddedSearch } from "./embedded.ts";
import {
  askFollowUps,
  askHandbook,
  followUpRate,
  type Handbook,
  handbooks,
  rates,
  readHandbook,
  type Search,
  searchBy,
} from "./handbooks.ts";
import { comparable } from "./measures.ts";

type Figures = ReturnType<typeof rates> & { follow_ups: number };

/** What the reader reaches today, as shares (0..1), by words and, where the model knows the language, by vectors too; raise them with it. */
const floors: Record<Handbook, { words: Figures; vectors?: Figures }> = {
  "bicycle-works": {
    words: { answered_right: 0.71, refused: 0.51, follow_ups: 0.65 },
    vectors: { answered_right: 0.74, refused: 0.75, follow_ups: 0.5 },
  },
  "tea-house": { words: { answered_right: 0.65, refused: 0.81, follow_ups: 0.7 } },
};

async function figuresOf(name: Handbook, search?: Search): Promise<Figures> {
  const follow_ups = followUpRate(await askFollowUps(name, search));
  return { ...rates(await askHandbook(name, search)), follow_ups };
}

function assertReached(figures: Figures, floor: Figures): void {
  for (const [name, least] of Object.entries(floor)) {
    const value = figures[name as keyof Figures];
    assert(value >= least, `${name} is ${value.toFixed(3)}, below ${least}`);
  }
}

describe("our own handbooks", () => {
  for (const name of handbooks) {
    const { words, vectors } = floors[name];
    it(`${name}: answers and refusals by words don't drop`, async () => assertReached(await figuresOf(name), words));

    if (vectors)
      it(`${name}: answers and refusals by words and vectors don't drop`, async (t) => {
        const weights = await weightsForTests();
        if ("missing" in weights) return t.skip(weights.missing);
        const embedded = await EmbeddedSearch.open(weights.files["model.onnx"]!.path);
        try {
          assertReached(await figuresOf(name, searchBy(embedded)), vectors);
        } finally {
          await embedded.close();
        }
      });

    it(`${name}: has a hundred questions, a third of them unanswerable, and holds every answer`, () => {
      const { text, questions } = readHandbook(name);
      assert.equal(questions.length, 100);
      assert.equal(questions.filter(({ answer }) => answer === null).length, 33);
      for (const { answer } of questions)
        if (answer !== null) assert(comparable(text).includes(comparable(answer)), answer);
    });

    it(`${name}: has twenty follow-ups, and holds every answer`, () => {
      const { text, followUps } = readHandbook(name);
      assert.equal(followUps.length, 20);
      for (const { first, second, answer, standalone } of followUps) {
        assert(first !== "" && second !== "" && answer !== "" && standalone !== "", first);
        assert(text.includes(answer), answer);
      }
    });
  }
});
