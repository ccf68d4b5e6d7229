import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { assertDamageIsNoticed } from "../../testkit/damaged-pages.ts";
import {
  buildIndex,
  IndexUnusable,
  NothingToIndex,
  openIndex,
  type PassageIndex,
  probeIndex,
  type SourceDocument,
} from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-passages-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const newPath = () => join(folder, `index-${files++}`);

const HANDBOOK = `# Returns

You may return an article within 30 days of the purchase. Food cannot be returned.

Q: Who pays for the parcel?
A: We do, when the article is damaged.

# 保固

所有產品的保固期為兩年。電池除外。`;
const HOURS =
  "The shop in Lyon is open from nine to six.\n\nOn Sundays it stays closed. The parking garage opens at eight.";
const DOCUMENTS: SourceDocument[] = [
  { id: "handbook", title: "Handbook", text: HANDBOOK },
  { id: "hours", title: "Hours", text: HOURS },
];

function withIndex<T>(documents: SourceDocument[], use: (index: PassageIndex, path: string) => T): T {
  const path = newPath();
  buildIndex(path, documents);
  const index = openIndex(path);
  try {
    return use(index, path);
  } finally {
    index.close();
  }
}

function sliceOfCodePoints(text: string, start: number, end: number): string {
  const units: string[] = [];
  for (let at = 0; at < text.length; ) {
    const width = text.codePointAt(at)! > 0xffff ? 2 : 1;
    units.push(text.slice(at, at + width));
    at += width;
  }
  return units.slice(start, end).join("");
}

test("finds the passage, also across Traditional and Simplified", () => {
  withIndex(DOCUMENTS, (index) => {
    assert.match(index.search("how many days to return something?", 3).passages[0]!.text, /30 days/);
    assert.match(index.search("产品保固期多久", 3).passages[0]!.text, /兩年/);
    assert.equal(index.search("Who pays for parcels?", 3).passages[0]!.question, "Who pays for the parcel?");
    assert.equal(index.search("parking", 3).passages[0]!.documentId, "hours");
    assert.deepEqual(index.search("?!", 3).passages, []);
    assert.deepEqual(index.search("zeppelin", 3).passages, []);
  });
});

test("a question meets documents of several languages, whatever its own seems to be", () => {
  const documents = [
    { id: "en", title: "", text: "The batteries are guaranteed for six months. Chargers are guaranteed for one year." },
    { id: "de", title: "", text: "Die Häuser stehen am Fluss. Sie wurden im letzten Jahr gebaut und gestrichen." },
  ];
  withIndex(documents, (index) => {
    assert.equal(index.search("guaranteed batteries", 1).passages[0]?.documentId, "en");
    assert.equal(index.search("Häuser", 1).passages[0]?.documentId, "de");
    assert.equal(index.search("Haus", 1).passages[0]?.documentId, "de");
  });
});

test("returns nothing of an excluded document", () => {
  withIndex(DOCUMENTS, (index) => {
    const { passages } = index.search("return open days parcel", 10, { exclude: new Set(["handbook"]) });
    assert.ok(passages.length > 0 && passages.every((passage) => passage.documentId === "hours"));
    assert.deepEqual(index.search("parcel", 10, { exclude: new Set(["handbook", "hours"]) }).passages, []);
  });
});

test("treats search syntax in a question as words", () => {
  withIndex(DOCUMENTS, (index) => {
    for (const question of [
      '"',
      "a OR b",
      "NEAR(shop, 2)",
      "lead:shop",
      "shop* AND -x",
      "'; DROP TABLE terms; --",
      "x".repeat(50_000),
    ]) {
      index.search(question, 5);
    }
    assert.equal(index.search('shop" OR "zeppelin', 5).passages[0]!.documentId, "hours");
  });
});

test("the same documents give the same bytes, whatever was there before", () => {
  const [first, second] = [newPath(), newPath()];
  const summary = buildIndex(first, DOCUMENTS);
  buildIndex(newPath(), [{ id: "x", title: "x", text: "Something else." }]);
  buildIndex(second, DOCUMENTS);
  assert.ok(readFileSync(first).equals(readFileSync(second)));
  assert.equal(summary.bytes, readFileSync(first).length);
});

test("refuses two documents with one id", () => {
  assert.throws(() => buildIndex(newPath(), [DOCUMENTS[0]!, DOCUMENTS[0]!]), /share an id/);
});

