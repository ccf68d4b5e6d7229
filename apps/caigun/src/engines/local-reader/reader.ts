import { embedderNamed } from "@caigun/embedding";
import type { PassageIndex, QuestionVectors, RankedPassage } from "@caigun/passages";
import { type ReadingOptions, read } from "@caigun/reading";
import { detectLanguage, languageOfScript, normalise } from "@caigun/text";
import type { EncoderFiles } from "../embedding.ts";
import type { AskReply, PassageRead } from "./messages.ts";
import { OpenEncoders } from "./open-encoders.ts";
import { passagesWanted, type Quality } from "./passages-read.ts";

/** A question is a few tokens: a second thread would only take a core from others. */
const THREADS = 1;

export type ReaderOptions = Pick<ReadingOptions, "strictness" | "fit"> & {
  /** Documents that must not be found. */
  exclude?: readonly string[];
  /** The one that made the index's vectors encodes the question. */
  encoders: readonly EncoderFiles[];
  /** How much is read: "best" where it is left out. */
  quality?: Quality;
  /** Whether the texts of the passages are wanted too. */
  withTexts?: boolean;
};

export type Reader = { read(index: PassageIndex, question: string, options: ReaderOptions): Promise<AskReply> };

/** Searches an index for a question without its slips, and reads what it finds: with vectors where the index has some, and their model is here and knows the question's language. */
export function openReader(): Reader {
  const open = new OpenEncoders(THREADS);
  return {
    async read(index, question, { exclude: excluded = [], encoders, quality = "best", withTexts, ...options }) {
      const exclude = new Set(excluded);
      const { text, corrections } = index.correct(question, { exclude });
      const encoder = encoders.find(({ digest }) => digest === index.embedder?.digest);
      const vectors = encoder && (await encodeFor(encoder, text, index.languages, open));
      const wanted = passagesWanted(quality, vectors !== undefined);
      const found = index.search(text, wanted.searched, {
        exclude,
        corrections,
        ...(vectors ? { vectors } : {}),
      });
      return {
        ...read(text, found, options),
        question: corrections.length > 0 ? text : question,
        retrieval: vectors ? "hybrid" : "lexical",
        lacksEncoder: encoder ? undefined : index.embedder?.digest,
        texts: withTexts ? found.passages.slice(0, wanted.read).map(textOf) : [],
      };
    },
  };
}

/** Undefined where the question is in another language than the model's: the passages in that one have no vectors, and would be passed over for others that have. */
async function encodeFor(
  files: EncoderFiles,
  question: string,
  languages: readonly string[],
  open: OpenEncoders,
): Promise<QuestionVectors | undefined> {
  const embedder = embedderNamed(files.embedder);
  const text = normalise(question).text;
  const language = languageOfScript(text) ?? detectLanguage(text, { among: languages });
  if (!embedder.languages.has(language)) return undefined;
  const encoder = await open.get(files);
  try {
    return await encoder?.encodeQuestion(text);
  } catch (error) {
    // Words alone still find an answer; what is wrong stands in the server's log.
    console.error(`The embedding model ${files.model} can't be used: ${(error as Error).message}`);
    return undefined;
  }
}

function textOf({ documentId, title, textSha256, text, start, sentences }: RankedPassage): PassageRead {
  const spans = sentences.map(({ start, end }) => ({ start, end }));
  return { documentId, title, textSha256, text, start, sentences: spans };
}
