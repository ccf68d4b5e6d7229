import { BaseRefused } from "@caigun/lora";
import { WeightsNotWritten, WeightsUnavailable } from "@caigun/weights";
import { BlobDamaged, BlobMissing } from "../blobs/blob-store.ts";
import { ChildEnded, ChildRefused, ChildTimedOut } from "../children/child.ts";
import type { Failure } from "../store/index.ts";
import type { Stage } from "./attempt.ts";

/** The finished index does not hold what it was made from. */
export class ProbeFailed extends Error {
  override name = "ProbeFailed";
}

const REPORT = "Train again; if it fails again, report this cause.";
const FAULT = "Train again later; if it fails again, report the server's log of this moment.";

/** SQLite's result codes, of which an extended one holds the primary one in its lowest byte. https://sqlite.org/rescode.html */
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

/**
 * What a person is told of an error that ended a training, and whether the same might succeed another time. A message
 * that was not written for them is not shown: it may name paths of this machine, and is for the log.
 */
export function explainFailure(stage: Stage, error: unknown): { failure: Failure; mayHeal: boolean } {
  const message = error instanceof Error ? error.message : String(error);
  const tell = (cause: string, fix: string, mayHeal: boolean) => ({ failure: { stage, cause, fix }, mayHeal });

  if (error instanceof WeightsNotWritten)
    return tell(
      error.told,
      "See to that for the folder CAIGUN_WEIGHTS (weights below CAIGUN_HOME), then train again.",
      true,
    );
  const shortage = shortageBehind(error instanceof ChildRefused ? error.refusal : error);
  if (shortage) return tell(shortage.cause, shortage.fix, true);
  if (error instanceof ChildRefused) {
    const { name } = error.refusal;
    if (name === "NothingToIndex") return tell(message, "Send a text that has words in it.", false);
    if (name === "TrainingDataDamaged")
      return tell(message, "Restore the blob store from a copy, or send the text again.", false);
    if (name === "TextTooShort")
      return tell(message, 'Send a longer text, or train with model_name "PaLM2", which needs a sentence.', false);
    if (name === "TrainingTooLarge")
      return tell(message, "Free some memory, choose a smaller base (CAIGUN_GPT2_BASE), or train elsewhere.", true);
    if (name === "BaseTooLarge")
      return tell(message, "Choose a smaller base (CAIGUN_GPT2_BASE), or train elsewhere.", false);
    if (name === "TrainingDiverged") return tell(message, REPORT, false);
    if (name === "IndexUnusable") return tell("The finished index can't be read.", REPORT, false);
    return tell("A fault in CaiGun ended the training.", FAULT, false);
  }
  if (error instanceof WeightsUnavailable)
    return tell(error.told, "`npx caigun pull` brings it, also from a file.", error.mayPass);
  if (error instanceof BaseRefused)
    return tell(error.message, "Set CAIGUN_GPT2_BASE to another model, or fetch it again: `npx caigun pull`.", false);
  if (error instanceof ChildEnded)
    return tell(message, "The machine may be short of memory: free some, or train on a smaller text.", true);
  if (error instanceof ChildTimedOut) return tell(message, "Split the text, or use a faster machine.", false);
  if (error instanceof ProbeFailed) return tell(`The finished index does not hold the text: ${message}`, REPORT, true);
  if (error instanceof BlobMissing || error instanceof BlobDamaged)
    return tell(message, "Restore the blob store from a copy, or send the text again.", false);
  return tell("Something that the training needs failed unexpectedly.", FAULT, true);
}

/** What the machine is short of, where that is why something failed: it passes, or somebody can make it pass. */
function shortageBehind(error: unknown): { cause: string; fix: string } | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  const ofSqlite = typeof errcode === "number" ? errcode & 0xff : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || ofSqlite === SQLITE_FULL)
    return { cause: "The disk is full.", fix: "Free some space below CAIGUN_HOME, then train again." };
  if (code === "EIO" || ofSqlite === SQLITE_IOERR)
    return { cause: "The disk failed to read or write.", fix: "Check the disk and its free space, then train again." };
  if (code === "EMFILE" || code === "ENFILE")
    return { cause: "Too many files are open.", fix: "Raise the limit of open files (ulimit -n), then train again." };
  return undefined;
}
