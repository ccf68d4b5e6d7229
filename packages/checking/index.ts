export { type CheckedPassage, Checker, checkSentences, type Verdict } from "./check.ts";
export { instructs } from "./instructions.ts";
export type { Reason } from "./support.ts";
