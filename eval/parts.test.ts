import assert from "node:assert/strict";
import { test } from "node:test";
import { type Part, parts, plan } from "./parts.ts";
import type { SquadFile } from "./squad.ts";

const question = (id: string, answer: string, article: number, paragraph: number) => ({
  id,
  question: `Where is ${id}?`,
  answers: [answer],
  places: [],
  article,
  paragraph,
});

const file: SquadFile = {
  sha256: "",
  articles: [
    { title: "Two", paragraphs: ["The elephant lives in Africa.", "The tiger lives in Asia."] },
    { title: "Alone", paragraphs: ["The kangaroo lives in Australia."] },
    { title: "Same", paragraphs: ["The penguin lives in the SOUTH.", "The walrus lives in the north, not the south."] },
  ],
  questions: [
    question("elephant", "Africa", 0, 0),
    question("kangaroo", "Australia", 1, 0),
    question("penguin", "south", 2, 0),
    question("walrus", "north", 2, 1),
  ],
};

const plans = (only: readonly Part[], asks: (article: number) => boolean = () => true) =>
  plan(file, new Set(only), asks).map(({ text, askings }) => ({
    text: text.text,
    asked: askings.map(({ role, question }) => `${role} ${question.id}`),
  }));

test("the whole file is asked its own questions", () => {
  assert.deepEqual(
    plans(["reading"]).map(({ asked }) => asked),
    [["own elephant", "own kangaroo", "own penguin", "own walrus"]],
  );
  assert.equal(plans(["typos"])[0]!.asked.length, 4);
  assert.deepEqual(plans([]), []);
});

test("half the articles are asked all questions", () => {
  assert.deepEqual(
    plans(["foreign"]).map(({ asked }) => asked),
    [
      ["trained elephant", "foreign kangaroo", "trained penguin", "trained walrus"],
      ["foreign elephant", "trained kangaroo", "foreign penguin", "foreign walrus"],
    ],
  );
});

test("a passage is left out where the article has others and its answer stands in none of them", () => {
  assert.deepEqual(plans(["hard"]), [
    { text: file.articles[0]!.paragraphs.join("\n\n"), asked: ["kept elephant"] },
    { text: "The tiger lives in Asia.", asked: ["hard elephant"] },
    { text: file.articles[2]!.paragraphs.join("\n\n"), asked: ["kept walrus"] },
    { text: "The penguin lives in the SOUTH.", asked: ["hard walrus"] },
  ]);
});

test("only questions of the articles named are asked, of the same models", () => {
  const all = plans(parts);
  const some = plans(parts, (article) => article === 0);
  for (const { text } of some) assert.ok(all.some((plan) => plan.text === text));
  assert.ok(some.every(({ asked }) => asked.every((one) => one.endsWith("elephant"))));
});
