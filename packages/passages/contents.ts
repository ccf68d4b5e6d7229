import { VarintReader, type VarintWriter } from "./varints.ts";

/** UTF-16 offsets in the passage's text; the ids of its distinct terms, ascending. */
export interface Sentence {
  start: number;
  end: number;
  terms: number[];
}

/** What a passage says, in the form that reading needs: worked out once, when the index is built. */
export interface Contents {
  /** Terms of the heading and the question that the passage stands under. */
  leadTerms: number[];
  /** UTF-16 offset in the passage's text where what may be quoted begins. */
  answerStart: number;
  sentences: Sentence[];
}

export function encodeContents(writer: VarintWriter, contents: Contents): Uint8Array {
  writer.push(contents.answerStart);
  pushTerms(writer, contents.leadTerms);
  let at = 0;
  for (const sentence of contents.sentences) {
    writer.push(sentence.start - at);
    writer.push(sentence.end - sentence.start);
    pushTerms(writer, sentence.terms);
    at = sentence.end;
  }
  return writer.take();
}

export function decodeContents(bytes: Uint8Array): Contents {
  const reader = new VarintReader(bytes);
  const answerStart = reader.next();
  const leadTerms = nextTerms(reader);
  const sentences: Sentence[] = [];
  let at = 0;
  while (!reader.done) {
    const start = at + reader.next();
    at = start + reader.next();
    sentences.push({ start, end: at, terms: nextTerms(reader) });
  }
  return { answerStart, leadTerms, sentences };
}

function pushTerms(writer: VarintWriter, terms: number[]): void {
  writer.push(terms.length);
  let previous = 0;
  for (const term of terms) {
    writer.push(term - previous);
    previous = term;
  }
}

function nextTerms(reader: VarintReader): number[] {
  const terms = new Array<number>(reader.next());
  let previous = 0;
  for (let index = 0; index < terms.length; index++) {
    previous += reader.next();
    terms[index] = previous;
  }
  return terms;
}
