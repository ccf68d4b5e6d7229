import type { Base } from "@caigun/lora";
import { seededRandom } from "./random.ts";

/** Of every 256 channels one is so many times as large as the others after a norm, as in trained models. */
const OUTLIER = 40;
const [WIDTH, FEED_FORWARD, VOCABULARY, CONTEXT] = [512, 1536, 1000, 64];

/** A GPT-2 of random weights whose activations have outlier channels, as those of trained ones have. */
export function outlierGpt2(): Base {
  const sizes: Record<string, number> = {
    "token_embd.weight": VOCABULARY * WIDTH,
    "position_embd.weight": CONTEXT * WIDTH,
    "attn_qkv.weight": 3 * WIDTH * WIDTH,
    "attn_qkv.bias": 3 * WIDTH,
    "attn_output.weight": WIDTH * WIDTH,
    "ffn_up.weight": FEED_FORWARD * WIDTH,
    "ffn_up.bias": FEED_FORWARD,
    "ffn_down.weight": WIDTH * FEED_FORWARD,
  };
  const read = (name: string) => {
    const random = seededRandom([...name].reduce((seed, character) => seed * 31 + character.charCodeAt(0), 7) >>> 0);
    const numbers = Float32Array.from(
      { length: sizes[name.replace(/^blk\.\d+\./, "")] ?? WIDTH },
      () => (random() - 0.5) / Math.sqrt(WIDTH / 12),
    );
    return /norm\.weight$/.test(name) ? numbers.map((_, channel) => (channel % 256 === 138 ? OUTLIER : 1)) : numbers;
  };
  return {
    architecture: {
      family: "gpt2",
      layers: 2,
      width: WIDTH,
      heads: 8,
      keyValueHeads: 8,
      headWidth: WIDTH / 8,
      feedForwardWidth: FEED_FORWARD,
      vocabulary: VOCABULARY,
      contextLength: CONTEXT,
      normEpsilon: 1e-5,
      ropeBase: undefined,
    },
    digest: "00",
    tensors: new Map(),
    read,
    close: () => {},
  };
}
