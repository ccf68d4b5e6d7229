import { DatabaseSync } from "node:sqlite";
import { normalise } from "@caigun/text";
import type { RankedPassage } from "./open.ts";
import { openIndex } from "./open.ts";
import { encodeVectors, type PassageVectors } from "./vectors.ts";

export interface PassageEmbedder {
  name: string;
  /** Names the model's bytes: only questions encoded by the same are compared with these vectors. */
  digest: string;
  languages: ReadonlySet<string>;
  encode(pieces: readonly string[]): Promise<PassageVectors>;
}

/**
 * Adds vectors to an index that buildIndex has just written, for the passages of documents in the embedder's languages.
 * All or nothing: when this throws, the index is as it was. Returns how many passages have vectors now.
 */
export async function addVectors(
  path: string,
  embedder: PassageEmbedder,
  { onProgress, signal }: { onProgress?: (fraction: number) => void; signal?: AbortSignal } = {},
): Promise<number> {
  const index = openIndex(path);
  const db = new DatabaseSync(path);
  let added = 0;
  try {
    db.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN");
    const insert = db.prepare("INSERT INTO vectors VALUES (?, ?, ?)");
    const documents = index.summary().documents.filter(({ language }) => embedder.languages.has(language));
    const total = documents.reduce((sum, { codePoints }) => sum + codePoints, 0) || 1;
    let before = 0;
    for (const document of documents) {
      for (const passage of index.passagesOf(document.id)) {
        signal?.throwIfAborted();
        const { mean, tokens } = encodeVectors(await embedder.encode(piecesOf(passage)));
        insert.run(passage.row, mean, tokens);
        added++;
        onProgress?.((before + passage.end) / total);
      }
      before += document.codePoints;
    }
    if (added > 0) db.prepare("INSERT INTO embedder VALUES (?, ?)").run(embedder.name, embedder.digest);
    db.exec("COMMIT");
    return added;
  } finally {
    index.close();
    db.close();
  }
}

/** What is encoded of a passage: the heading and the question that it stands under, then its sentences. */
export function piecesOf(passage: RankedPassage): string[] {
  const lead = [passage.heading, passage.question].filter((part) => part !== undefined).join("\n");
  return [lead, ...passage.sentences.map(({ start, end }) => normalise(passage.text.slice(start, end)).text)];
}
