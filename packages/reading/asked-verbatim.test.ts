import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildIndex, openIndex } from "@caigun/passages";
import { answerAskedVerbatim } from "./asked-verbatim.ts";
import type { Candidate } from "./ranking.ts";
import { read } from "./read.ts";

test("a question that the text asks in the same words gets its answer with certainty, and no other does", () => {
  const folder = mkdtempSync(join(tmpdir(), "caigun-verbatim-"));
  try {
    const text =
      "Gloves are available in many shops, and gloves of wool are available here too.\n\n" +
      "Q: Are gloves available?\nA: From November on.\n\nQ: Why not gloves?\nA: It is too warm.\n\n" +
      "問：你們有賣咖啡嗎？\n答：只賣茶。\n\n" +
      "Q: How do I get from the shop to the station?\nA: By bus 3.\n\n" +
      "Q: How do I get from the station to the shop?\nA: By bus 7.\n\n" +
      "Q: Is tea dearer than coffee?\nA: Yes.";
    buildIndex(join(folder, "index"), [{ id: "text", title: "text", text }]);
    const index = openIndex(join(folder, "index"));
    const ask = (question: string) => read(question, index.search(question, 5), { threshold: 1 });
    for (const [question, answer] of [
      ["Are gloves available?", "From November on."],
      ["are gloves AVAILABLE", "From November on."],
      ["你们有卖咖啡吗", "只賣茶。"],
      ["how do I get from the station to the shop", "By bus 7."],
      ["how do I get from the shop to the station", "By bus 3."],
    ] as const)
      assert.deepEqual([ask(question).confidence, ask(question).text], [1, answer], question);
    for (const question of ["Why gloves?", "Are gloves available on Sunday?", "gloves", "你們有賣紅茶嗎？", "?"])
      assert(ask(question).confidence < 1, question);
    assert(ask("Is coffee dearer than tea?").confidence < 1, "the same words in another order ask something else");
    const slip = index.correct("Are glovs available?");
    assert.equal(slip.text, "Are gloves available?");
    const found = index.search(slip.text, 5, { corrections: slip.corrections });
    assert(read(slip.text, found, { threshold: 1 }).confidence < 1, "these are not the person's words");
    index.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a message without words asks nothing that a text could ask in the same ones", () => {
  const passage = { kind: "qa", question: "?", leadTerms: [] } as unknown as Candidate["passage"];
  const found = { passage } as Candidate;
  const evidence = { query: { language: "en", terms: [] }, passages: [passage] };
  assert.equal(answerAskedVerbatim([found], evidence, "🤷"), undefined);
});
