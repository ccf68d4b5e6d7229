import assert from "node:assert/strict";
import { test } from "node:test";
import { closeWriters, openWriters } from "../../apps/caigun/src/engines/writers/open-writers.ts";
import { answerPrompt } from "../../apps/caigun/src/engines/writers/prompt.ts";
import { measureWriting, type WritingFigures } from "../../eval/writing.ts";
import { startLlamaServer } from "./llama-server.ts";
import { smolLm2 } from "./smollm2.ts";

const ASKED = { handbook: "bicycle-works", questions: 15 } as const;

const asking = (question: string, signal: AbortSignal) => ({
  promptWithin: (mostCharacters: number) => answerPrompt(question, ["The office opens at 9 am."], mostCharacters),
  signal,
});

/** Every question is replied to, the writer was heard, and whatever is quoted stands where it is said to stand. */
function assertSound(figures: WritingFigures): void {
  console.log(JSON.stringify(figures));
  const { asked, outcomes, sent, dropped, inexactCitations } = figures;
  assert(asked >= 8);
  assert(sent + dropped > 0);
  // A model of this size may write on and on, and on a busy machine be late.
  const expected = ["written", "unsupported", "declined", "unfinished", "timeout", "circuit_open"];
  for (const outcome of Object.keys(outcomes)) assert(expected.includes(outcome), outcome);
  assert.equal(inexactCitations, 0);
}

test("a language model on this machine writes, and what it makes up is dropped", async () => {
  assertSound(await measureWriting("gguf", { CAIGUN_GGUF: await smolLm2() }, ASKED));
});

test("a real server that speaks OpenAI's protocol writes, and what it makes up is dropped", async () => {
  const server = await startLlamaServer(await smolLm2());
  try {
    const env = { CAIGUN_OPENAI_BASE_URL: server.baseUrl, CAIGUN_OPENAI_MODEL: "smollm2" };
    assertSound(await measureWriting("openai", env, ASKED));
  } finally {
    await server.close();
  }
});

test("a language model on this machine stops within a token when nobody waits, and stays loaded", async () => {
  const writers = openWriters({ gguf: { path: await smolLm2() } });
  const writer = writers.get("gguf")!;
  const firstPieceMs = async () => {
    const startedMs = performance.now();
    const signal = new AbortController().signal;
    for await (const _ of writer.write(asking("When?", signal))) return performance.now() - startedMs;
    throw new Error("It wrote nothing.");
  };
  try {
    const loadingMs = await firstPieceMs();
    const caller = new AbortController();
    let pieces = 0;
    const writing = (async () => {
      const question = "Tell me a long story about the office.";
      for await (const _ of writer.write(asking(question, caller.signal)))
        if (++pieces === 2) caller.abort(new Error("hung up"));
    })();
    await assert.rejects(writing, /hung up/);
    assert.equal(pieces, 2);
    // A reply that went on to its end, or a model loaded anew, would take longer than the first one did.
    assert((await firstPieceMs()) < loadingMs);
  } finally {
    await closeWriters(writers);
  }
});

test("a file that is no language model is a failure that says so", async () => {
  const writers = openWriters({ gguf: { path: new URL(import.meta.url).pathname } });
  try {
    const signal = new AbortController().signal;
    const writing = writers.get("gguf")!.write(asking("When?", signal));
    await assert.rejects(async () => writing[Symbol.asyncIterator]().next(), {
      name: "WriterFailure",
      reason: "refused",
    });
  } finally {
    await closeWriters(writers);
  }
});
