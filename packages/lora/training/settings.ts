import type { AdamW } from "./step-graph.ts";

export interface TrainingSettings {
  /** The rank of each change, and what it is multiplied by: alpha / r. */
  r: number;
  alpha: number;
  /** The share of an adapter's inputs that a step leaves out. */
  dropout: number;
  /** Which linear layers are adapted, by the middle of their names (attn_q, ffn_up, ...); all of them unless told. */
  targets?: readonly string[] | undefined;
  learningRate: number;
  /** The share of the steps in which the learning rate rises. */
  warmup: number;
  adamW: AdamW;
  /** T, the longest sequence in tokens. */
  length: number;
  /** B, rows of T tokens that go through the model at a time. */
  batch: number;
  /** How many such batches make a step. */
  accumulate: number;
  steps: number;
  /** The held-out loss is taken before the first step and after each so many. */
  evaluateEvery: number;
  /** How many evaluations in a row may bring nothing better before training stops. */
  patience: number;
  /** The state is kept on the disk after each so many steps. */
  checkpointEvery: number;
  seed: number;
}

/** What works for models of about 100 million parameters and texts of about 100 KB. */
export const defaultSettings: TrainingSettings = {
  r: 16,
  alpha: 32,
  dropout: 0,
  learningRate: 5e-4,
  warmup: 0.05,
  adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
  length: 256,
  batch: 4,
  accumulate: 1,
  steps: 100,
  evaluateEvery: 20,
  patience: 3,
  checkpointEvery: 20,
  seed: 1,
};
