import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildIndex, openIndex } from "@caigun/passages";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { fitNamed, fitNames, read, refusalFor } from "./index.ts";

const TEXT = `# Returns 🎁

You may return an article within 30 days of the purchase. Food cannot be returned. Shoes must be unworn.

Q: Who pays for the parcel?
A: We do, when the article is damaged. Otherwise the buyer pays.

Our shop in Lyon, next to the old fish market,
is open from nine to six. On Sundays it stays closed.

保固期為兩年。電池的保固期只有六個月。請保留收據。

- 運費：每件包裹收取六十元，若是購物金額滿一千元以上則
可以免除
- Gift cards: 10, 20 or 50 euros`;

const folder = mkdtempSync(join(tmpdir(), "caigun-reading-"));
const path = join(folder, "index");
buildIndex(path, [{ id: "handbook", title: "Handbook", text: TEXT }]);
const index = openIndex(path);
after(() => {
  index.close();
  rmSync(folder, { recursive: true });
});

const ask = (question: string, options = {}) => read(question, index.search(question, 8), options);

/** Asks a text of its own, and whatever it says is taken for an answer. */
function inText(text: string) {
  const own = join(folder, `index-${randomUUID()}`);
  buildIndex(own, [{ id: "own", title: "Own", text }]);
  const opened = openIndex(own);
  after(() => opened.close());
  return (question: string) => read(question, opened.search(question, 8), { threshold: 0 });
}

test("quotes the sentence that answers, with its place", () => {
  const reading = ask("Within how many days of the purchase may I return an article?");
  assert.equal(reading.answered, true);
  assert.equal(reading.text, "You may return an article within 30 days of the purchase.");
  const [citation] = reading.citations;
  assert.equal(citation!.quote, reading.text);
  assert.equal([...TEXT].slice(citation!.start, citation!.end).join(""), citation!.quote);
  assert.equal(citation!.title, "Handbook");
});

test("prefers the sentence that goes on with a pronoun and answers to the one that names the subject", () => {
  const asked = inText(
    "A guided walk leads from the mill to the lighthouse on Thursdays. It is 24 kilometres long. Dogs may come along.",
  );
  assert.match(asked("How long is the walk to the lighthouse?").candidate.text, /^It is 24 kilometres long\./);
  assert.match(asked("Where does the walk lead to on Thursdays?").candidate.text, /^A guided walk/);
});

test("prefers a sentence with a number where one is asked for", () => {
  const asked = inText(
    "The board at the pier tells all about a trip. On weekdays a trip costs 7 euros. The boat is blue.",
  );
  assert.match(asked("How much is a trip?").candidate.text, /^On weekdays a trip costs 7 euros/);
  assert.match(asked("Who tells me about a trip?").candidate.text, /^The board/);
});

test("answers a question that the text itself asks with its whole answer", () => {
  const reading = ask("who pays for my parcel");
  assert.equal(reading.text, "We do, when the article is damaged. Otherwise the buyer pays.");
  assert.equal(reading.citations.length, 1);
});

test("a quote keeps the line ends of the text, the reply does not", () => {
  const reading = ask("When is the shop in Lyon open?");
  assert.equal(reading.text, "Our shop in Lyon, next to the old fish market, is open from nine to six.");
  assert.equal(
    reading.citations[0]!.quote,
    "Our shop in Lyon, next to the old fish market,\nis open from nine to six.",
  );
});

test("marks the words that answer", () => {
  const marked = (question: string) => {
    const { highlight, quote, start } = ask(question).citations[0]!;
    return highlight.map((span) => [...quote].slice(span.start - start, span.end - start).join(""));
  };
  assert.ok(marked("Within how many days of the purchase may I return an article?").includes("30"));
  assert.ok(marked("When is the shop in Lyon open?").includes("nine to six"));
  assert.ok(marked("電池的保固期有多久？").join(" ").includes("六個月"));
});

