import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
let simplified: Map<string, string> | undefined;

/** Traditional Chinese characters to Simplified ones, character by character, so that lengths and offsets stay. */
export function foldHan(text: string): string {
  simplified ??= loadCharacters();
  let folded = "";
  for (const character of text) folded += simplified.get(character) ?? character;
  return folded;
}

/** OpenCC's table of characters ("傳 传|...", the usual form first); its phrase tables would change lengths. */
function loadCharacters(): Map<string, string> {
  const { default: table } = require("opencc-js/dict/TSCharacters") as { default: string };
  const characters = new Map<string, string>();
  for (const entry of table.split("|")) {
    const [traditional, forms] = entry.split(" ", 2);
    const form = forms?.split(" ")[0];
    if (traditional && form && form.length === traditional.length) characters.set(traditional, form);
  }
  return characters;
}

let simplifiedForms: Set<string> | undefined;

/** Whether a text has characters that only Simplified Chinese has. */
export function isSimplified(text: string): boolean {
  simplified ??= loadCharacters();
  const table = simplified;
  simplifiedForms ??= new Set([...table].filter(([from, to]) => from !== to && !table.has(to)).map(([, to]) => to));
  for (const character of text) if (simplifiedForms.has(character)) return true;
  return false;
}

/** Whether a text has characters that Simplified Chinese writes otherwise. */
export function isTraditional(text: string): boolean {
  return foldHan(text) !== text;
}
