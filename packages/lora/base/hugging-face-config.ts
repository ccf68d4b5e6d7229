import { checkArchitecture } from "./architecture.ts";
import type { Architecture } from "./base.ts";
import { BaseRefused } from "./problems.ts";
import { shown } from "./stored-tensors.ts";

type Config = Readonly<Record<string, unknown>>;

export interface DescribedModel {
  architecture: Architecture;
  /** Whether the embedding is used as the output's weight too. */
  isTied: boolean;
}

/** What a config.json of Hugging Face's transformers says of a model. Throws BaseRefused. */
export function describedModel(config: Config, path: string): DescribedModel {
  const number = (key: string, byDefault?: number): number => {
    const value = config[key] ?? byDefault;
    if (typeof value === "number") return value;
    throw new BaseRefused(`${path} does not say ${key} as a number: it is no description of a model. Fetch it again.`);
  };
  switch (config.model_type) {
    case "gpt2":
      return {
        architecture: checkArchitecture(gpt2(config, number, path), path),
        isTied: config.tie_word_embeddings !== false,
      };
    case "llama":
      return {
        architecture: checkArchitecture(llama(config, number, path), path),
        isTied: config.tie_word_embeddings === true,
      };
    default:
      throw new BaseRefused(
        `${path} describes a model of the family ${shown(String(config.model_type))}: only gpt2 and llama can be trained here. Name a base of one of them.`,
      );
  }
}

type NumberOf = (key: string, byDefault?: number) => number;

function gpt2(config: Config, number: NumberOf, path: string): Architecture {
  refuseUnusual(config, path, {
    activation_function: ["gelu_new", "gelu_pytorch_tanh"],
    scale_attn_weights: [true],
    scale_attn_by_inverse_layer_idx: [false],
    add_cross_attention: [false],
  });
  const [width, heads] = [number("n_embd"), number("n_head")];
  return {
    family: "gpt2",
    layers: number("n_layer"),
    width,
    heads,
    keyValueHeads: heads,
    headWidth: width / heads,
    feedForwardWidth: number("n_inner", 4 * width),
    vocabulary: number("vocab_size"),
    contextLength: number("n_positions", config.n_ctx as number | undefined),
    normEpsilon: number("layer_norm_epsilon", 1e-5),
    ropeBase: undefined,
  };
}

function llama(config: Config, number: NumberOf, path: string): Architecture {
  // Since transformers 5 what concerns the rotary positions stands in an object of its own.
  const rotary = { ...(config.rope_scaling as object), ...(config.rope_parameters as object) } as Config;
  refuseUnusual(config, path, { hidden_act: ["silu"], attention_bias: [false], mlp_bias: [false] });
  refuseUnusual(rotary, path, { rope_type: ["default"], type: ["default"], partial_rotary_factor: [1] });
  const [width, heads] = [number("hidden_size"), number("num_attention_heads")];
  return {
    family: "llama",
    layers: number("num_hidden_layers"),
    width,
    heads,
    keyValueHeads: number("num_key_value_heads", heads),
    headWidth: number("head_dim", width / heads),
    feedForwardWidth: number("intermediate_size"),
    vocabulary: number("vocab_size"),
    contextLength: number("max_position_embeddings"),
    normEpsilon: number("rms_norm_eps", 1e-6),
    ropeBase: typeof rotary.rope_theta === "number" ? rotary.rope_theta : number("rope_theta", 10_000),
  };
}

/** What is left out, or null, is as in the plain model. */
function refuseUnusual(config: Config, path: string, usual: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [key, values] of Object.entries(usual)) {
    const value = config[key] ?? values[0];
    if (!values.includes(value))
      throw new BaseRefused(
        `${path} says ${key} ${shown(String(value))}: only ${values.join(" or ")} can be trained here. Name another base.`,
      );
  }
}
