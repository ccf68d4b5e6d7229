import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { normalise } from "@caigun/text";
import { VECTORS_TABLE } from "./format.ts";
import { openIndex, type RankedPassage } from "./open.ts";
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
  // In a file of their own until they are all there: they may be more than fits into memory.
  const aside = `${path}.vectors`;
  const db = new DatabaseSync(aside);
  try {
    db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; ${VECTORS_TABLE}; BEGIN`);
    const added = await encodeAll(path, embedder, db, onProgress, signal);
    db.exec("COMMIT");
    if (added > 0) take(path, aside, embedder);
    return added;
  } finally {
    db.close();
    rmSync(aside, { force: true });
  }
}

async function encodeAll(
  path: string,
  embedder: PassageEmbedder,
  db: DatabaseSync,
  onProgress: ((fraction: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  const insert = db.prepare("INSERT INTO vectors VALUES (?, ?, ?)");
  const index = openIndex(path);
  try {
    const documents = index.summary().documents.filter(({ language }) => embedder.languages.has(language));
    const total = documents.reduce((sum, { codePoints }) => sum + codePoints, 0) || 1;
    let added = 0;
    let before = 0;
    for (const { id, codePoints } of documents) {
      for (const passage of index.passagesOf(id)) {
        signal?.throwIfAborted();
        const { mean, tokens } = encodeVectors(await embedder.encode(piecesOf(passage)));
        insert.run(passage.row, mean, tokens);
        added++;
        onProgress?.((before + passage.end) / total);
      }
      before += codePoints;
    }
    return added;
  } finally {
    index.close();
  }
}

function take(path: string, aside: string, { name, digest }: PassageEmbedder): void {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    db.prepare("ATTACH ? AS aside").run(aside);
    db.exec("BEGIN");
    db.exec("INSERT INTO main.vectors SELECT * FROM aside.vectors ORDER BY ordinal");
    db.prepare("INSERT INTO main.embedder VALUES (?, ?)").run(name, digest);
    db.exec("COMMIT");
  } finally {
    db.close();
  }
}

/** What is encoded of a passage: the heading and the question that it stands under, then its sentences. */
export function piecesOf(passage: RankedPassage): string[] {
  const lead = [passage.heading, passage.question].filter((part) => part !== undefined).join("\n");
  return [lead, ...passage.sentences.map(({ start, end }) => normalise(passage.text.slice(start, end)).text)];
}
