import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, type ProblemCode, problems } from "./index.ts";

const codes = Object.keys(problems) as ProblemCode[];

test("every code has one of the contract's statuses and a sentence", () => {
  for (const code of codes) {
    const problem = new Problem(code);
    assert.match(code, /^[a-z]+(_[a-z]+)*$/);
    assert.ok([400, 401, 403, 404, 405, 406, 410, 429, 500, 503].includes(problem.status), code);
    assert.match(problem.message, /^[A-Z].*\.$/, code);
  }
});

test("a problem says what its thrower says, and else what the catalogue says", () => {
  assert.equal(new Problem("no_model", "Train one.").message, "Train one.");
  assert.equal(new Problem("no_model").message, problems.no_model[1]);
  const cause = new Error("why");
  const problem = new Problem("unavailable", undefined, { cause, retryAfterSeconds: 3 });
  assert.deepEqual([problem.cause, problem.retryAfterSeconds, problem.status], [cause, 3, 503]);
});
