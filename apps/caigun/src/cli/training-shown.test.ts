import assert from "node:assert/strict";
import { it } from "node:test";
import { type Progress, TrainingShown } from "./training-shown.ts";

const learning = {
  step: 1,
  steps: 20,
  loss: 3.25,
  held_out_loss: null,
  tokens_per_second: 250,
  seconds_left: 40,
  base: "smollm2-135m-instruct-q4_1",
  base_because: "gpt2 can't be fetched.",
};
const progress = (more: Partial<Progress>): Progress => ({
  status: "training",
  stage: "learn",
  progress: 0.1,
  learning: null,
  failure: null,
  ...more,
});

it("says as soon as learning begins that another base stands in, and once alone", () => {
  const shown = new TrainingShown();
  assert.equal(shown.after(progress({ stage: "index" })).beside, "index");
  const opening = shown.after(progress({}));
  assert.deepEqual(opening, { beside: "learn: the base is fetched or opened", line: undefined });
  const first = shown.after(progress({ learning }));
  assert.equal(
    first.line,
    "gpt2's own weights can't be had: smollm2-135m-instruct-q4_1 stands in. gpt2 can't be fetched.",
  );
  assert.match(first.beside, /^step 1 of 20, loss 3\.25/);
  assert.equal(shown.after(progress({ learning: { ...learning, step: 2 } })).line, undefined);
});

it("says nothing of a base that is the one that was meant", () => {
  const shown = new TrainingShown();
  assert.equal(shown.after(progress({ learning: { ...learning, base_because: null } })).line, undefined);
});
