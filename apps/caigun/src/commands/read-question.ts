import { Problem } from "@caigun/contract";
import { BlobMissing } from "../blobs/blob-store.ts";
import { ChildEnded, ChildRefused, ChildTimedOut } from "../children/child.ts";
import { Overloaded } from "../engines/local-reader/answering.ts";
import type { AskReply } from "../engines/local-reader/messages.ts";
import type { CurrentModel, Settings } from "../store/index.ts";
import type { House } from "./house.ts";

/** What a model's texts say to a question; for a writer, with the texts that were read. Throws `unavailable` or `overloaded`. */
export async function readQuestion(
  { answering, blobs }: House,
  { artifactDigest, tombstones }: CurrentModel,
  question: string,
  { strictness, quality }: Settings,
  { withTexts }: { withTexts: boolean },
  signal: AbortSignal,
): Promise<AskReply> {
  try {
    const index = await blobs.file(artifactDigest);
    const request = { key: artifactDigest, index, question, exclude: tombstones, strictness, quality, withTexts };
    return await answering.ask(request, signal);
  } catch (error) {
    throw explain(error);
  }
}

/** What the caller is told of a question that could not be read. */
function explain(error: unknown): unknown {
  const unavailable = (detail: string, retryAfterSeconds: number) =>
    new Problem("unavailable", detail, { retryAfterSeconds, cause: error });
  if (error instanceof Overloaded) return new Problem("overloaded", undefined, { retryAfterSeconds: 1 });
  if (error instanceof BlobMissing || (error instanceof ChildRefused && error.refusal.name === "IndexUnusable"))
    return unavailable(
      "The model's index is missing or damaged. Restore the blob store from a copy, or train again.",
      60,
    );
  if (error instanceof ChildTimedOut)
    return unavailable("The question took too long to answer. Ask it in fewer words, or try again.", 5);
  if (error instanceof ChildEnded)
    return unavailable("The process that answers ended under the question. Try again.", 1);
  return error;
}
