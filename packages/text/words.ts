import { commonWords } from "./common-words.ts";
import { foldHan } from "./han-folding.ts";
import { SPACELESS } from "./scripts.ts";
import { stemmerFor } from "./stems.ts";

export interface Word {
  /** What is searched: lower-cased, Traditional folded to Simplified, stemmed, without diacritics. */
  term: string;
  /** UTF-16 offsets in the text that was given. */
  start: number;
  end: number;
  /** A word that says little in this language, such as "the" or "what". */
  common: boolean;
  /** Two neighbouring characters that the segmenter does not call a word. */
  pair: boolean;
  /** A piece of a longer word or pair at the same place: what it says, that one says too. */
  part: boolean;
}

// A run of a script without spaces, or a word of letters, marks and digits, with inner apostrophes ("don't").
const RUN = new RegExp(
  `([${SPACELESS}][${SPACELESS}\\p{M}]*)|((?:(?![${SPACELESS}])[\\p{L}\\p{N}])(?:(?![${SPACELESS}])[\\p{L}\\p{M}\\p{N}])*(?:['’](?:(?![${SPACELESS}])\\p{L})+)*)`,
  "gu",
);
const HAN = /\p{Script=Han}/u;
const BIGRAM_SCRIPT = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+$/u;
const HANGUL = /^\p{Script=Hangul}{3,}$/u;
const APOSTROPHE = /['’]/g;
const POSSESSIVE = /['’]s?$|^[ldjmtnscLDJMTNSC]['’]/;

/**
 * The words of a normalised text in order of their start. Scripts without spaces give the segmenter's words and,
 * where these are cut differently, the pairs of neighbouring characters (so that a question cut another way still
 * meets the text); Hangul words of three and more syllables give their pairs too, since particles are glued to them.
 */
export function words(text: string, language: string): Word[] {
  const found: Word[] = [];
  const stem = stemmerFor(language);
  const common = commonWords(language);
  RUN.lastIndex = 0;
  for (let match = RUN.exec(text); match; match = RUN.exec(text)) {
    if (match[1] !== undefined) addSpaceless(found, match[1], match.index, language, common);
    else addSpaced(found, match[0], match.index, stem, common);
  }
  return found;
}

function addSpaced(
  found: Word[],
  word: string,
  start: number,
  stem: (word: string) => string,
  common: ReadonlySet<string>,
): void {
  const lower = word.toLowerCase();
  const bare = lower.includes("'") || lower.includes("’") ? lower.replace(POSSESSIVE, "") || lower : lower;
  found.push({
    term: stem(bare.replaceAll(APOSTROPHE, "")),
    start,
    end: start + word.length,
    common: common.has(bare) || common.has(lower),
    pair: false,
    part: false,
  });
  if (HANGUL.test(word)) {
    for (let index = 0; index + 1 < word.length; index++) {
      found.push({
        term: word.slice(index, index + 2),
        start: start + index,
        end: start + index + 2,
        common: false,
        pair: true,
        part: false,
      });
    }
  }
}

function addSpaceless(found: Word[], run: string, start: number, language: string, common: ReadonlySet<string>): void {
  const folded = HAN.test(run) ? foldHan(run) : run;
  const pieces: Word[] = [];
  const pairs = pairsOf(folded);
  const add = (from: number, to: number, pair: boolean) => {
    const term = folded.slice(from, to);
    pieces.push({ term, start: start + from, end: start + to, common: common.has(term), pair, part: false });
  };
  for (const { segment, index, isWordLike } of segmenterFor(language).segment(folded)) {
    if (!isWordLike) continue;
    add(index, index + segment.length, false);
    if (pairs.get(index) === index + segment.length) pairs.delete(index);
  }
  for (const [from, to] of pairs) add(from, to, true);
  pieces.sort((a, b) => a.start - b.start || b.end - a.end);
  let reached = -1;
  for (const piece of pieces) {
    piece.part = piece.end <= reached;
    reached = Math.max(reached, piece.end);
    found.push(piece);
  }
}

/** The pairs of neighbouring characters of a run in Han and Kana: their start and end. */
function pairsOf(run: string): Map<number, number> {
  const pairs = new Map<number, number>();
  if (!BIGRAM_SCRIPT.test(run)) return pairs;
  let previous = -1;
  for (let index = 0; index < run.length; ) {
    const width = widthAt(run, index);
    if (previous >= 0) pairs.set(previous, index + width);
    previous = index;
    index += width;
  }
  return pairs;
}

function widthAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit >= 0xd800 && unit <= 0xdbff && index + 1 < text.length ? 2 : 1;
}

const segmenters = new Map<string, Intl.Segmenter>();

function segmenterFor(language: string): Intl.Segmenter {
  let segmenter = segmenters.get(language);
  if (!segmenter) {
    segmenter = new Intl.Segmenter(language, { granularity: "word" });
    segmenters.set(language, segmenter);
  }
  return segmenter;
}