test("an index without documents finds nothing", () => {
  withIndex([], (index) => {
    assert.deepEqual(index.search("anything", 3).passages, []);
    assert.deepEqual(index.summary().documents, []);
  });
});

test("states its progress by stages up to the end", () => {
  const seen: { stage: string; fraction: number }[] = [];
  buildIndex(
    newPath(),
    [{ id: "a", title: "a", text: "One more paragraph of words to index here today.\n\n".repeat(3000) }],
    {
      onProgress: (progress) => seen.push(progress),
    },
  );
  assert.deepEqual([...new Set(seen.map(({ stage }) => stage))], ["text", "passages", "index"]);
  const fractions = seen.filter(({ stage }) => stage === "index").map(({ fraction }) => fraction);
  assert.ok(fractions.length > 3);
  assert.deepEqual(
    fractions,
    [...fractions].sort((a, b) => a - b),
  );
  assert.equal(fractions.at(-1), 1);
});

test("passages and their sentences are exact slices of the sent text", () => {
  fc.assert(
    fc.property(arbitraryText, fc.constantFrom("A", "Intro 𠮷. "), (text, prefix) => {
      const source = prefix + text;
      withIndex([{ id: "d", title: "t", text: source }], (index) => {
        for (const passage of index.passagesOf("d")) {
          assert.equal(sliceOfCodePoints(source, passage.start, passage.end), passage.text);
          for (const { start, end } of passage.sentences) {
            assert.ok(start < end && end <= passage.text.length);
            if (passage.text.isWellFormed()) assert.ok(passage.text.slice(start, end).isWellFormed());
          }
        }
      });
    }),
    { numRuns: 60 },
  );
});

test("a probe passes on what was indexed and names what differs", () => {
  withIndex(DOCUMENTS, (index) => {
    const probe = probeIndex(index, DOCUMENTS);
    assert.ok(probe.ok && probe.sentences >= 4, JSON.stringify(probe));
    const cause = (documents: { id: string; text: string }[]) => {
      const failed = probeIndex(index, documents);
      assert.equal(failed.ok, false);
      return failed.ok ? "" : failed.cause;
    };
    assert.match(cause(DOCUMENTS.slice(0, 1)), /2 documents instead of 1/);
    assert.match(cause([DOCUMENTS[0]!, { id: "other", text: HOURS }]), /does not hold the document other/);
    assert.match(cause([DOCUMENTS[0]!, { id: "hours", text: `${HOURS} ` }]), /another text/);
  });
});

test("a text without words is refused: nothing could be answered from it", () => {
  assert.throws(
    () => buildIndex(newPath(), [...DOCUMENTS, { id: "signs", title: "", text: "!!! ???" }]),
    NothingToIndex,
  );
});

test("a probe passes on any text that has words", () => {
  fc.assert(
    fc.property(arbitraryText, (text) => {
      const documents = [{ id: "d", title: "t", text: `Begin here.\n\n${text}` }, ...DOCUMENTS];
      withIndex(documents, (index) => {
        const probe = probeIndex(index, documents);
        assert.ok(probe.ok, JSON.stringify(probe));
      });
    }),
    { numRuns: 60 },
  );
});

test("an item that begins with a character beyond the basic plane is quoted from that character on", () => {
  const text = "We have\n- 🚗 parking\n- 𠮷野家";
  withIndex([{ id: "d", title: "t", text }], (index) => {
    const [{ sentences, text: sent } = assert.fail()] = index.passagesOf("d");
    assert.deepEqual(
      sentences.map(({ start, end }) => sent.slice(start, end)),
      ["We have", "🚗 parking", "𠮷野家"],
    );
  });
});

test("a probe passes on lines to be filled in, whose only words are their numbers", () => {
  for (const text of [
    "1. ;",
    "# Visitors who sign up\n\n1. ______\n2. ______\n",
    "# 訪客簽名\n\n1、＿＿＿\n2、＿＿＿",
  ]) {
    const documents = [{ id: "d", title: "t", text }];
    withIndex(documents, (index) => assert.deepEqual(probeIndex(index, documents), { ok: true, sentences: 1 }, text));
  }
});

