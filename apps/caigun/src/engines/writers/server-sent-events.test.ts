import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { eventData } from "./server-sent-events.ts";

async function dataOf(chunks: Uint8Array[]): Promise<string[]> {
  const found: string[] = [];
  for await (const data of eventData(ReadableStream.from(chunks))) found.push(data);
  return found;
}

it("reads the same events however the bytes are cut and the lines end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n]/g, " "))),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.integer({ min: 1, max: 7 }),
      async (events, lineEnd, size) => {
        const stream = events
          .map((text) => `: note${lineEnd}event: x${lineEnd}data: ${text}${lineEnd}${lineEnd}`)
          .join("");
        const bytes = new TextEncoder().encode(stream);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        const found = await dataOf(chunks);
        // A last carriage return may be half a line end: its event is whole with what follows.
        assert.deepEqual(found, lineEnd === "\r" ? events.slice(0, found.length) : events);
        assert(found.length >= events.length - 1);
      },
    ),
  );
});

it("does not gather empty lines without end", async () => {
  let sent = 0;
  const lines = async function* () {
    for (; sent < 64; sent++) yield new TextEncoder().encode("data:\n".repeat(64 * 1024));
  };
  await assert.rejects(eventData(lines()).next(), /without an end/);
  assert(sent < 32);
});

it("joins the lines of one event, and gives none that has no end", async () => {
  const bytes = new TextEncoder().encode("data:a\ndata\ndata:  b\nid: 1\n\nother: c\n\ndata: unfinished");
  assert.deepEqual(await dataOf([bytes]), ["a\n\n b"]);
});
