import { type Input, Problem, type Reply } from "@caigun/contract";
import { fileKind } from "@caigun/text";
import { engineFor } from "../engines/engines.ts";
import { learningMs } from "../engines/lora/plan.ts";
import { insertEvent, insertModel, insertTrainingData, lastDeadline, listCorrections, newId } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";
import { Utf8Pieces } from "./utf8-pieces.ts";

/** How long a training may take from its acceptance, its waiting included: ten minutes, and three per MB, most of them for embedding. */
const DEADLINE_BASE_MS = 600_000;
const DEADLINE_MS_PER_BYTE = 180_000 / 1_000_000;

/**
 * Takes a text, and has a model trained on it and on the corrections that the chatbot's owner wrote to questions that
 * were not answered. What this returns is on the disk: text, model, event and queued job.
 */
export async function startTraining(
  { store, blobs, jobs }: House,
  { chatbotId }: Caller,
  { text, title, model_name }: Input<"trainModel">,
  { recordReply }: Hooks<Reply<"trainModel">>,
): Promise<Reply<"trainModel">> {
  refuseOtherFiles(text);
  const engine = engineFor(model_name);
  // First the bytes, then the row that refers to them: a row without its bytes would be a loss.
  const encoding = new Utf8Pieces(text);
  const blob = await blobs.put(encoding);
  const [modelId, eventId, trainingDataId] = [newId(), newId(), newId()];
  const corrections = await listCorrections(store.db, chatbotId);
  const bytes = corrections.reduce((sum, correction) => sum + correction.bytes, blob.bytes);
  const learns = engine.name === "lora";
  // What learns waits for what learns already, which ends by its own deadline.
  const beginsBy = learns ? await lastDeadline(store.db, engine.name) : undefined;
  const takesMs = DEADLINE_BASE_MS + bytes * DEADLINE_MS_PER_BYTE + (learns ? learningMs(bytes) : 0);
  const deadline = new Date(Math.max(Date.now(), beginsBy?.getTime() ?? 0) + takesMs);

  return store.db.transaction().execute(async (trx) => {
    await insertTrainingData(trx, chatbotId, {
      id: trainingDataId,
      type: "text",
      title,
      blobDigest: blob.digest,
      textSha256: blob.digest,
      codePoints: encoding.codePoints,
      bytes: blob.bytes,
      ownedByModelId: modelId,
    });
    await insertModel(trx, chatbotId, {
      id: modelId,
      title,
      modelName: model_name,
      trainingDataType: "text",
      engine: engine.name,
      base: null,
      retrieval: engine.retrieval,
      trainingDataIds: [trainingDataId, ...corrections.map(({ id }) => id)],
    });
    await insertEvent(trx, chatbotId, { id: eventId, modelId, kind: "training", deadline });
    await jobs.enqueue(trx, {
      queue: learns ? "learning" : "training",
      id: newId(),
      chatbotId,
      eventId,
      deadline,
    });
    const reply: Reply<"trainModel"> = {
      id: modelId,
      event_id: eventId,
      deadline,
      status: "queued",
    };
    await recordReply?.(trx, reply);
    return reply;
  });
}

/** Throws where the text is a document's or a picture's bytes: a model of them would answer nothing, and say `ready`. */
function refuseOtherFiles(text: string): void {
  const kind = fileKind(text.slice(0, 64));
  if (kind === undefined) return;
  const msg = `is ${kind}: send what it says, as plain text`;
  throw new Problem("validation_failed", `Correct the request: text ${msg}.`, {
    errors: [{ loc: ["body", "text"], msg, type: "plain_text" }],
  });
}
