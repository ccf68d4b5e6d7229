import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { EncodingCache } from "@caigun/embedding";
import { openIndex, probeIndex } from "@caigun/passages";
import { serveParent } from "../../children/serve-parent.ts";
import { embedIndex } from "./embed-index.ts";
import type {
  BuildReply,
  BuildRequest,
  CheckReply,
  DocumentFile,
  EmbedReply,
  ProbeReply,
  PruneReply,
  PruneRequest,
} from "./messages.ts";
import { openReader } from "./reader.ts";
import { checkSelf } from "./self-check.ts";
import { writeIndex } from "./write-index.ts";

/** The process that turns training data into an index, and then asks that index for it and about it. */
serveParent(
  async (message, reportProgress): Promise<BuildReply | EmbedReply | PruneReply | ProbeReply | CheckReply> => {
    const request = message as BuildRequest;
    if (request.do === "check") return check(request);
    if (request.do === "embed") return embedIndex(request, reportProgress);
    if (request.do === "prune") return prune(request);
    const documents = await Promise.all(request.documents.map(readDocument));
    if (request.do === "build") {
      const {
        passages,
        bytes,
        documents: built,
      } = writeIndex(request.target, documents, { onProgress: reportProgress });
      return { passages, bytes, languages: [...new Set(built.map(({ language }) => language))] };
    }
    const index = openIndex(request.index);
    try {
      return probeIndex(index, documents);
    } finally {
      index.close();
    }
  },
);

function prune({ cache: { path, limits } }: PruneRequest): PruneReply {
  // No model reads from it or writes to it here, so none is named.
  const cache = new EncodingCache(path, "", limits);
  cache.prune();
  cache.close();
  return { pruned: true };
}

async function check({ index: path, seed, encoder }: Extract<BuildRequest, { do: "check" }>): Promise<CheckReply> {
  const index = openIndex(path);
  try {
    const reader = openReader();
    const encoders = encoder ? [encoder] : [];
    return await checkSelf(index, (question) => reader.read(index, question, { encoders }), seed);
  } finally {
    index.close();
  }
}

class TrainingDataDamaged extends Error {
  override name = "TrainingDataDamaged";
}

async function readDocument({ id, title, path, textSha256 }: DocumentFile) {
  const bytes = await readFile(path);
  if (createHash("sha256").update(bytes).digest("hex") !== textSha256)
    throw new TrainingDataDamaged(`The stored text of training data ${id} has changed: its digest differs.`);
  return { id, title, text: bytes.toString("utf8") };
}