test("a list comes whole, each item on a line of its own, and Chinese lines are joined without a space", () => {
  const list = "- 運費：每件包裹收取六十元，若是購物金額滿一千元以上則可以免除\n- Gift cards: 10, 20 or 50 euros";
  for (const question of ["What do gift cards cost in euros?", "包裹的運費多少?"]) {
    const { text, citations } = ask(question);
    assert.equal(text, list);
    assert.equal(citations.length, 1);
  }
});

test("a table comes whole, a long one with its head and the row", () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, at) => `| Room ${at} | ${at} seats | wing ${at} |`).join("\n");
  const head = "| Room | Size | Place |";
  const short = inText(`Our rooms are these.\n\n${head}\n| Tea room | 12 seats | garden |\n${rows(3)}`);
  assert.match(
    short("How many seats has the tea room?").text,
    /^\| Room \| Size .*\n\| Tea room .*\n(\| Room .*\n?){3}$/,
  );
  const long = inText(`Our rooms are these.\n\n${head}\n| Tea room | 12 seats | garden |\n${rows(40)}`);
  assert.equal(long("How many seats has the tea room?").text, `${head}\n| Tea room | 12 seats | garden |`);
});

test("a row of a Markdown table is said with its head, and cited as it stands", () => {
  const head = "| Room | Low season, from November | High season, from April |\n|:---|:---:|---:|";
  const rows = (count: number) =>
    Array.from(
      { length: count },
      (_, at) => `| Chamber number ${at} | ${60 + at} euros a night | ${90 + at} euros a night |`,
    );
  const suite = "| Garden suite | 150 euros a night | 210 euros a night |";
  const said =
    "Garden suite – Low season, from November: 150 euros a night; High season, from April: 210 euros a night";
  const question = "What does the garden suite cost in high season?";
  const short = inText(`We are a small inn.\n\n${head}\n${suite}\n${rows(2).join("\n")}`)(question);
  assert.deepEqual(short.text.split("\n")[0], said);
  assert.equal(short.text.split("\n").length, 3);
  assert.equal(short.citations[0]!.quote, [head, suite, ...rows(2)].join("\n"));
  const long = inText(`We are a small inn.\n\n${head}\n${suite}\n${rows(8).join("\n")}`)(question);
  assert.equal(long.text, said);
  assert.deepEqual(
    long.citations.map(({ quote }) => quote),
    [head.split("\n")[0], suite],
  );
});

test("a list comes with the sentence that introduces it", () => {
  const answer = inText(
    "We are a shop in Graz.\n\nBring these papers:\n- your passport\n- the green booking slip\n\nWe open at nine.",
  );
  const { text } = answer("Must I bring the green booking slip?");
  assert.equal(text, "Bring these papers:\n- your passport\n- the green booking slip");
});

test("a sentence that opens with a pronoun brings the one before it", () => {
  const english = inText(
    "The tour to the lighthouse leaves on Thursday. It is 24 kilometres long. There is a café at the port.",
  );
  const reading = english("How many kilometres long is it?");
  assert.equal(reading.text, "The tour to the lighthouse leaves on Thursday. It is 24 kilometres long.");
  assert.equal(reading.candidate.citations[0]!.quote, "It is 24 kilometres long.");
  assert.equal(reading.citations.length, 2);
  const chinese = inText("凍頂烏龍產於南投。它的焙火需要十二小時。其他茶不焙火。");
  assert.equal(chinese("焙火需要幾小時？").text, "凍頂烏龍產於南投。它的焙火需要十二小時。");
});

test("the candidate has up to two sentences, the best one first; the reply as many of them as asked for", () => {
  const question = "電池的保固期多久?";
  const reading = ask(question);
  assert.equal(reading.candidate.citations.length, 2);
  assert.equal(reading.candidate.citations[0]!.quote, "電池的保固期只有六個月。");
  assert.equal(reading.text, reading.candidate.citations[0]!.quote);
  const two = ask(question, { maxSentences: 2 });
  assert.equal(two.text, reading.candidate.text);
  assert.equal(two.text, two.citations.map((citation) => citation.quote).join(""));
});

