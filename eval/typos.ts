import { seededRandom } from "../testkit/random.ts";

const SEED = 4;
const SHORTEST_WORD = 4;
// A word that more of the questions hold says how something is asked ("what", "which"), not what is asked about.
const COMMON_SHARE = 0.02;
const WORD = /\p{L}[\p{L}\p{M}]*/gu;
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * The questions with typos, the same each time: in every second content word one letter is swapped with the next,
 * dropped or doubled. Undefined for questions in a script without spaces.
 */
export function withTypos(questions: readonly string[]): string[] | undefined {
  const all = questions.join("\n");
  const letters = all.match(/\p{L}/gu)?.length ?? 0;
  if ((all.match(SPACELESS)?.length ?? 0) > letters / 2) return undefined;
  const common = commonWords(questions);
  const random = seededRandom(SEED);
  return questions.map((question) => {
    let contentWords = 0;
    return question.replace(WORD, (word) => {
      if (word.length < SHORTEST_WORD || common.has(word.toLowerCase())) return word;
      return contentWords++ % 2 === 0 ? misspelt(word, random) : word;
    });
  });
}

function commonWords(questions: readonly string[]): Set<string> {
  const counts = new Map<string, number>();
  for (const question of questions)
    for (const word of new Set(question.toLowerCase().match(WORD))) counts.set(word, (counts.get(word) ?? 0) + 1);
  const most = Math.max(1, questions.length * COMMON_SHARE);
  return new Set([...counts].filter(([, count]) => count > most).map(([word]) => word));
}

function misspelt(word: string, random: () => number): string {
  const letters = [...word];
  // Not the first letter: people rarely miss that one.
  const at = 1 + Math.floor(random() * (letters.length - 2));
  const kind = Math.floor(random() * 3);
  // Two equal letters can't be told apart when swapped: one of them is dropped.
  const isSwapped = kind === 0 && letters[at] !== letters[at + 1];
  if (isSwapped) letters.splice(at, 2, letters[at + 1]!, letters[at]!);
  else if (kind < 2) letters.splice(at, 1);
  else letters.splice(at, 0, letters[at]!);
  return letters.join("");
}
