import { textSha256 } from "./build.ts";
import type { PassageIndex, RankedPassage } from "./open.ts";

export interface ProbedDocument {
  id: string;
  /** As sent. */
  text: string;
}

export type Probe =
  | { ok: true /** How many sentences were searched for and found. */; sentences: number }
  | { ok: false /** What is missing or wrong, without any of the text. */; cause: string };

/** Sentences searched for in each document, spread over it. */
const SENTENCES_PER_DOCUMENT = 5;
/** A sentence counts as found when one of this many passages is its document's. */
const SEARCHED = 5;

/**
 * Whether an index holds what it was made from: each document whole and unchanged, no others, and a search for some of
 * its sentences finds it. Throws IndexUnusable where the file is damaged.
 */
export function probeIndex(index: PassageIndex, documents: readonly ProbedDocument[]): Probe {
  index.checkStructure();
  const summaries = new Map(index.summary().documents.map((summary) => [summary.id, summary]));
  if (summaries.size !== documents.length)
    return { ok: false, cause: `It holds ${summaries.size} documents instead of ${documents.length}.` };
  const idsOfText = new Map<string, Set<string>>();
  for (const { id, textSha256 } of summaries.values())
    idsOfText.set(textSha256, (idsOfText.get(textSha256) ?? new Set()).add(id));

  let sentences = 0;
  for (const { id, text } of documents) {
    const summary = summaries.get(id);
    if (!summary) return { ok: false, cause: `Document ${id} is missing.` };
    if (summary.textSha256 !== textSha256(text)) return { ok: false, cause: `Document ${id} is another text.` };
    const passages = [...index.passagesOf(id)];
    const gap = firstGap(text, passages);
    if (gap !== undefined) return { ok: false, cause: `Document ${id} is not covered from its character ${gap} on.` };
    // Two documents of the same text are equally good finds.
    const good = idsOfText.get(summary.textSha256)!;
    for (const sentence of someSentences(passages)) {
      if (!index.search(sentence, SEARCHED).passages.some(({ documentId }) => good.has(documentId)))
        return { ok: false, cause: `A sentence of document ${id} is not found by a search for it.` };
      sentences += 1;
    }
  }
  return { ok: true, sentences };
}

/** The first code point that is in no passage, white space aside, or where a passage is not the text's own slice. */
function firstGap(text: string, passages: readonly RankedPassage[]): number | undefined {
  let [unit, codePoint] = [0, 0];
  const advance = (until: number) => {
    const from = unit;
    for (; codePoint < until && unit < text.length; codePoint++) unit += text.codePointAt(unit)! > 0xffff ? 2 : 1;
    return text.slice(from, unit);
  };
  for (const passage of passages) {
    const before = codePoint;
    if (!isBlank(advance(passage.start))) return before;
    if (advance(passage.end) !== passage.text) return passage.start;
  }
  return isBlank(text.slice(unit)) ? undefined : codePoint;
}

/** White space, and the characters that no one sees or searches for. */
const isBlank = (text: string) => /^[\s\p{Cc}\p{Cf}]*$/u.test(text);

function someSentences(passages: readonly RankedPassage[]): string[] {
  const spread = Math.max(1, Math.floor(passages.length / SENTENCES_PER_DOCUMENT));
  const found: string[] = [];
  for (let at = 0; at < passages.length && found.length < SENTENCES_PER_DOCUMENT; at += spread) {
    const { text, sentences } = passages[at]!;
    // The one with the most words says most about where it stands.
    const [longest] = [...sentences].sort((a, b) => b.terms.length - a.terms.length);
    if (longest && longest.terms.length > 0) found.push(text.slice(longest.start, longest.end));
  }
  return found;
}
