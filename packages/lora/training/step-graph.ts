import { AdapterInGraph, type AdapterLayout } from "../architectures/adapter.ts";
import { type BatchSize, batchInputs } from "../architectures/inputs.ts";
import { hiddenStates } from "../architectures/language-model.ts";
import type { Base } from "../base/base.ts";
import { differentiate } from "../gradients/differentiate.ts";
import type { Kept } from "../gradients/recompute.ts";
import { add, div, mul, reshape, sqrt, sub, sum } from "../graph/build.ts";
import { fuse } from "../graph/fuse.ts";
import { checkGraph, Graph, type Value } from "../graph/graph.ts";

/** What AdamW (Loshchilov and Hutter 2019) is told once; the learning rate comes with each step. */
export interface AdamW {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** The gradient of a step is shortened to this length (Euclidean, over all trained numbers). */
  maxGradientNorm: number;
}

export interface StepSize extends BatchSize {
  /** N, how many of the B T places are asked for their next token. */
  supervised: number;
}

/**
 * The loss of a batch: the sum over the supervised rows of their weight times the cross-entropy of their target.
 * Inputs: tokens, positions, segments (B, T); rows, targets (N), weights (N); parameters (P). Output: loss ().
 */
export function lossGraph(base: Base, layout: AdapterLayout, size: StepSize): Graph {
  const g = new Graph();
  const parameters = g.input("parameters", [layout.size]);
  g.output("loss", loss(g, base, size, new AdapterInGraph(g, layout, parameters)));
  checkGraph(g);
  return g;
}

/** The logits of every place. Inputs: tokens, positions, segments (B, T); parameters (P). Output: logits (B T, V). */
export function logitsGraph(base: Base, layout: AdapterLayout, size: BatchSize): Graph {
  const g = new Graph();
  const adapter = new AdapterInGraph(g, layout, g.input("parameters", [layout.size]));
  const { hidden, embedding } = hiddenStates(g, base, batchInputs(g, size), adapter);
  g.output("logits", g.one("project", [hidden, embedding]));
  checkGraph(g);
  return g;
}

/**
 * One training step: forward, backward, accumulation and, where `apply` is 1, clipping and AdamW. Inputs beside
 * lossGraph's: firstMoment, secondMoment and accumulated (P); learningRate, the bias corrections 1 - beta^t as
 * correction1 and correction2, and apply, all (); with dropout rowNoise (B T) and columnNoise. Outputs: loss and
 * gradientNorm (), and next.parameters, next.firstMoment, next.secondMoment and next.accumulated.
 */
export function stepGraph(
  base: Base,
  layout: AdapterLayout,
  size: StepSize,
  adamW: AdamW,
  dropoutRate: number,
  kept: Kept = "everything",
): Graph {
  const g = new Graph();
  const parameters = g.input("parameters", [layout.size]);
  const widest = Math.max(...layout.entries.map((entry) => entry.in));
  const dropout =
    dropoutRate === 0
      ? undefined
      : {
          rate: dropoutRate,
          rowNoise: g.input("rowNoise", [size.batch * size.length], "int64"),
          columnNoise: g.input("columnNoise", [widest], "int64"),
        };
  const adapter = new AdapterInGraph(g, layout, parameters, dropout);
  const scalar = loss(g, base, size, adapter);
  const gradients = differentiate(g, scalar, adapter.factors, kept);
  const gradient = g.one(
    "concat",
    gradients.map((part) => reshape(g, part, [-1])),
    { axis: 0 },
  );
  g.output("loss", scalar);
  update(g, parameters, gradient, adamW);
  fuse(g);
  return g;
}

function loss(g: Graph, base: Base, size: StepSize, adapter: AdapterInGraph): Value {
  const { hidden, embedding } = hiddenStates(g, base, batchInputs(g, size), adapter);
  const [rows, targets] = [g.input("rows", [size.supervised], "int64"), g.input("targets", [size.supervised], "int64")];
  const weights = g.input("weights", [size.supervised]);
  const asked = g.one("gather", [hidden, rows]);
  return g.apply("crossEntropy", [asked, embedding, targets, weights])[0] as Value;
}

function update(g: Graph, parameters: Value, gradient: Value, adamW: AdamW): void {
  const { beta1, beta2, epsilon, weightDecay, maxGradientNorm } = adamW;
  const vector = (name: string) => g.input(name, parameters.shape);
  const [firstMoment, secondMoment, accumulated] = [
    vector("firstMoment"),
    vector("secondMoment"),
    vector("accumulated"),
  ];
  const number = (name: string) => g.input(name, []);
  const [learningRate, correction1, correction2, apply] = [
    number("learningRate"),
    number("correction1"),
    number("correction2"),
    number("apply"),
  ];
  const total = add(g, accumulated, gradient);
  const norm = sqrt(g, reshape(g, sum(g, mul(g, total, total), [0]), []));
  // As in PyTorch's clip_grad_norm_.
  const shortening = g.one("min", [g.scalar(1), div(g, g.scalar(maxGradientNorm), add(g, norm, g.scalar(1e-6)))]);
  const clipped = mul(g, total, shortening);
  const blend = (old: Value, fresh: Value, beta: number) =>
    add(g, mul(g, old, g.scalar(beta)), mul(g, fresh, g.scalar(1 - beta)));
  const first = blend(firstMoment, clipped, beta1);
  const second = blend(secondMoment, mul(g, clipped, clipped), beta2);
  const direction = div(g, div(g, first, correction1), add(g, sqrt(g, div(g, second, correction2)), g.scalar(epsilon)));
  const decayed = mul(g, parameters, sub(g, g.scalar(1), mul(g, learningRate, g.scalar(weightDecay))));
  const moved = sub(g, decayed, mul(g, direction, learningRate));
  const keep = (name: string, fresh: Value, old: Value) =>
    g.output(`next.${name}`, g.one("choose", [apply, fresh, old]));
  g.output("gradientNorm", norm);
  keep("parameters", moved, parameters);
  keep("firstMoment", first, firstMoment);
  keep("secondMoment", second, secondMoment);
  keep("accumulated", mul(g, total, g.scalar(0)), total);
}
