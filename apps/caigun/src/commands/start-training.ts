import type { Input, Reply } from "@caigun/contract";
import { engineFor } from "../engines/engines.ts";
import { failTraining, insertEvent, insertModel, insertTrainingData, newId } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";

/** How long a training may take from its acceptance, its waiting included: ten minutes, and half a minute per MB. */
const DEADLINE_BASE_MS = 600_000;
const DEADLINE_MS_PER_BYTE = 30_000 / 1_000_000;

/** Takes a text, and has a model trained on it. What this returns is on the disk: text, model, event and queued job. */
export async function startTraining(
  { store, blobs, jobs }: House,
  { chatbotId }: Caller,
  { text, title, model_name }: Input<"trainModel">,
  { recordReply }: Hooks<Reply<"trainModel">>,
): Promise<Reply<"trainModel">> {
  const engine = engineFor(model_name);
  // First the bytes, then the row that refers to them: a row without its bytes would be a loss.
  const encoding = new Utf8Pieces(text);
  const blob = await blobs.put(encoding);
  const [modelId, eventId, trainingDataId] = [newId(), newId(), newId()];
  const deadline = new Date(Date.now() + DEADLINE_BASE_MS + blob.bytes * DEADLINE_MS_PER_BYTE);

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
      base: engine.base,
      retrieval: engine.retrieval,
      trainingDataIds: [trainingDataId],
    });
    await insertEvent(trx, chatbotId, { id: eventId, modelId, kind: "training", deadline });
    if (engine.unavailable) await failTraining(trx, chatbotId, eventId, null, engine.unavailable);
    else await jobs.enqueue(trx, { queue: "training", id: newId(), chatbotId, eventId, deadline });
    const reply: Reply<"trainModel"> = {
      id: modelId,
      event_id: eventId,
      deadline,
      status: engine.unavailable ? "failed" : "queued",
    };
    await recordReply?.(trx, reply);
    return reply;
  });
}

/** UTF-16 units encoded at a time: what is done between two of them is others' turn, so that a text of 20 MB blocks nobody. */
const PIECE_UNITS = 64 * 1024;

/** A text in UTF-8, piece by piece, and how many code points have been handed out so far. */
class Utf8Pieces implements Iterable<Uint8Array> {
  codePoints = 0;
  #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let start = 0; start < this.#text.length; ) {
      let end = Math.min(start + PIECE_UNITS, this.#text.length);
      // A surrogate pair is one code point in two units: it stays whole.
      if (isLowSurrogate(this.#text, end)) end -= 1;
      for (let unit = start; unit < end; unit++) if (!isLowSurrogate(this.#text, unit)) this.codePoints += 1;
      yield Buffer.from(this.#text.slice(start, end), "utf8");
      start = end;
    }
  }
}

/** The http room lets no unpaired surrogate pass. */
const isLowSurrogate = (text: string, unit: number) => (text.charCodeAt(unit) & 0xfc00) === 0xdc00;
