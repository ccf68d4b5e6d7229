import { BlobDamaged, BlobMissing } from "../blobs/blob-store.ts";
import { ChildEnded, ChildRefused, ChildTimedOut } from "../children/child.ts";
import type { Failure } from "../store/index.ts";
import type { Stage } from "./attempt.ts";

/** The finished index does not hold what it was made from. */
export class ProbeFailed extends Error {
  override name = "ProbeFailed";
}

const REPORT = "Train again; if it fails again, report this cause.";

/** What a person is told of an error that ended a training, and whether the same might succeed another time. */
export function explainFailure(stage: Stage, error: unknown): { failure: Failure; mayHeal: boolean } {
  const message = error instanceof Error ? error.message : String(error);
  const tell = (cause: string, fix: string, mayHeal: boolean) => ({ failure: { stage, cause, fix }, mayHeal });

  if (error instanceof ChildRefused) {
    const { name } = error.refusal;
    if (name === "NothingToIndex") return tell(message, "Send a text that has words in it.", false);
    if (name === "TrainingDataDamaged")
      return tell(message, "Restore the blob store from a copy, or send the text again.", false);
    return tell(message, REPORT, false);
  }
  if (error instanceof ChildEnded)
    return tell(message, "The machine may be short of memory: free some, or train on a smaller text.", true);
  if (error instanceof ChildTimedOut) return tell(message, "Split the text, or use a faster machine.", false);
  if (error instanceof ProbeFailed) return tell(`The finished index does not hold the text: ${message}`, REPORT, true);
  if (error instanceof BlobMissing || error instanceof BlobDamaged)
    return tell(message, "Restore the blob store from a copy, or send the text again.", false);
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT")
    return tell("The disk is full.", "Free some space below CAIGUN_HOME, then train again.", true);
  return tell(message, "Train again later; if it fails again, report this cause.", true);
}
