import { broadcastTo, div, matmul, mul, negative, reshape, sub, sum, transpose } from "../graph/build.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import type { OperationName } from "../graph/operations.ts";

/**
 * The way back through one operation: from the gradients of its outputs to those of its inputs. `dys` are undefined
 * where nothing that is differentiated depends on that output; a rule returns undefined for inputs that `needed` does
 * not name, or whose gradient it does not give.
 */
export type GradientRule = (
  graph: Graph,
  node: Node,
  dys: readonly (Value | undefined)[],
  needed: readonly boolean[],
) => (Value | undefined)[];

/** Every differentiable operation's rule. What has none cannot be differentiated, and differentiate() says so. */
export const gradientRules: Partial<Record<OperationName, GradientRule>> = {
  matmul: (g, { inputs, attributes }, [dy], needed) => {
    const [a, b] = inputs as [Value, Value];
    const { transposeA = false, transposeB = false, factor = 1 } = attributes;
    const one = dy as Value;
    // With A' the factor as it is multiplied: dA' = dy B'^T and dB' = A'^T dy; where a factor stands exchanged, so does its gradient.
    const da = () =>
      transposeA
        ? matmul(g, b, one, { transposeA: transposeB, transposeB: true, factor })
        : matmul(g, one, b, { transposeB: !transposeB, factor });
    const db = () =>
      transposeB
        ? matmul(g, one, a, { transposeA: true, transposeB: transposeA, factor })
        : matmul(g, a, one, { transposeA: !transposeA, factor });
    return [needed[0] ? da() : undefined, needed[1] ? db() : undefined];
  },
  project: (g, { inputs: [, weight] }, [dy], needed) => {
    if (needed[1]) throw new Error("a projection's weight is frozen and has no gradient");
    return [g.one("projectBack", [dy as Value, weight as Value]), undefined];
  },
  add: (g, { inputs }, [dy], needed) =>
    inputs.map((x, at) => (needed[at] ? broadcastBack(g, dy as Value, x) : undefined)),
  sub: (g, { inputs: [a, b] }, [dy], needed) => [
    needed[0] ? broadcastBack(g, dy as Value, a as Value) : undefined,
    needed[1] ? negative(g, broadcastBack(g, dy as Value, b as Value)) : undefined,
  ],
  mul: (g, { inputs: [a, b] }, [dy], needed) => [
    needed[0] ? broadcastBack(g, mul(g, dy as Value, b as Value), a as Value) : undefined,
    needed[1] ? broadcastBack(g, mul(g, dy as Value, a as Value), b as Value) : undefined,
  ],
  div: (g, { inputs: [a, b], outputs: [y] }, [dy], needed) => {
    const byB = div(g, dy as Value, b as Value);
    return [
      needed[0] ? broadcastBack(g, byB, a as Value) : undefined,
      needed[1] ? negative(g, broadcastBack(g, mul(g, byB, y as Value), b as Value)) : undefined,
    ];
  },
  sigmoid: (g, { outputs: [y] }, [dy]) => [mul(g, mul(g, dy as Value, y as Value), sub(g, g.scalar(1), y as Value))],
  gelu: (g, { inputs: [x] }, [dy]) => [mul(g, dy as Value, g.one("geluSlope", [x as Value]))],
  silu: (g, { inputs: [x] }, [dy]) => [mul(g, dy as Value, g.one("siluSlope", [x as Value]))],
  softmax: (g, { outputs: [p] }, [dy]) => [g.one("softmaxBack", [p as Value, dy as Value])],
  sum: (g, { inputs: [x] }, [dy]) => [broadcastTo(g, dy as Value, (x as Value).shape)],
  reshape: (g, { inputs: [x] }, [dy]) => [reshape(g, dy as Value, (x as Value).shape)],
  transpose: (g, { attributes: { axes = [] } }, [dy]) => [
    transpose(
      g,
      dy as Value,
      axes.map((_, axis) => axes.indexOf(axis)),
    ),
  ],
  slice: (g, { inputs: [x], attributes: { axis = 0, start = 0, end = 0 } }, [dy]) => {
    const { shape } = x as Value;
    const zeros = (length: number) => {
      const part = shape.map((size, at) => (at === axis ? length : size));
      return broadcastTo(g, g.scalar(0), part);
    };
    const after = (shape[axis] as number) - end;
    const parts = [...(start > 0 ? [zeros(start)] : []), dy as Value, ...(after > 0 ? [zeros(after)] : [])];
    return [g.one("concat", parts, { axis })];
  },
  concat: (g, { inputs, attributes: { axis = 0 } }, [dy], needed) => {
    let start = 0;
    return inputs.map((input, at) => {
      const end = start + (input.shape[axis] as number);
      const part = needed[at] ? g.one("slice", [dy as Value], { axis, start, end }) : undefined;
      start = end;
      return part;
    });
  },
  gather: (g, { inputs: [table, indices] }, [dy], needed) => [
    needed[0]
      ? g.one(
          "scatterAdd",
          [reshape(g, dy as Value, [-1, (table as Value).shape[1] as number]), reshape(g, indices as Value, [-1])],
          {
            shape: (table as Value).shape,
          },
        )
      : undefined,
    undefined,
  ],
  layerNorm: (g, { inputs: [x, weight], outputs: [, mean, byDeviation] }, [dy, ...others], needed) => {
    refuse(needed.slice(1), others, "layerNorm");
    const width = g.scalar((x as Value).shape[1] as number);
    const normal = mul(g, sub(g, x as Value, mean as Value), byDeviation as Value);
    const weighted = mul(g, dy as Value, weight as Value);
    const meanOf = (value: Value) => div(g, sum(g, value, [1]), width);
    const along = mul(g, normal, meanOf(mul(g, weighted, normal)));
    return [mul(g, sub(g, sub(g, weighted, meanOf(weighted)), along), byDeviation as Value), undefined, undefined];
  },
  rmsNorm: (g, { inputs: [x, weight], outputs: [, byRoot] }, [dy, ...others], needed) => {
    refuse(needed.slice(1), others, "rmsNorm");
    const width = g.scalar((x as Value).shape[1] as number);
    const normal = mul(g, x as Value, byRoot as Value);
    const weighted = mul(g, dy as Value, weight as Value);
    const along = mul(g, normal, div(g, sum(g, mul(g, weighted, normal), [1]), width));
    return [mul(g, sub(g, weighted, along), byRoot as Value), undefined];
  },
  rotate: (g, { inputs: [, ...angles], attributes: { inverse = false } }, [dy]) => [
    g.one("rotate", [dy as Value, ...angles], { inverse: !inverse }),
    undefined,
    undefined,
    undefined,
  ],
  crossEntropy: (g, { outputs: [, gradient] }, [dy, dGradient], needed) => {
    refuse(needed.slice(1), [dGradient], "crossEntropy");
    return [mul(g, gradient as Value, dy as Value), undefined, undefined, undefined];
  },
};

/** The sum of a gradient over the axes along which its input was broadcast. */
function broadcastBack(g: Graph, dy: Value, x: Value): Value {
  const added = dy.shape.length - x.shape.length;
  const axes = dy.shape.flatMap((size, axis) =>
    axis < added || (size > 1 && x.shape[axis - added] === 1) ? [axis] : [],
  );
  return reshape(g, axes.length > 0 ? sum(g, dy, axes) : dy, x.shape);
}

function refuse(neededOthers: readonly boolean[], dyOthers: readonly (Value | undefined)[], operation: string): void {
  if (neededOthers.some(Boolean)) throw new Error(`${operation} gives no gradient of its frozen weights`);
  if (dyOthers.some(Boolean)) throw new Error(`${operation} cannot be differentiated through its statistics`);
}
