import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SNOWBALL_LANGUAGES } from "./snowball.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The only code that may name a language; for every other, a language is a value that it is handed. */
const mayName: Readonly<Record<string, string>> = {
  "packages/text/language.ts": "tells languages apart",
  "packages/text/snowball.ts": "stemming",
  "packages/text/common-words.ts": "word lists",
  "packages/lora/export/peft.ts":
    "safetensors files say that they are of PyTorch by the letters that also mean Portuguese",
  "packages/passages/ordinary-words.ts": "the names that a library's word lists have",
  "packages/reading/refusals.ts": "texts that people see",
  "apps/caigun/src/http/api-reference.ts": "the page says which language it is in",
  "packages/embedding/embedders.ts": "what each embedder was trained on, as data",
};

// Tags that are also words of programs ("id", "no", "is") can't be told from them.
const AMBIGUOUS = new Set([
  "id",
  "no",
  "is",
  "it",
  "in",
  "as",
  "or",
  "so",
  "to",
  "am",
  "be",
  "he",
  "hi",
  "my",
  "ne",
  "ga",
]);
const OTHERS = ["cs", "fa", "he", "ja", "km", "ko", "lo", "pl", "sk", "th", "uk", "ur", "vi", "zh"];
const tags = [...Object.keys(SNOWBALL_LANGUAGES), ...OTHERS].filter((tag) => !AMBIGUOUS.has(tag));
const english = new Intl.DisplayNames(["en"], { type: "language" });
const names = [...tags.map((tag) => english.of(tag)!), "Mandarin", "Cantonese", "Traditional", "Simplified"];

const TAG = `(?:${tags.join("|")})(?:-[A-Za-z]{2,4})*`;
const NAME = `(?:${names.join("|")})`;
/** A literal that is a language's tag or name, a property with such a name, or such a member of something. */
const LANGUAGE = new RegExp(
  `(["'\`])(?:${TAG}|${NAME})\\1|(?<=[{,]\\s*)${TAG}(?=\\s*:)|(?<=[\\w\\])])\\.${TAG}\\b(?!\\()`,
  "giu",
);

function languagesNamedIn(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gmu, "");
  return [...code.matchAll(LANGUAGE)].map(([found]) => found);
}

test("a language is seen where code names one, and only there", () => {
  for (const code of [
    'if (language === "en")',
    "x['zh-Hant']",
    "REFUSALS.en!",
    "{ de: 1 }",
    'name === "Chinese"',
    "`th`",
  ])
    assert.equal(languagesNamedIn(code).length, 1, code);
  for (const code of ['{ id: "id" }', "// in English, as 'en'", 'say("Chinese and English")', "events.end", '"end"'])
    assert.deepEqual(languagesNamedIn(code), [], code);
});

test("no code names a language but what segments, stems, or holds texts that people see", () => {
  const files = globSync(["packages/**/*.ts", "apps/**/*.ts"], {
    cwd: project,
    exclude: (path) => path.includes("node_modules") || path.endsWith(".test.ts"),
  });
  assert.ok(files.length > 100);
  const naming = files
    .map((file) => file.replaceAll("\\", "/"))
    .map((file) => ({ file, found: languagesNamedIn(readFileSync(`${project}/${file}`, "utf8")) }))
    .filter(({ found }) => found.length > 0);
  const unexpected = naming.filter(({ file }) => !(file in mayName));
  assert.deepEqual(
    unexpected,
    [],
    "let the language be a value, or keep what depends on it in a data file by language",
  );
  const idle = Object.keys(mayName).filter((file) => !naming.some((one) => one.file === file));
  assert.deepEqual(idle, [], "these may name a language and don't: take them off the list");
});
