import { BaseRefused } from "../base/problems.ts";
import { shown } from "../base/stored-tensors.ts";
import { type ByteLevelTokenizer, type Cutting, cuttingNames, cuttingSteps, tokenTypes } from "./byte-level.ts";
import type { TokenizerSource } from "./sources.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * A tokenizer.json in the lists that GGUF keeps. `vocabulary` is how many rows the embedding has: ids without a token
 * are filled up, as llama.cpp's converter does. Throws BaseRefused where llama.cpp has no such tokenizer.
 */
export function asByteLevel({ json, path }: TokenizerSource, vocabulary: number): ByteLevelTokenizer {
  const model = object(json.model);
  if (model.type !== "BPE" || model.byte_fallback === true || !hasNothing(json.normalizer))
    throw new BaseRefused(`${path} describes a tokenizer that is not byte-level, which GGUF can't be given here.`);
  const tokens: string[] = Array.from({ length: vocabulary }, (_, id) => `[PAD${id}]`);
  const types: number[] = tokens.map(() => tokenTypes.unused);
  const place = (token: string, id: unknown, type: number) => {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= vocabulary)
      throw new BaseRefused(`${path} gives ${shown(token)} the id ${id}, for which the model has no row.`);
    tokens[id as number] = token;
    types[id as number] = type;
  };
  for (const [token, id] of Object.entries(object(model.vocab))) place(token, id, tokenTypes.normal);
  for (const added of (json.added_tokens ?? []) as Json[])
    place(String(added.content), added.id, added.special === true ? tokenTypes.control : tokenTypes.userDefined);
  const merges = (model.merges as unknown[]).map((pair) => (Array.isArray(pair) ? pair.join(" ") : String(pair)));
  return { tokens, types, merges, cutting: cuttingOf(json, path) };
}

/** Which of llama.cpp's rules a tokenizer.json cuts texts by. Throws BaseRefused where it is none that is known here. */
function cuttingOf(json: Json, path: string): Cutting {
  const given = object(json.pre_tokenizer);
  const steps = (given.type === "Sequence" ? (given.pretokenizers as Json[]) : [given]).flatMap(stepOf);
  const found = cuttingNames.find((name) => JSON.stringify(cuttingSteps(name)) === JSON.stringify(steps));
  if (!found)
    throw new BaseRefused(
      `${path} cuts texts by a rule that is none of ${cuttingNames.join(", ")}: a GGUF file of it can't be written here.`,
    );
  return found;
}

/** A step as `cuttingSteps` has it. */
function stepOf(step: Json): (string | null)[] {
  switch (step.type) {
    case "ByteLevel":
      return step.add_prefix_space === true ? ["a space before"] : step.use_regex === false ? [] : [null];
    case "Digits":
      return step.individual_digits === true ? ["\\p{N}"] : ["digits together"];
    case "Split":
      return [String(object(step.pattern).Regex).replace(/^\(\?i:'s\|'t\|'re\|'ve\|'m\|'ll\|'d\)/, CONTRACTIONS)];
    default:
      return [String(step.type)];
  }
}

/** What `(?i:...)` means, as llama.cpp and byte-level.ts write it. */
const CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

function hasNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
