import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { Problem, routes } from "@caigun/contract";
import fc from "fast-check";
import { BodyBudget, bodyLimits, largestBodyBytes, readBody } from "./body.ts";
import { readForm } from "./forms.ts";

const limits = { maxBytes: 10_000_000, maxTextBytes: 10_000_000, tooLarge: "text_too_large" } as const;

async function read(body: Buffer, contentType?: string) {
  const request = new IncomingMessage(new Socket());
  if (contentType) request.headers["content-type"] = contentType;
  request.push(body);
  request.push(null);
  return await readBody(
    request,
    limits,
    () => undefined,
    () => undefined,
  );
}

test("every JSON text is read as JSON.parse reads it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const body = await read(Buffer.from(JSON.stringify(value)));
      assert.deepEqual(body, { from: "json", value: JSON.parse(JSON.stringify(value)) });
    }),
  );
});

test("long texts pass whatever they hold; long structures are refused before they fill the memory", async () => {
  const awkward = fc.array(fc.constantFrom('"', "\\", "[", ",", "a", "世"), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(awkward, async (pieces) => {
      const value = { text: pieces.join("").repeat(20_000), title: pieces.join("") };
      assert.deepEqual((await read(Buffer.from(JSON.stringify(value))))?.value, value);
    }),
    { numRuns: 20 },
  );
  for (const bomb of ["[", "[],", "{}", '"",', " ", '{"a":', "\\"]) {
    await assert.rejects(
      read(Buffer.from(`[${bomb.repeat(200_000)}`)),
      (error) => error instanceof Problem && error.code === "malformed_json",
    );
  }
});

test("bytes that are no UTF-8 are refused in JSON and in forms", async () => {
  const latin1 = Buffer.from('{"text":"é"}', "latin1");
  await assert.rejects(read(latin1), { code: "malformed_json" });
  await assert.rejects(read(Buffer.from("text=é", "latin1"), "application/x-www-form-urlencoded"), {
    code: "malformed_form",
  });
});

test("a form is read back as it was written, urlencoded or multipart", async () => {
  const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => /^[\w.-]+$/.test(text));
  const value = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true }), async (fields) => {
      const urlencoded = await readForm(Buffer.from(new URLSearchParams(fields).toString()), "", "urlencoded");
      assert.deepEqual({ ...urlencoded.value }, fields);
      const parts = Object.entries(fields).map(
        ([key, text]) => `--bound\r\ncontent-disposition: form-data; name="${key}"\r\n\r\n${text}\r\n`,
      );
      const type = "multipart/form-data; boundary=bound";
      const multipart = await readForm(Buffer.from(`${parts.join("")}--bound--\r\n`), type, "multipart");
      assert.deepEqual({ ...multipart.value }, fields);
    }),
  );
});

test("no bytes make a form's reader throw anything but a refusal", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.string(), async (bytes, tail) => {
      for (const type of ["multipart/form-data; boundary=x", `multipart/form-data; boundary=${tail}`]) {
        const framed = Buffer.concat([Buffer.from("--x\r\n"), bytes, Buffer.from("\r\n--x--")]);
        try {
          await readForm(framed, type, "multipart");
        } catch (error) {
          assert.ok(error instanceof Problem && error.code === "malformed_form", String(error));
        }
      }
    }),
  );
});

test("a call with short fields takes a small body, one with a whole text a large one", () => {
  const of = (operationId: string) => {
    const route = routes.find((candidate) => candidate.operationId === operationId);
    assert.ok(route);
    return bodyLimits(route, 20_000_000);
  };
  assert.deepEqual(of("trainModel"), { maxBytes: 120_065_536, maxTextBytes: 20_000_000, tooLarge: "text_too_large" });
  assert.ok(of("converse").maxBytes < 500_000);
  assert.ok(of("pinModel").maxBytes < 100_000);
});

test("the budget gives back what was released", () => {
  const budget = new BodyBudget(4_000_000);
  const first = budget.open("key");
  first.grow(600_000);
  const second = budget.open("key");
  assert.throws(() => second.grow(500_000), { code: "overloaded" });
  second.release();
  assert.equal(budget.bytes, 600_000);
  first.release();
  first.release();
  budget.open("key").grow(1_000_000);
  assert.equal(budget.bytes, 1_000_000);
});

test("one key holds at most a quarter of the budget, all together at most the whole", () => {
  const budget = new BodyBudget(4_000_000);
  for (const key of ["a", "b", "c", "d"]) {
    budget.open(key).grow(1_000_000);
    assert.throws(() => budget.open(key).grow(70_000), { code: "overloaded" });
  }
  assert.throws(() => budget.open("e").grow(70_000), { code: "overloaded" });
});

test("a small body passes however full the budget is, and one that grows large is counted as a whole", () => {
  const budget = new BodyBudget(400_000);
  budget.open("key").grow(100_000);
  budget.open("key").grow(65_536);
  assert.equal(budget.bytes, 100_000);
  const growing = budget.open("other");
  growing.grow(65_536);
  growing.grow(1);
  assert.equal(budget.bytes, 165_537);
});

test("the largest body of all is the one that holds a whole text", () => {
  const sizes = routes.filter((route) => "body" in route).map((route) => bodyLimits(route, 20_000_000).maxBytes);
  assert.equal(Math.max(...sizes), largestBodyBytes(20_000_000));
});
