import phrases from "./instructions.json" with { type: "json" };
import { anyOf } from "./patterns.ts";

const MARKUP = "<[/!]?\\p{L}|</|\\[/?(?:INST|SYS|system)|!\\[|\\]\\(|```|^\\s*#{2,}|^\\s*-{3,}|\\{\\{|<\\|";
const found = new RegExp(`${MARKUP}|${anyOf(Object.values(phrases).flat())}`, "imu");

/**
 * Whether a sentence looks as if it told a machine what to do, or held markup to be shown: whatever it says is no
 * evidence for what a person asked. Looks for the phrases of all languages: such a sentence need not be in its text's.
 */
export function instructs(sentence: string): boolean {
  return found.test(sentence.normalize("NFKC"));
}
