import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type CallOptions, type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, type ModelReply } from "../testkit/chatbot.ts";

const text = "The office opens at nine in the morning. Parking costs three euros an hour.";
const json = { "content-type": "application/json" };

describe("bad input", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    await chatbot.ready(text);
  });
  after(async () => {
    // Whatever was sent: the log tells of no failure on our side.
    assert.deepEqual(
      caigun.log.filter((line) => line.includes("request failed")),
      [],
    );
    await caigun.remove();
  });

  const post = (path: string, options: CallOptions) =>
    chatbot.call(path, { method: "POST", ...options, headers: { uid: "someone", ...options.headers } });
  const refusedBody = async (
    body: NonNullable<RequestInit["body"]>,
    code: string,
    headers: Record<string, string> = json,
  ) => {
    for (const path of ["train", "conversation"]) await assertProblem(await post(path, { body, headers }), 400, code);
  };

  it("empty texts, and texts of white space alone", async () => {
    for (const empty of ["", " ", "\n\t\r\n", "\u3000\u00a0"]) {
      await assertProblem(await post("train", { json: { text: empty, title: "T" } }), 400, "validation_failed");
      await assertProblem(await post("train", { json: { text, title: empty } }), 400, "validation_failed");
      await assertProblem(await post("conversation", { json: { text: empty } }), 400, "validation_failed");
    }
    await assertProblem(await post("train", { body: "", headers: json }), 400, "validation_failed");
    await assertProblem(await post("train", {}), 400, "validation_failed");
  });

  it("the bytes of a document instead of its text", async () => {
    for (const [file, kind] of [
      ["%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj", "a PDF file"],
      ["\n%PDF-1.7", "a PDF file"],
      ["\ufeff{\\rtf1\\ansi The office opens at nine.}", "an RTF document"],
      [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).toString(), "a picture (PNG)"],
      [Buffer.from([0xff, 0xd8, 0xff, 0xe0]).toString(), "a picture (JPEG)"],
    ]) {
      const { detail } = await assertProblem(
        await post("train", { json: { text: file, title: "T" } }),
        400,
        "validation_failed",
      );
      assert.equal(detail, `Correct the request: text is ${kind}: send what it says, as plain text.`);
    }
  });

  it("a text over 20 MB is refused, and said how large it may be", async () => {
    const { detail } = await assertProblem(
      await post("train", { json: { text: "x".repeat(20_000_001), title: "T" } }),
      400,
      "text_too_large",
    );
    assert.match(detail, /20000000 bytes/);
    const form = new URLSearchParams({ title: "T", text: "倉".repeat(6_666_667) });
    await assertProblem(await post("train", { body: form }), 400, "text_too_large");
  });

  it("NUL and lone surrogates, in whichever field", async () => {
    for (const bad of ["\\u0000", "\\ud800", "\\udc00", "\\udc00\\ud800"]) {
      const trainings = [`{"text":"a ${bad} b","title":"T"}`, `{"text":"a","title":"${bad}T"}`];
      for (const body of trainings) {
        const { errors } = await assertProblem(await post("train", { body, headers: json }), 400, "invalid_characters");
        assert.equal((errors as { type: string }[])[0]!.type, "characters");
      }
      await assertProblem(
        await post("conversation", { body: `{"text":"a${bad}"}`, headers: json }),
        400,
        "invalid_characters",
      );
    }
    await assertProblem(await post("conversation?nickname=%00", { json: { text: "Hi" } }), 400, "invalid_characters");
    const form = new URLSearchParams({ title: "T", text: "a\0b" });
    await assertProblem(await post("train", { body: form }), 400, "invalid_characters");
  });

  it("wrong types", async () => {
    for (const value of [null, 5, true, [], {}, [text], { text }]) {
      await assertProblem(await post("train", { json: { text: value, title: "T" } }), 400, "validation_failed");
      await assertProblem(await post("train", { json: { text, title: value } }), 400, "validation_failed");
      await assertProblem(
        await post("train", { json: { text, title: "T", model_name: value } }),
        400,
        "validation_failed",
      );
      await assertProblem(await post("conversation", { json: { text: value } }), 400, "validation_failed");
      await assertProblem(await post("train", { json: value }), 400, "validation_failed");
      if (value === null) continue;
      const pinned = await chatbot.call("model_id", { method: "PATCH", json: { id: value } });
      await assertProblem(pinned, 400, "validation_failed");
    }
  });

  it("unknown model names", async () => {
    for (const model_name of ["palm2", "gpt-4", "", "PaLM2 ", "__proto__", "constructor"]) {
      const { errors } = await assertProblem(
        await post("train", { json: { text, title: "T", model_name } }),
        400,
        "validation_failed",
      );
      assert.match(JSON.stringify(errors), /PaLM2.*gpt2/, "it says which there are");
    }
  });

  it("titles and nicknames of 10,000 characters", async () => {
    const long = "長".repeat(10_000);
    await assertProblem(await post("train", { json: { text, title: long } }), 400, "validation_failed");
    const path = `conversation?nickname=${"n".repeat(10_000)}`;
    await assertProblem(await post(path, { json: { text: "Hi" } }), 400, "validation_failed");
    const named = await post("train", { json: { text, title: "長".repeat(1_000) } });
    assert.equal(named.status, 200, "1,000 are fine");
  });

  it("bodies that are no JSON", async () => {
    const whole = JSON.stringify({ text, title: "T" });
    const broken = [
      whole.slice(0, -1),
      whole.slice(0, 20),
      '{"text":',
      "{",
      "nonsense",
      "{'text': 'a'}",
      `${whole}x`,
      "\u0000",
    ];
    for (const body of broken) await refusedBody(body, "malformed_json");
    for (const bytes of [
      [0xff, 0xfe],
      [0x7b, 0x22, 0xc3, 0x22],
      [0xed, 0xa0, 0x80],
    ])
      await refusedBody(new Uint8Array(bytes), "malformed_json");
    for (const body of ["null", "[]", "5", '"text"', "true"]) await refusedBody(body, "validation_failed");
  });

  it("JSON that is nested deeply, or has very many parts", async () => {
    const nested = `{"text":${"[".repeat(30_000)}${"]".repeat(30_000)},"title":"T"}`;
    await refusedBody(nested, "validation_failed");
    for (const part of ["[", '{"a":', '{"text":"a","title":"T"},', "1,"])
      await refusedBody(part.repeat(300_000 / part.length), "malformed_json");
    const unknown = await post("train", { json: { text, title: "T", __proto__: { x: 1 }, extra: [1, { a: 2 }] } });
    assert.equal(unknown.status, 200, "fields that nobody knows are left out");
  });

  it("content types that are not taken, and forms that are broken", async () => {
    const types = ["text/plain", "application/xml", "application/json; charset=utf-16", "nonsense", "image/png"];
    for (const type of types)
      await refusedBody(JSON.stringify({ text }), "unsupported_media_type", { "content-type": type });
    await refusedBody("x", "unsupported_media_type", { ...json, "content-encoding": "gzip" });
    const multipart = { "content-type": "multipart/form-data; boundary=b" };
    for (const body of [
      "",
      "--b",
      "--b\r\n\r\n",
      "nonsense",
      '--b\r\ncontent-disposition: form-data; name="text"\r\n\r\nabc',
    ])
      for (const path of ["train", "conversation"]) {
        const response = await post(path, { body, headers: multipart });
        assert.equal(response.status, 400, body);
      }
    await refusedBody("x", "malformed_form", { "content-type": "multipart/form-data" });
    const many = Array.from({ length: 200 }, (_, number) => `f${number}=1`).join("&");
    await refusedBody(many, "malformed_form", { "content-type": "application/x-www-form-urlencoded" });
  });

  it("headers: uids that are missing, too long or no text", async () => {
    const ask = (headers: Record<string, string>) =>
      chatbot.call("conversation", { method: "POST", headers, json: { text: "Hi" } });
    await assertProblem(await ask({}), 400, "validation_failed");
    await assertProblem(await ask({ uid: "" }), 400, "validation_failed");
    await assertProblem(await ask({ uid: "u".repeat(256) }), 400, "validation_failed");
    assert.equal((await ask({ uid: "u".repeat(255) })).status, 200);
    await assertProblem(await ask({ uid: "u", big: "x".repeat(70_000) }), 400, "headers_too_large");
  });

  it("a training on punctuation or emoji alone fails and says why", async () => {
    for (const wordless of [
      "!!! ??? ... --- ,,,",
      "🦁🏳️‍🌈👩‍👩‍👧‍👦 ☕️",
      "— – ‘ ’ “ ”",
      "\u0301\u0302\u0303",
      "\u200b\u200e\u202e",
    ]) {
      const response = await post("train", { json: { text: wordless, title: "T" } });
      if (response.status === 400) continue;
      const model = (await trained(caigun, (await response.json()) as never)) as ModelReply;
      assert.equal(model.status, "failed", wordless);
      assert.match(JSON.stringify(model.failure), /no words.*Send a text that has words/);
    }
  });

  it("questions of 32,000 characters, of stop words, punctuation, and search syntax", async () => {
    const plain = "When does the office open?";
    const questions = [
      "office ".repeat(4_571),
      "辦公室".repeat(10_666),
      "x".repeat(32_000),
      "🦁".repeat(32_000),
      "the",
      "?",
      "🦁",
      "的",
      "AND OR NEAR(",
      'office" OR "1"="1',
      "office*",
      "^office",
      "-office",
      "office NOT parking",
      "{office} : parking",
      "text:office",
      "NEAR(office parking, 2)",
      '"""',
      "'; DROP TABLE passages; --",
      "%s %d \\0 \\' \\\"",
      "a\u0301".repeat(10_000),
      "\u202eecifFo eht nepo seod nehW",
      `e${"\u0301".repeat(20_000)}`,
      "$1 {{x}} <script>alert(1)</script>",
    ];
    for (const question of questions) {
      const reply = await chatbot.ask(question, { query: "?explain=true" });
      assert(reply.text.length > 0, question.slice(0, 40));
      for (const { quote } of reply.citations) assert(text.includes(quote));
    }
    for (const syntax of ["*", '"', "^", "-", "(", ")", ":", "'", "AND", "NOT"]) {
      const reply = await chatbot.ask(`When does the ${syntax} office open?`);
      assert.equal(reply.text, "The office opens at nine in the morning.", syntax);
    }
    await assertProblem(await chatbot.say("x".repeat(32_001)), 400, "validation_failed");
    assert.equal((await chatbot.ask(plain)).answered, true);
  });

  it("right-to-left overrides, combining characters and controls in a text come back as they were", async () => {
    const odd =
      "Nine \u202eo'clock\u202c is when the o\u0308ffice\u0007 opens.\u001b[31m\r\nParking \u200bcosts\u00ad three euros.\u2028The end.";
    const model = await trained(caigun, await chatbot.train(odd, { title: "\u202eT\u0301\u001b" }));
    assert.deepEqual([model.status, model.title], ["ready", "\u202eT\u0301\u001b"]);
    const [citation] = (await chatbot.ask("What does parking cost?", { query: "?explain=true" })).candidate!.citations;
    const { text: back } = await chatbot.get<{ text: string }>(`training_data/${citation!.training_data_id}/text`);
    assert.equal(back, odd);
    assert.equal(odd.slice(citation!.start, citation!.end), citation!.quote);
    await chatbot.call(`models/${model.id}`, { method: "DELETE" });
  });
});
