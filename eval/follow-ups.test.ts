import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveFollowUp } from "@caigun/reading";
import { handbooks, readHandbook } from "./handbooks.ts";

// A question that stands alone and is taken for a follow-up is searched with words that have nothing to do with it.
test("of the handbooks' questions, asked as one conversation, none leans on the one before", () => {
  for (const name of handbooks) {
    let before: string | undefined;
    for (const { question } of readHandbook(name).questions) {
      assert.equal(resolveFollowUp(question, before), question);
      before = question;
    }
  }
});
