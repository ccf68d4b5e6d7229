export { itemMarkLength } from "./blocks.ts";
export { foldHan, isSimplified, isTraditional } from "./han-folding.ts";
export { type DetectionOptions, detectLanguage, languageOfScript } from "./language.ts";
export { type Normalised, normalise } from "./normalise.ts";
export { cutPassages, type Passage } from "./passages.ts";
export { codePointCount, columns, SPACELESS } from "./scripts.ts";
export { type Span, sentences } from "./sentences.ts";
export { withoutDiacritics } from "./stems.ts";
export { type Word, words } from "./words.ts";
