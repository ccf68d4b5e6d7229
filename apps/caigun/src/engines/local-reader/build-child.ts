import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { buildIndex, openIndex, probeIndex } from "@caigun/passages";
import { serveParent } from "../../children/serve-parent.ts";
import type { BuildReply, BuildRequest, DocumentFile, ProbeReply } from "./messages.ts";

/** The process that turns training data into an index, and then asks that index for it. */
serveParent(async (message, reportProgress): Promise<BuildReply | ProbeReply> => {
  const request = message as BuildRequest;
  const documents = await Promise.all(request.documents.map(readDocument));
  if (request.do === "build") {
    const { passages, bytes } = buildIndex(request.target, documents, { onProgress: reportProgress });
    return { passages, bytes };
  }
  const index = openIndex(request.index);
  try {
    return probeIndex(index, documents);
  } finally {
    index.close();
  }
});

class TrainingDataDamaged extends Error {
  override name = "TrainingDataDamaged";
}

async function readDocument({ id, title, path, textSha256 }: DocumentFile) {
  const bytes = await readFile(path);
  if (createHash("sha256").update(bytes).digest("hex") !== textSha256)
    throw new TrainingDataDamaged(`The stored text of training data ${id} has changed: its digest differs.`);
  return { id, title, text: bytes.toString("utf8") };
}
