import { type Input, Problem, type Reply } from "@caigun/contract";
import { findTrainingData } from "../store/index.ts";
import type { Caller } from "./caller.ts";
import type { House } from "./house.ts";

/** The text that citations count in. */
export async function getTrainingDataText(
  { store, blobs }: House,
  { chatbotId }: Caller,
  { id }: Input<"getTrainingDataText">,
): Promise<Reply<"getTrainingDataText">> {
  const found = await findTrainingData(store.db, chatbotId, id);
  if (!found) throw new Problem("training_data_not_found");
  const text = (await blobs.read(found.blobDigest)).toString("utf8");
  return { id, title: found.title, text, text_sha256: found.textSha256 };
}
