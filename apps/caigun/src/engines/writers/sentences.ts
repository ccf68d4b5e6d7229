import { sentences } from "@caigun/text";
import { WriterFailure } from "./writer.ts";

/** UTF-16 units without a sentence's end, after which no end is waited for. */
const LONGEST_SENTENCE = 1_500;

/** The sentences of a reply, each as soon as the next has begun or the reply has ended. */
export async function* sentencesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let written = "";
  for await (const piece of pieces) {
    written += piece;
    const spans = sentences(written);
    for (const { start, end } of spans.slice(0, -1)) yield written.slice(start, end);
    written = written.slice(spans.at(-1)?.start ?? 0);
    if (written.length > LONGEST_SENTENCE)
      throw new WriterFailure("garbled", "The writer wrote without a sentence's end.");
  }
  for (const { start, end } of sentences(written)) yield written.slice(start, end);
}
