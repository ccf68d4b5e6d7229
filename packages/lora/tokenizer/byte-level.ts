import { BaseRefused } from "../base/problems.ts";
import { shown } from "../base/stored-tensors.ts";

/** How a token came to be (enum llama_token_type of llama.cpp). */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A tokenizer that joins bytes to tokens by a list of merges, as GPT-2 and most models since have it. */
export interface ByteLevelTokenizer {
  /** By id, in the alphabet that stands for bytes. */
  tokens: readonly string[];
  /** By id; of `tokenTypes`. */
  types: readonly number[];
  /** Two tokens with a space between them, the first merge first. */
  merges: readonly string[];
  /** How a text is cut before merging, by llama.cpp's name. */
  cutting: Cutting;
}

const contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

/** Each a list of steps; null is GPT-2's own, which Hugging Face's ByteLevel has built in. */
const cuttings = {
  "gpt-2": { steps: [null] },
  /** Digits each for itself. */
  smollm: { steps: ["\\p{N}", null] },
  "llama-bpe": {
    steps: [
      `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ],
    wholeWordsFirst: true,
  },
} as const satisfies Record<string, { steps: readonly (string | null)[]; wholeWordsFirst?: true }>;

export type Cutting = keyof typeof cuttings;
export const cuttingNames = Object.keys(cuttings) as Cutting[];

/** The regular expressions that a rule cuts by, one after the other; null is GPT-2's own. */
export function cuttingSteps(cutting: Cutting): readonly (string | null)[] {
  return cuttings[cutting].steps;
}

/** The tokenizer.json that Hugging Face's libraries take. Throws BaseRefused where the lists make no sense. */
export function asTokenizerJson({ tokens, types, merges, cutting }: ByteLevelTokenizer, path: string): object {
  if (tokens.length === 0 || types.length !== tokens.length)
    throw new BaseRefused(`${path} has ${tokens.length} tokens and ${types.length} types of them. Fetch it again.`);
  const vocab: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    vocab[token] = id;
  });
  const wrong = merges.find((merge) => !/^\S+ \S+$/u.test(merge));
  if (wrong !== undefined) throw new BaseRefused(`${path} has a merge ${shown(wrong)}, which is not two tokens.`);
  const added = [...tokens.entries()].filter(
    ([id]) => types[id] === tokenTypes.control || types[id] === tokenTypes.userDefined,
  );
  const { steps, ...rest } = cuttings[cutting];
  return {
    added_tokens: added.map(([id, content]) => ({
      id,
      content,
      special: types[id] === tokenTypes.control,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...steps
          .filter((step) => step !== null)
          .map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false })),
        {
          type: "ByteLevel",
          add_prefix_space: false,
          trim_offsets: true,
          use_regex: (steps as readonly unknown[]).includes(null),
        },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab, merges, unk_token: null, ignore_merges: "wholeWordsFirst" in rest },
  };
}
