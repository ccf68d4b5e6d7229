import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { PastedText } from "./pasted-text.ts";
import { NotSquad, readSquad } from "./squad.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-squad-"));
after(() => rmSync(folder, { recursive: true }));

let written = 0;
function write(content: string): string {
  const path = join(folder, `${written++}.json`);
  writeFileSync(path, content);
  return path;
}

function read(contexts: string[], answer: { text: string; answer_start?: number }, paragraph = contexts.length - 1) {
  const paragraphs = contexts.map((context, at) => ({
    context,
    qas: at === paragraph ? [{ id: "1", question: "Which?", answers: [answer] }] : [],
  }));
  return readSquad(write(JSON.stringify({ data: [{ title: "One", paragraphs }] })));
}

test("an answer's place is counted in code points, however the file counts", () => {
  const context = "𝒜𝒜 owl and owl";
  for (const answer_start of [11, 13]) {
    const { questions } = read([context], { text: "owl", answer_start });
    assert.deepEqual(questions[0]!.places, [{ start: 11, end: 14 }]);
  }
});

test("an answer that does not stand where the file says is looked for", () => {
  assert.deepEqual(read(["an owl"], { text: "owl", answer_start: 5 }).questions[0]!.places, [{ start: 3, end: 6 }]);
  assert.deepEqual(read(["an owl"], { text: "owl" }).questions[0]!.places, [{ start: 3, end: 6 }]);
  assert.deepEqual(read(["an owl"], { text: "hawk", answer_start: 0 }).questions[0]!.places, []);
});

test("paragraphs are joined by a blank line, and each is found again by code points", () => {
  const file = read(["𝒜 first", "left out", "the third"], { text: "third", answer_start: 4 });
  const text = new PastedText(file, (_, paragraph) => paragraph !== 1);
  assert.equal(text.text, "𝒜 first\n\nthe third");
  assert.deepEqual(text.placeOf({ article: 0, paragraph: 2 }), { start: 9, end: 18 });
  assert.equal(text.slice({ start: 13, end: 18 }), "third");
  assert.equal(text.placeOf({ article: 0, paragraph: 1 }), undefined);
});

test("what can't be read is refused with its reason", () => {
  const refused: [path: string, reason: RegExp][] = [
    [join(folder, "none.json"), /can't be read \(ENOENT\)/],
    [write("{"), /not in SQuAD's format/],
    [write('{"data": [{}]}'), /not in SQuAD's format/],
    [write('{"data": []}'), /no question with an answer/],
  ];
  for (const [path, reason] of refused)
    assert.throws(
      () => readSquad(path),
      (error) => error instanceof NotSquad && reason.test(error.message),
    );
});