test("refuses in the language of the question and shows what was nearest", () => {
  const reading = ask("Which planet has the largest volcano of the solar system?", { maxSentences: 2 });
  assert.equal(reading.answered, false);
  assert.equal(reading.text, refusalFor("Which planet?", "en"));
  assert.deepEqual(reading.citations, []);
  assert.ok(reading.confidence < fitNamed("shipped").lexical.thresholds.normal);
  const unknown = ask("火山在哪個星球上?");
  assert.equal(unknown.answered, false);
  assert.match(unknown.text, /沒有找到/);
  assert.match(refusalFor("火山在哪个星球上?", "en"), /没有找到/);
  assert.match(refusalFor("Wo liegt der größte Vulkan des Sonnensystems?", "en"), /keine Antwort/);
});

test("a stricter reader refuses more, and the candidate stays", () => {
  for (const { lexical, hybrid } of fitNames.map(fitNamed)) {
    for (const { thresholds } of [lexical, ...Object.values(hybrid)])
      assert.ok(thresholds.low < thresholds.normal && thresholds.normal < thresholds.high);
  }
  const question = "Must shoes be unworn?";
  assert.equal(ask(question, { threshold: 0 }).answered, true);
  const refused = ask(question, { threshold: 1 });
  assert.equal(refused.answered, false);
  assert.equal(refused.candidate.citations[0]!.quote, "Shoes must be unworn.");
});

test("without any passage there is no candidate and no confidence", () => {
  const reading = ask("zeppelin?");
  assert.deepEqual(reading.candidate, { text: "", citations: [] });
  assert.equal(reading.confidence, 0);
  assert.equal(ask("zeppelin?", { threshold: 0 }).answered, false);
  assert.equal(ask("").answered, false);
});

test("white space around a line end is joined in linear time, however long it is", () => {
  const blank = `${"\u3000".repeat(100)}${`\n${"\ufeff".repeat(5000)}`.repeat(50)}`;
  const text = `Q: office hours?\nA: The office, 好${blank}\nand the office ends here as well, at six o'clock.\n\nQ: next thing?\nA: no.\n`;
  const file = join(folder, "blank");
  buildIndex(file, [{ id: "d", title: "t", text }]);
  const opened = openIndex(file);
  const before = process.cpuUsage();
  read("office hours?", opened.search("office hours?", 8), { maxSentences: 2, threshold: 0 });
  assert.ok(process.cpuUsage(before).user < 2_000_000);
  opened.close();
});

test("every quote is exactly the slice of the sent text that its citation names", () => {
  let files = 0;
  fc.assert(
    fc.property(arbitraryText, arbitraryText, (text, question) => {
      const source = `Begin 𠮷 here.\n\n${text}\n\n${question}`;
      const file = join(folder, `property-${files++}`);
      buildIndex(file, [{ id: "d", title: "t", text: source }]);
      const opened = openIndex(file);
      try {
        const reading = read(question, opened.search(question, 8), { maxSentences: 2, threshold: 0 });
        const characters = codePoints(source);
        for (const { start, end, quote } of [...reading.citations, ...reading.candidate.citations]) {
          assert.equal(characters.slice(start, end).join(""), quote);
        }
        assert.ok(reading.confidence >= 0 && reading.confidence <= 1);
      } finally {
        opened.close();
      }
    }),
    { numRuns: 60 },
  );
});

/** The characters of a text, a lone surrogate as one of its own. */
function codePoints(text: string): string[] {
  const characters: string[] = [];
  for (let at = 0; at < text.length; at += characters.at(-1)!.length) {
    characters.push(text.slice(at, at + (text.codePointAt(at)! > 0xffff ? 2 : 1)));
  }
  return characters;
}
