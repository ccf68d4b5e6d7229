import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, routes } from "@caigun/contract";
import fc from "fast-check";
import { echoRoutes } from "../../../../testkit/http-server.ts";
import { fromText, inputReader, type RawRequest } from "./input.ts";

const readEcho = inputReader(echoRoutes[0]);
const readTraining = inputReader(routes.find(({ operationId }) => operationId === "trainModel")!);
const raw = (parts: Partial<RawRequest>): RawRequest => ({
  params: {},
  query: {},
  headers: {},
  body: undefined,
  ...parts,
});
const json = (value: unknown) => raw({ body: { from: "json", value } });
const form = (value: Record<string, string>) => raw({ body: { from: "form", value } });

function refusal(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Problem, `threw ${error}`);
    return error;
  }
  assert.fail("it was accepted");
}

test("defaults are filled in and unknown fields ignored", () => {
  assert.deepEqual(readEcho(json({ text: "a", other: 1, __proto__: { kind: "x" } })), {
    loud: false,
    text: "a",
    kind: "plain",
  });
});

test("JSON is taken at its word: a wrong type is refused, never turned into another", () => {
  for (const [body, field] of [
    [{ text: 5 }, "text"],
    [{ text: null }, "text"],
    [{ text: ["a"] }, "text"],
    [{ text: "a", count: "3" }, "count"],
    [{ text: "a", count: 1.5 }, "count"],
    [{ text: "a", count: 11 }, "count"],
    [{ text: "a", kind: "grand" }, "kind"],
    [{ text: "a", link: "no-uuid" }, "link"],
    [{ text: "" }, "text"],
    [{}, "text"],
  ] as const) {
    const { code, errors, message } = refusal(() => readEcho(json(body)));
    assert.equal(code, "validation_failed");
    assert.deepEqual(
      errors?.map(({ loc }) => loc),
      [["body", field]],
      JSON.stringify(body),
    );
    assert.match(message, new RegExp(`Correct the request: ${field} `));
  }
  for (const body of [null, [], "text", 5, true]) {
    assert.deepEqual(refusal(() => readEcho(json(body))).errors?.[0]?.loc, ["body"]);
  }
  assert.equal(refusal(() => readEcho(raw({}))).errors?.[0]?.type, "required");
});

test("a message says what is allowed and never repeats what was sent", () => {
  const secret = "my-secret-text";
  const { errors, message } = refusal(() => readEcho(json({ text: "a", kind: secret, count: secret, link: secret })));
  assert.equal(errors?.length, 3);
  assert.ok(message.includes('"plain", "fancy"'));
  assert.ok(!JSON.stringify(errors).includes(secret) && !message.includes(secret));
});

test("a text without characters is told in plain words", () => {
  const { message } = refusal(() => readTraining(json({ text: "", title: " " })));
  assert.equal(message, "Correct the request: text must not be empty; title must hold more than white space.");
});

test("form fields mean what the schema says", () => {
  const link = "11111111-1111-1111-1111-111111111111";
  assert.deepEqual(readEcho(form({ text: "5", count: "3", kind: "fancy", link })), {
    loud: false,
    text: "5",
    count: 3,
    kind: "fancy",
    link,
  });
  assert.deepEqual(readEcho(form({ text: "True", count: "" })), { loud: false, text: "True", kind: "plain" });
  for (const nothing of ["", "null", "None"]) assert.equal(readEcho(form({ text: "a", link: nothing })).link, null);
  for (const yes of ["True", "true", "1"])
    assert.equal(readEcho({ ...form({ text: "a" }), query: { loud: yes } }).loud, true);
  for (const no of ["False", "false", "0"])
    assert.equal(readEcho({ ...form({ text: "a" }), query: { loud: no } }).loud, false);
  assert.equal(
    refusal(() => readEcho({ ...form({ text: "a" }), query: { loud: "maybe" } })).errors?.[0]?.loc[1],
    "loud",
  );
});

test("whole numbers survive the way through a form; texts stay texts", () => {
  fc.assert(
    fc.property(fc.integer(), (number) => {
      assert.equal(fromText({ type: "integer", nullable: false, moment: undefined }, String(number)), number);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(fromText({ type: "string", nullable: false, moment: undefined }, text), text);
      const number = fromText({ type: "integer", nullable: false, moment: undefined }, text);
      assert.ok(number === undefined || number === text || Number.isSafeInteger(number));
    }),
  );
});

test("a text sent by form and by JSON is read alike", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      const read = (request: RawRequest) => {
        try {
          return readEcho(request);
        } catch (error) {
          assert.ok(error instanceof Problem && error.status === 400);
          return error.code;
        }
      };
      assert.deepEqual(read(form({ text })), read(json({ text })));
    }),
  );
});

test("NUL and unpaired surrogates are refused wherever they stand", () => {
  for (const bad of ["a\0b", "\ud800", "a\udc00b"]) {
    assert.equal(refusal(() => readEcho(json({ text: bad }))).code, "invalid_characters");
    assert.equal(
      refusal(() => readEcho({ ...json({ text: "a" }), query: { nickname: bad } })).code,
      "invalid_characters",
    );
  }
  assert.equal(readEcho(json({ text: "👩‍👩‍👧‍👦 ‮cba e\u0301" })).text, "👩‍👩‍👧‍👦 ‮cba e\u0301");
});

test("no JSON value makes a reader throw anything but a refusal", () => {
  const readers = routes.map((route) => inputReader(route));
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))),
      (value, texts) => {
        for (const read of readers) {
          try {
            read({ params: texts, query: texts, headers: texts, body: { from: "json", value } });
          } catch (error) {
            assert.ok(error instanceof Problem && error.status < 500, String(error));
          }
        }
      },
    ),
  );
});

test("an id in the path that is no UUID gets what an unknown one gets", () => {
  const read = inputReader(echoRoutes[3]);
  assert.equal(refusal(() => read(raw({ params: { id: "1" } }))).code, "model_not_found");
});

test("a repeated field counts as it was sent last", () => {
  assert.equal(readEcho({ ...json({ text: "a" }), query: { nickname: ["a", "b"] } }).nickname, "b");
});

test("a uid in UTF-8 or Latin-1 reads as what was meant", () => {
  const uidOf = (bytes: Buffer) => readEcho({ ...json({ text: "a" }), headers: { uid: bytes.toString("latin1") } }).uid;
  assert.equal(uidOf(Buffer.from("小明", "utf8")), "小明");
  assert.equal(uidOf(Buffer.from("José", "latin1")), "José");
});

test("times come to the command as dates, a bare end date as its last moment", () => {
  const route = routes.find(({ operationId }) => operationId === "listMessages");
  assert.ok(route);
  const read = inputReader(route);
  const query = { start_at: "1970-1-1", end_at: "2023-11-06", limit: "5" };
  assert.deepEqual(read(raw({ headers: { uid: "u" }, query })), {
    offset: 0,
    limit: 5,
    start_at: new Date(0),
    end_at: new Date("2023-11-06T23:59:59.999Z"),
    uid: "u",
  });
  const { errors } = refusal(() => read(raw({ query: { start_at: "yesterday", limit: "0" } })));
  assert.deepEqual(errors?.map(({ loc }) => loc.join(".")).sort(), ["headers.uid", "query.limit", "query.start_at"]);
});
