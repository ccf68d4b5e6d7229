import { ChildEnded, ChildRefused, ChildTimedOut } from "../../children/child.ts";
import { WriterFailure } from "./writer.ts";

/** Why a reply ends that is whole: not "maxTokens". */
const NATURAL_STOPS: ReadonlySet<string> = new Set(["eogToken", "stopGenerationTrigger", "customStopTrigger"]);

/** Whether llama.cpp ended a reply because it was complete. */
export function isNaturalStop(stopReason: string): boolean {
  return NATURAL_STOPS.has(stopReason);
}

/** The failure of a writer that stands behind the failure of its process. */
export function childFailure(error: unknown): unknown {
  if (error instanceof ChildTimedOut) return new WriterFailure("timeout", error.message, { cause: error });
  if (error instanceof ChildEnded)
    return new WriterFailure("unreachable", error.message, { mayPass: true, cause: error });
  if (error instanceof ChildRefused)
    return new WriterFailure("refused", `The language model can't be used: ${error.message}`, { cause: error });
  return error;
}
