import assert from "node:assert/strict";
import { json } from "node:stream/consumers";
import { test } from "node:test";
import { serveLocally } from "../../../../../testkit/local-server.ts";
import { openAiWriter } from "./openai.ts";
import { answerPrompt } from "./prompt.ts";
import { WriterFailure } from "./writer.ts";

const promptWithin = (mostCharacters: number) => answerPrompt("When?", ["It opens at nine."], mostCharacters);

async function written(baseUrl: string): Promise<string> {
  let text = "";
  const writer = openAiWriter({ baseUrl, model: "thinks" });
  for await (const piece of writer.write({ promptWithin, signal: new AbortController().signal })) text += piece;
  return text;
}

test("a model that refuses a limit or a temperature is asked without, and only once with", async (t) => {
  const asked: Record<string, unknown>[] = [];
  const baseUrl = await serveLocally(t, async (request, response) => {
    const body = (await json(request)) as Record<string, unknown>;
    asked.push(body);
    const param = ["max_tokens", "temperature"].find((name) => name in body);
    if (param !== undefined) {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ error: { message: `Unsupported: ${param}`, type: "invalid_request_error", param } }),
      );
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end('data: {"choices":[{"delta":{"content":"At nine."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
  });
  const writer = openAiWriter({ baseUrl, model: "thinks" });
  for (let reply = 0; reply < 2; reply++) {
    let text = "";
    for await (const piece of writer.write({ promptWithin, signal: new AbortController().signal })) text += piece;
    assert.equal(text, "At nine.");
  }
  assert.equal(asked.length, 4);
  assert("max_tokens" in asked[0]! && !("max_completion_tokens" in asked[0]!));
  assert.deepEqual(
    asked.slice(2).map(({ max_completion_tokens, temperature }) => [typeof max_completion_tokens, temperature]),
    [
      ["number", undefined],
      ["number", undefined],
    ],
  );
});

test("a refusal of anything else ends the reply", async (t) => {
  for (const body of [
    '{"error":{"param":"model"}}',
    '{"error":{"param":"constructor"}}',
    "no",
    "[",
    "x".repeat(100_000),
    "null",
  ]) {
    let asked = 0;
    const baseUrl = await serveLocally(t, (_request, response) => {
      asked++;
      response.writeHead(400).end(body);
    });
    await assert.rejects(written(baseUrl), (error) => error instanceof WriterFailure && error.reason === "refused");
    assert.equal(asked, 1, body.slice(0, 40));
  }
});
