import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildIndex, NothingToIndex, openIndex } from "@caigun/passages";
import { type Reading, read } from "@caigun/reading";
import fc from "fast-check";
import { arbitraryText } from "../../../../../testkit/arbitrary-text.ts";
import { type Ask, checkSelf } from "./self-check.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-self-check-"));
after(() => rmSync(folder, { recursive: true }));

let built = 0;
async function check(text: string, seed: string, askInstead?: (ask: Ask) => Ask) {
  const path = join(folder, String(built++));
  buildIndex(path, [{ id: "text", title: "Text", text }]);
  const index = openIndex(path);
  try {
    const ask = (question: string) => read(question, index.search(question, 5));
    return await checkSelf(index, askInstead ? askInstead(ask) : ask, seed);
  } finally {
    index.close();
  }
}

const text = [
  "The office opens at nine in the morning. Parking costs three euros an hour.",
  "Bicycles are repaired within two days. Rented helmets must be returned clean.",
  "Complaints reach our manager by letter. Vouchers remain valid until December.",
].join("\n\n");

test("a model finds its own sentences, fills their blanks and refuses what they don't say", async () => {
  const found = await check(text, "00000000");
  assert.ok(found.sentences > 0 && found.foreign > 0);
  assert.equal(found.clozes, found.sentences);
  assert.equal(found.sentences_found, found.sentences);
  assert.equal(found.clozes_answered, found.clozes);
  assert.equal(found.foreign_refused, found.foreign);
});

test("the same index is asked the same questions, another seed's are others", async () => {
  const asked = async (seed: string) => {
    const questions: string[] = [];
    await check(text, seed, (ask) => (question) => {
      questions.push(question);
      return ask(question);
    });
    return questions;
  };
  assert.deepEqual(await asked("0a0b0c0d"), await asked("0a0b0c0d"));
  assert.notDeepEqual(await asked("00000000"), await asked("00000001"));
});

test("a model that answers wrongly, or refuses, is seen", async () => {
  const deaf = await check(text, "00000000", (ask) => () => ask("Which branch has a swimming pool?") as Reading);
  assert.equal(deaf.clozes_answered, 0);
  assert.ok(deaf.sentences_found <= deaf.sentences / 2);
  const refusing = await check(text, "00000000", (ask) => async (question) => ({
    ...(await ask(question)),
    answered: false,
  }));
  assert.deepEqual([refusing.clozes_answered, refusing.foreign_refused], [0, refusing.foreign]);
});

test("a language without a list of foreign questions is asked none", async () => {
  const found = await check(
    "Az iroda reggel kilenc órakor nyit, és délután öt órakor zár minden hétköznap.",
    "00000000",
  );
  assert.deepEqual([found.foreign, found.foreign_refused], [0, 0]);
  assert.ok(found.sentences > 0);
});

test("any text can be asked about", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryText, async (text) => {
      const found = await check(text, "0123abcd").catch((error: unknown) => {
        if (error instanceof NothingToIndex) return undefined;
        throw error;
      });
      if (!found) return;
      assert.ok(found.sentences_found <= found.sentences && found.sentences <= 40);
      assert.ok(found.clozes_answered <= found.clozes && found.clozes <= 40);
      assert.ok(found.foreign_refused <= found.foreign);
    }),
    { numRuns: 50 },
  );
});
