import type { Architecture } from "../base/base.ts";
import { type GgufHeader, type GgufValue, ggufTypes } from "../base/gguf-header.ts";
import { asByteLevel } from "../tokenizer/gguf-fields.ts";
import type { TokenizerSource } from "../tokenizer/sources.ts";
import type { GgufField } from "./gguf-head.ts";

const { string, uint32, int32, float32, bool } = ggufTypes;

/** What a GGUF file's metadata were, to be written again. */
export function fieldsOf({ metadata, valueTypes }: GgufHeader): Map<string, GgufField> {
  return new Map([...metadata].map(([key, value]) => [key, { type: valueTypes.get(key)!, value }]));
}

/** The metadata of a model that was in no GGUF file (docs/gguf.md of ggml). Throws BaseRefused. */
export function fieldsFor(
  architecture: Architecture,
  tokenizer: TokenizerSource,
  name: string,
): Map<string, GgufField> {
  const { family, heads, keyValueHeads, headWidth, vocabulary, normEpsilon, ropeBase } = architecture;
  const { tokens, types, merges, cutting } = asByteLevel(tokenizer, vocabulary);
  const of = (key: string) => `${family}.${key}`;
  const fields: (readonly [string, number, GgufValue | undefined])[] = [
    ["general.architecture", string, family],
    ["general.type", string, "model"],
    ["general.name", string, name],
    [of("block_count"), uint32, architecture.layers],
    [of("context_length"), uint32, architecture.contextLength],
    [of("embedding_length"), uint32, architecture.width],
    [of("feed_forward_length"), uint32, architecture.feedForwardWidth],
    [of("attention.head_count"), uint32, heads],
    ...(ropeBase === undefined
      ? ([[of("attention.layer_norm_epsilon"), float32, normEpsilon]] as const)
      : ([
          [of("attention.layer_norm_rms_epsilon"), float32, normEpsilon],
          [of("attention.head_count_kv"), uint32, keyValueHeads],
          [of("attention.key_length"), uint32, headWidth],
          [of("attention.value_length"), uint32, headWidth],
          [of("rope.dimension_count"), uint32, headWidth],
          [of("rope.freq_base"), float32, ropeBase],
          [of("vocab_size"), uint32, vocabulary],
        ] as const)),
    ["tokenizer.ggml.model", string, "gpt2"],
    ["tokenizer.ggml.pre", string, cutting],
    ["tokenizer.ggml.tokens", string, [...tokens]],
    ["tokenizer.ggml.token_type", int32, [...types]],
    ["tokenizer.ggml.merges", string, [...merges]],
    ["tokenizer.ggml.bos_token_id", uint32, tokenizer.bosId],
    ["tokenizer.ggml.eos_token_id", uint32, tokenizer.eosId],
    ["tokenizer.ggml.add_bos_token", bool, tokenizer.addsBos],
    ["tokenizer.chat_template", string, tokenizer.chatTemplate],
  ];
  return new Map(
    fields.flatMap(([key, type, value]) =>
      value === undefined ? [] : [[key, { type, value }] as [string, GgufField]],
    ),
  );
}
