import assert from "node:assert/strict";
import { it } from "node:test";
import { type Wording, wordedBy } from "./worded-by.ts";

const nothing: Wording = { chosen: null, effective: "none", stayLocal: false, hasAdapter: false, configured: [] };
const google = [{ name: "google" }];

it("tells none that was chosen from nothing that is configured, and from what is overruled", () => {
  assert.match(wordedBy(nothing), /^none: nothing was chosen, and the server has no default/);
  assert.match(wordedBy({ ...nothing, chosen: "none" }), /^none, as was chosen/);
  const overruled = { ...nothing, stayLocal: true, configured: google };
  assert.match(wordedBy(overruled), /^none: google stays overruled while "stay local" is yes/);
  assert.match(wordedBy({ ...overruled, chosen: "google" }), /^none: google stays overruled/);
  assert.match(wordedBy({ ...nothing, chosen: "gguf" }), /^none: gguf was chosen, and the server has not been told/);
});

it("tells who words the replies, and whether they leave the machine", () => {
  assert.match(
    wordedBy({ ...nothing, effective: "google", configured: google }),
    /^google, which questions and passages are sent to; the server's default$/,
  );
  assert.match(wordedBy({ ...nothing, chosen: "gguf", effective: "gguf" }), /^gguf, on this machine$/);
  assert.match(wordedBy({ ...nothing, hasAdapter: true }), /^its own weights \(gpt2\), on this machine$/);
  const both = { ...nothing, chosen: "google", effective: "google", hasAdapter: true, configured: google } as const;
  assert.match(wordedBy(both), /^its own weights \(gpt2\), on this machine: they come before google$/);
  assert.match(wordedBy({ ...both, chosen: "none" }), /^none, as was chosen/);
});
