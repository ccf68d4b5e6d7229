import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { buildIndex, openIndex, probeIndex } from "@caigun/passages";
import { read } from "@caigun/reading";
import { serveParent } from "../../children/serve-parent.ts";
import type { BuildReply, BuildRequest, CheckReply, DocumentFile, ProbeReply } from "./messages.ts";
import { PASSAGES_READ } from "./passages-read.ts";
import { checkSelf } from "./self-check.ts";

/** The process that turns training data into an index, and then asks that index for it and about it. */
serveParent(async (message, reportProgress): Promise<BuildReply | ProbeReply | CheckReply> => {
  const request = message as BuildRequest;
  if (request.do === "check") return check(request);
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

async function check({ index: path, seed }: Extract<BuildRequest, { do: "check" }>): Promise<CheckReply> {
  const index = openIndex(path);
  try {
    return await checkSelf(index, (question) => read(question, index.search(question, PASSAGES_READ)), seed);
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
