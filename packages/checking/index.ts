export { type CheckedPassage, Checker, checkSentences, type Verdict } from "./check.ts";
export { distinctionsOf } from "./distinctions.ts";
export { instructs } from "./instructions.ts";
export { isRewriting, LONGEST_REWRITING } from "./rewriting.ts";
export type { Reason } from "./support.ts";
