import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { normalise } from "@caigun/text";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { buildIndex, openIndex, type PassageIndex } from "./index.ts";
import { isOrdinary } from "./ordinary-words.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-correct-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

function withIndex<T>(texts: readonly string[], use: (index: PassageIndex, path: string) => T): T {
  const path = join(folder, `index-${files++}`);
  buildIndex(
    path,
    texts.map((text, number) => ({ id: `d${number}`, title: "", text })),
  );
  const index = openIndex(path);
  try {
    return use(index, path);
  } finally {
    index.close();
  }
}

const HANDBOOK = `The reservation of a bungalow costs 20 euros. Gorillas and ocelots live beside the aquarium.

Whoever comes from the harbour takes the ferry. The café beside the aquarium opens at nine. A trial lasts a week.

The aquarium's newest residents are two octopuses, and the gardener's name is McAllister.`;

const corrected = (question: string) => withIndex([HANDBOOK], (index) => index.correct(question).text);

test("a letter swapped, left out, doubled, exchanged or too many", () => {
  assert.equal(corrected("Where is the aquairum?"), "Where is the aquarium?");
  assert.equal(corrected("Where is the aqurium?"), "Where is the aquarium?");
  assert.equal(corrected("Where is the aquarriumm?"), "Where is the aquarium?");
  assert.equal(corrected("Where is the aqusrium?"), "Where is the aquarium?");
  assert.equal(corrected("Where is the aquarimum?"), "Where is the aquarium?");
  assert.equal(corrected("gorilllas, oceltos"), "gorillas, ocelots");
});

test("two slips are corrected in a long word alone", () => {
  assert.equal(corrected("a reservtaoin"), "a reservation");
  assert.equal(corrected("an ocletso"), "an ocletso");
});

test("case, possessives and marks are kept as far as they can be", () => {
  assert.equal(corrected("Aquairum"), "Aquarium");
  assert.equal(corrected("AQUAIRUM"), "AQUARIUM");
  assert.equal(corrected("the aquairum's residents"), "the aquarium's residents");
  assert.equal(corrected("Does the caffe open?"), "Does the café open?");
});

test("what the texts hold, common and ordinary words, numbers and short words stay", () => {
  for (const question of [
    "What does the form say?",
    "Is there a trail?",
    "When does teh ferry go?",
    "Are 2O or 21 euros enough?",
    "aquariums reserved",
    "A zeppelin?",
    "",
    "?!",
  ])
    assert.equal(corrected(question), question);
});

test("a word is told from a slip in any of the text's languages, and in the question's", () => {
  withIndex(["茶館週六上午十點開門。包廂低消三千元，一般座位低消兩百元。A trailer costs nine euros."], (index) => {
    assert.equal(index.correct("What does a trail cost?").text, "What does a trail cost?");
    assert.equal(index.correct("What does a traier cost?").text, "What does a trailer cost?");
  });
});

test("no word is put that excluded documents alone hold, and others are", () => {
  const texts = [
    "The aquarium opens at nine. The university is old.",
    "A bungalow costs 20 euros. The aquarium is large. The universe is older.",
  ];
  withIndex(texts, (index) => {
    const exclude = new Set(["d1"]);
    const asked = "Where is the aquairum, where the bungalwo, and where the univrse?";
    assert.equal(index.correct(asked).text, "Where is the aquarium, where the bungalow, and where the universe?");
    // "universe" and "university" have one stem.
    assert.equal(
      index.correct(asked, { exclude }).text,
      "Where is the aquarium, where the bungalwo, and where the univrse?",
    );
    assert.deepEqual(index.correct(asked, { exclude: new Set(["d0", "d1"]) }).corrections, []);
  });
  const many = Array.from(
    { length: 60 },
    (_, at) => `In house ${at} the walrusses sleep ${"long and deep ".repeat(40)}.`,
  );
  withIndex([many.join("\n\n"), "One walrus is awake."], (index) => {
    assert.equal(index.correct("walrsu", { exclude: new Set(["d0"]) }).text, "walrus");
  });
});

test("the first letter is taken to be right", () => {
  assert.equal(corrected("dungalow"), "dungalow");
  assert.equal(corrected("bungalwo"), "bungalow");
});

test("of equally near words the most frequent is taken, the likeliest slip before all", () => {
  const frequent = `The quoktan ${"eats in the shade of the old trees. ".repeat(40)}\n\n`.repeat(4);
  withIndex([`${frequent}A quoktar is a device. A quoktanb is another.`], (index) => {
    assert.equal(index.correct("quokta").text, "quoktan");
    assert.equal(index.correct("quoktabn").text, "quoktanb");
  });
});

