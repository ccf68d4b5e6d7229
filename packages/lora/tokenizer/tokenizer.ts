import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { type BaseFiles, baseFilesAt } from "../base/base-files.ts";
import { BaseRefused } from "../base/problems.ts";
import { tokenizerSource } from "./sources.ts";

export interface Tokenizer {
  /** How many tokens there are. */
  vocabulary: number;
  /** Begins a sequence, and ends one; undefined where the model has no such token. */
  bosId: number | undefined;
  eosId: number | undefined;
  /** Whether the model expects each sequence to begin with `bosId`; `encode` never adds it. */
  addsBos: boolean;
  /** Jinja. */
  chatTemplate: string | undefined;
  /**
   * A text's tokens. What looks like a control token in it is text, as anyone may have written it; with `control` it is
   * that token, as templates need it.
   */
  encode(text: string, options?: { control?: boolean }): number[];
  /** The text of tokens, control tokens by their names; half of a character is U+FFFD. Throws RangeError for an id that is none. */
  decode(ids: readonly number[]): string;
  /** The token with this name, such as `<|im_end|>`. */
  idOf(token: string): number | undefined;
}

/** The tokenizer of the base at a path, or of `base.files`. Throws BaseRefused. */
export function tokenizerOf(at: string | BaseFiles): Tokenizer {
  const { path, json, bosId, eosId, addsBos, chatTemplate } = tokenizerSource(
    typeof at === "string" ? baseFilesAt(at) : at,
  );
  const added = (json.added_tokens ?? []) as { special?: unknown }[];
  const controlled = library(json, path);
  // A vocabulary takes some 10 MB, and not all need both.
  let plain: HuggingFaceTokenizer | undefined;
  let vocabulary = 0;
  for (const id of controlled.get_vocab(true).values()) vocabulary = Math.max(vocabulary, id + 1);
  return {
    vocabulary,
    bosId,
    eosId,
    addsBos,
    chatTemplate,
    encode(text, { control = false } = {}) {
      if (!control) plain ??= library({ ...json, added_tokens: added.filter(({ special }) => !special) }, path);
      const used = control ? controlled : plain!;
      return used.encode(text, { add_special_tokens: false }).ids;
    },
    decode(ids) {
      const wrong = ids.find((id) => controlled.id_to_token(id) === undefined);
      if (wrong !== undefined) throw new RangeError(`${wrong} is no token of ${path}.`);
      return ids.length === 0 ? "" : controlled.decode([...ids], { skip_special_tokens: false });
    },
    idOf: (token) => controlled.token_to_id(token),
  };
}

function library(json: object, path: string): HuggingFaceTokenizer {
  try {
    const tokenizer = new HuggingFaceTokenizer(json, { clean_up_tokenization_spaces: false });
    // What is missing from the description shows at the first use.
    tokenizer.encode("a", { add_special_tokens: false });
    return tokenizer;
  } catch (error) {
    throw new BaseRefused(
      `${path} describes no tokenizer that can be used: ${(error as Error).message}. Fetch it again.`,
      {
        cause: error,
      },
    );
  }
}
