import { createHash } from "node:crypto";
import type { Place, SquadFile } from "./squad.ts";

const BETWEEN = "\n\n";

/** Some paragraphs of a file as one text, as a person would paste them, joined by a blank line. */
export class PastedText {
  readonly text: string;
  readonly sha256: string;
  #codePoints: string[];
  #places = new Map<string, Place>();

  constructor(file: SquadFile, includes: (article: number, paragraph: number) => boolean) {
    const chosen: string[] = [];
    let start = 0;
    for (const [article, { paragraphs }] of file.articles.entries()) {
      for (const [paragraph, context] of paragraphs.entries()) {
        if (!includes(article, paragraph)) continue;
        chosen.push(context);
        const end = start + [...context].length;
        this.#places.set(`${article} ${paragraph}`, { start, end });
        start = end + BETWEEN.length;
      }
    }
    this.text = chosen.join(BETWEEN);
    this.sha256 = createHash("sha256").update(this.text).digest("hex");
    this.#codePoints = [...this.text];
  }

  /** Where a paragraph stands in the text, in code points; undefined where the text is without it. */
  placeOf({ article, paragraph }: { article: number; paragraph: number }): Place | undefined {
    return this.#places.get(`${article} ${paragraph}`);
  }

  slice({ start, end }: Place): string {
    return this.#codePoints.slice(start, end).join("");
  }
}