test("other alphabets are corrected too; scripts without spaces, syllables and scripts without vowels are not", () => {
  withIndex(["Бегемот живёт у реки. Павлин живёт в саду и кричит по утрам, когда встаёт солнце."], (index) => {
    assert.equal(index.correct("Где живёт бегмот?").text, "Где живёт бегемот?");
  });
  withIndex(
    ["產品的保固期為兩年，電池除外。", "المكتبة مغلقة يوم الجمعة والسبت والأحد.", "도서관은 월요일에 닫습니다."],
    (index) => {
      for (const question of ["产品的保护期多久", "المكتة", "도서과은"])
        assert.deepEqual(index.correct(question).corrections, []);
    },
  );
});

test("the search finds by the corrected words, and says which they are", () => {
  withIndex([HANDBOOK, "Nothing of the kind stands here. Nor here."], (index) => {
    const { text, corrections } = index.correct("Where do the oceltos live?");
    const { query, passages } = index.search(text, 1, { corrections });
    assert.match(passages[0]!.text, /ocelots/);
    assert.deepEqual(
      query.terms.filter((term) => term.corrected).map((term) => term.id >= 0),
      [true],
    );
    assert.deepEqual(
      index.search("Where do the oceltos live?", 1).query.terms.filter((term) => term.corrected),
      [],
    );
  });
});

test("corrections stand where they say, and put back they give the question that was asked", () => {
  const letter = fc.constantFrom(..."aquriumsocelt", " ", "'", "é");
  const question = fc.oneof(arbitraryText, fc.string({ unit: letter, maxLength: 60 }), fc.string({ unit: "binary" }));
  withIndex([HANDBOOK], (index) => {
    fc.assert(
      fc.property(question, (asked) => {
        const { text, corrections } = index.correct(asked);
        let restored = "";
        let copied = 0;
        for (const { start, end, typed } of corrections) {
          assert.ok(start >= copied && end <= text.length);
          assert.match(HANDBOOK.toLowerCase(), new RegExp(text.slice(start, end).toLowerCase()));
          restored += text.slice(copied, start) + typed;
          copied = end;
        }
        restored += text.slice(copied);
        assert.equal(restored, normalise(asked.slice(0, 2000)).text);
      }),
    );
  });
});

test("nearly any single slip, but in the first letter, of a long word leads back to it", () => {
  const long = [...new Set(HANDBOOK.toLowerCase().match(/[a-z]{7,}/g))];
  withIndex([HANDBOOK], (index) => {
    const lost: string[] = [];
    let tried = 0;
    for (const word of long) {
      for (let at = 1; at < word.length - 1; at++) {
        const dropped = word.slice(0, at) + word.slice(at + 1);
        const doubled = word.slice(0, at) + word.slice(at - 1);
        const swapped = word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
        for (const typed of [dropped, doubled, swapped]) {
          // A slip may make another word of the language ("harbor").
          if (isOrdinary(typed, ["en"])) continue;
          tried++;
          const { corrections, text } = index.correct(typed);
          // Or another form of the same word, which its stem finds.
          const isFound = corrections.length > 0 ? text === word : index.search(typed, 1).passages.length > 0;
          if (!isFound) lost.push(typed);
        }
      }
    }
    assert.ok(lost.length <= tried / 100, `${lost.length} of ${tried}: ${lost.join(" ")}`);
  });
});

test("an index of format 3 or 2 is read, and corrects nothing", () => {
  const path = join(folder, "older");
  buildIndex(path, [{ id: "d", title: "", text: HANDBOOK }]);
  for (const [version, dropped] of [
    [3, ["spellings", "spellings_by_end"]],
    [2, ["vectors", "embedder"]],
  ] as const) {
    const db = new DatabaseSync(path);
    for (const table of dropped) db.exec(`DROP TABLE ${table}`);
    db.exec(`PRAGMA user_version = ${version}; VACUUM`);
    db.close();
    const index = openIndex(path);
    assert.deepEqual(index.correct("the aquairum"), { text: "the aquairum", corrections: [] });
    assert.match(index.search("aquarium", 1).passages[0]!.text, /aquarium/);
    index.close();
  }
});

test("a long question of nothing but slips is corrected soon", () => {
  withIndex([HANDBOOK], (index, path) => {
    assert.ok(readFileSync(path).length < 100_000);
    const { text } = index.correct("aquairum ".repeat(10_000));
    assert.equal(text.slice(0, 18), "aquarium aquarium ");
  });
});
