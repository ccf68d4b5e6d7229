import phrases from "./instructions.json" with { type: "json" };
import { anyOf } from "./patterns.ts";

const MARKUP = "<[/!]?\\p{L}|</|\\[/?(?:INST|SYS|system)|!\\[|\\]\\(|```|^\\s*#{2,}|^\\s*-{3,}|\\{\\{|<\\|";
/** Rulers, and words shouted one after another. */
const SHOUTED = /([%=*#~_|+-])\1{2,}|\p{Lu}{4,}\s+\p{Lu}{4,}/u;
/** What is quoted at length is reported, and not said by the text. */
const QUOTED = /["“„«]\S+(?:\s+\S+){2,}["”“»]|[「『“][^」』”]{5,}[」』”]/u;
const found = new RegExp(`${MARKUP}|${anyOf(Object.values(phrases).flat())}`, "imu");

/**
 * Whether a sentence looks as if it told a machine what to do, or held markup to be shown, or quoted someone at length:
 * whatever it says is no evidence for what a person asked. Looks for the phrases of all languages, and for more than can
 * be meant: a sentence that is taken for one by mistake can still be quoted, only not be worded anew.
 */
export function instructs(sentence: string): boolean {
  const text = sentence.normalize("NFKC");
  return found.test(text) || SHOUTED.test(text) || QUOTED.test(text);
}