test("neither a passage nor a sentence is stored with more than some thousand characters, and a probe passes", () => {
  const text = `Parking costs three${"\u200b".repeat(1_000_000)} euros an hour.\n\nQ: When?\nA: At nine${"\ufeff".repeat(100_000)}`;
  const documents = [{ id: "d", title: "", text }];
  withIndex(documents, (index) => {
    assert.deepEqual(probeIndex(index, documents).ok, true);
    for (const passage of index.passagesOf("d")) {
      assert.ok(passage.text.length <= 8000);
      assert.ok(passage.sentences.every(({ end }) => end <= passage.text.length));
      assert.equal(sliceOfCodePoints(text, passage.start, passage.end), passage.text);
    }
    assert.ok(index.summary().bytes < 100_000);
  });
});

test("a probe finds a passage that was taken out", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  const path = newPath();
  buildIndex(path, DOCUMENTS);
  const db = new DatabaseSync(path);
  db.exec("UPDATE passages SET source = x'00' WHERE ordinal = 1");
  db.close();
  const index = openIndex(path);
  const probe = probeIndex(index, DOCUMENTS);
  index.close();
  assert.match(probe.ok ? "" : probe.cause, /leave out|instead/);
});

test("a probe finds a search that leads to other passages of the document", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  const path = newPath();
  buildIndex(path, [DOCUMENTS[0]!]);
  const db = new DatabaseSync(path);
  const terms = db.prepare("SELECT term FROM terms").all();
  db.exec("INSERT INTO words (words) VALUES ('delete-all')");
  db.prepare("INSERT INTO words (rowid, lead, body) VALUES (0, '', ?)").run(terms.map(({ term }) => term).join(" "));
  db.close();
  const index = openIndex(path);
  const probe = probeIndex(index, [DOCUMENTS[0]!]);
  index.close();
  assert.match(probe.ok ? "" : probe.cause, /search for a sentence/);
});

test("a probe passes where many passages say nearly the same, or a sentence begins with invisible characters", () => {
  const alike = Array.from(
    { length: 400 },
    (_, index) => `Room ${index % 7} is open. ${"So is the hall today. ".repeat(12)}`,
  );
  for (const text of [
    alike.join("\n\n"),
    "One of one. ".repeat(20_000),
    `I${"\u200b".repeat(3000)} park for free.\n\nI sleep.\n\nI eat.`,
    "ﷺ".repeat(3000),
    "㌀".repeat(3000),
    "漢".repeat(30_000),
  ]) {
    const documents = [{ id: "d", title: "", text }];
    withIndex(documents, (index) => {
      const probe = probeIndex(index, documents);
      assert.ok(probe.ok, `${JSON.stringify(probe)} ${text.slice(0, 20)}`);
    });
  }
});

test("refuses what is no index, is cut off, is damaged, or has another format", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  const refused = (path: string, message: RegExp) =>
    assert.throws(
      () => openIndex(path),
      (error) => error instanceof IndexUnusable && message.test(error.message),
    );
  refused(join(folder, "absent"), /no index at/);
  const text = newPath();
  writeFileSync(text, "Not a database. ".repeat(100));
  refused(text, /not a passage index/);
  const foreign = newPath();
  new DatabaseSync(foreign).exec("CREATE TABLE t (x)");
  refused(foreign, /not a passage index/);
  const short = newPath();
  buildIndex(short, DOCUMENTS);
  truncateSync(short, 8192);
  refused(short, /damaged/);
  const future = newPath();
  buildIndex(future, DOCUMENTS);
  const db = new DatabaseSync(future);
  db.exec("PRAGMA user_version = 999");
  db.close();
  refused(future, /format 999.*Train the model again/);
});

test("a file with damaged pages is refused at opening, at searching or by the probe, never answered from", () => {
  const whole = newPath();
  buildIndex(whole, DOCUMENTS);
  assertDamageIsNoticed(whole, DOCUMENTS);
});

test("probes a text whose words are all in its questions", () => {
  for (const text of ["Q: Who conquered the hill?\nA: '", "Q: Wann?\nA: …\n\nQ: Was?\nA: !"]) {
    const path = newPath();
    buildIndex(path, [{ id: "marks", title: "Marks", text }]);
    const index = openIndex(path);
    const probe = probeIndex(index, [{ id: "marks", text }]);
    index.close();
    assert.equal(probe.ok, true, JSON.stringify(probe));
  }
});
