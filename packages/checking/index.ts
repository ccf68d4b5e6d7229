export { type CheckedPassage, Checker, checkSentences, type Verdict } from "./check.ts";
export type { Reason } from "./support.ts";
export { instructs } from "./instructions.ts";
