import type { Graph, Node, Value } from "../graph/graph.ts";
import type { OperationName } from "../graph/operations.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { Emitter, type FrozenTensors, type Lowering, type Precision } from "./emitter.ts";
import type { Attribute, OnnxModel } from "./model.ts";
import { project, projectBack } from "./projections.ts";

/**
 * Writes a graph as an ONNX model that computes the same. `precision` says in what: float64 where gradients are checked,
 * float32 as the reference, int8 where products with frozen weights are made in 8-bit integers (projections.ts); with
 * `twoDigits` all their left factors take two digits each, which costs twice the time and is for what is only measured.
 */
export function lower(
  graph: Graph,
  precision: Precision,
  frozen: FrozenTensors,
  { twoDigits = false }: { twoDigits?: boolean } = {},
): OnnxModel {
  const emitter = new Emitter(graph, precision, frozen, twoDigits);
  for (const node of graph.nodes) lowerings[node.operation](emitter, node);
  return emitter.finish();
}

const direct =
  (operator: string): Lowering =>
  (e, { inputs, outputs }) =>
    void e.node(
      operator,
      inputs.map((input) => e.name(input)),
      { output: e.name(outputs[0]) },
    );

const lowerings: Record<OperationName, Lowering> = {
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  min: direct("Min"),
  sqrt: direct("Sqrt"),
  sigmoid: direct("Sigmoid"),
  project,
  projectBack,
  crossEntropy,
  matmul: (e, { inputs, outputs, attributes: { transposeA = false, transposeB = false, factor = 1 } }) => {
    const [a, b] = inputs as [Value, Value];
    const left = { name: e.name(a), shape: a.shape, transpose: transposeA };
    e.product(left, { name: e.name(b), shape: b.shape, transpose: transposeB }, { factor, output: e.name(outputs[0]) });
  },
  matmulAdd: (e, { inputs, outputs, attributes: { transposeA, transposeB, factor = 1 } }) =>
    void e.node(
      "Gemm",
      inputs.map((input) => e.name(input)),
      {
        output: e.name(outputs[0]),
        attributes: {
          transA: { int: Number(transposeA ?? false) },
          transB: { int: Number(transposeB ?? false) },
          alpha: { float: factor },
        },
      },
    ),
  softmax: (e, { inputs, outputs }) =>
    void e.node("Softmax", [e.name(inputs[0])], { output: e.name(outputs[0]), attributes: { axis: { int: -1 } } }),
  softmaxBack: (e, { inputs, outputs }) => {
    const [p, dy] = inputs.map((input) => e.name(input)) as [string, string];
    const along = e.reduce("ReduceSum", e.node("Mul", [dy, p]), -1);
    e.node("Mul", [e.node("Sub", [dy, along]), p], { output: e.name(outputs[0]) });
  },
  gelu: (e, { inputs, outputs }) => {
    const x = e.name(inputs[0]);
    if (e.precision !== "float64")
      return void e.node("FastGelu", [x], { domain: MICROSOFT, output: e.name(outputs[0]) });
    e.node("Mul", [x, e.node("Sigmoid", [geluArgument(e, x, square(e, x))])], { output: e.name(outputs[0]) });
  },
  geluSlope: (e, { inputs, outputs }) => {
    // With gelu(x) = x s(z), z = 2 k (x + c x^3): the slope is s + x s (1 - s) dz/dx.
    const x = e.name(inputs[0]);
    const squared = square(e, x);
    const s = e.node("Sigmoid", [geluArgument(e, x, squared)]);
    const y = e.node("Mul", [x, s]);
    const slope = e.node("Add", [e.node("Mul", [squared, e.real(6 * GELU_K * GELU_C)]), e.real(2 * GELU_K)]);
    const rest = e.node("Sub", [e.real(1), s]);
    e.node("Add", [s, e.node("Mul", [e.node("Mul", [y, rest]), slope])], { output: e.name(outputs[0]) });
  },
  silu: (e, { inputs, outputs }) => {
    const x = e.name(inputs[0]);
    if (e.precision === "float64")
      return void e.node("Mul", [x, e.node("Sigmoid", [x])], { output: e.name(outputs[0]) });
    e.node("QuickGelu", [x], { domain: MICROSOFT, attributes: { alpha: { float: 1 } }, output: e.name(outputs[0]) });
  },
  siluSlope: (e, { inputs, outputs }) => {
    // s + x s (1 - s) = s (1 + x (1 - s))
    const x = e.name(inputs[0]);
    const s = e.node("Sigmoid", [x]);
    const inner = e.node("Add", [e.node("Sub", [x, e.node("Mul", [x, s])]), e.real(1)]);
    e.node("Mul", [s, inner], { output: e.name(outputs[0]) });
  },
  sum: (e, { inputs, outputs, attributes: { axes = [] } }) =>
    void e.node("ReduceSum", [e.name(inputs[0]), e.integers(axes)], {
      output: e.name(outputs[0]),
      attributes: { keepdims: { int: 1 } },
    }),
  repeat: (e, { inputs, outputs, attributes: { shape = [] } }) =>
    void e.node("Expand", [e.name(inputs[0]), e.integers(shape)], { output: e.name(outputs[0]) }),
  reshape: (e, { inputs, outputs, attributes: { shape = [] } }) =>
    void e.node("Reshape", [e.name(inputs[0]), e.integers(shape)], { output: e.name(outputs[0]) }),
  transpose: (e, { inputs, outputs, attributes: { axes = [] } }) =>
    void e.node("Transpose", [e.name(inputs[0])], { output: e.name(outputs[0]), attributes: { perm: { ints: axes } } }),
  slice: (e, { inputs, outputs, attributes: { axis = 0, start = 0, end = 0 } }) =>
    void e.slice(e.name(inputs[0]), axis, start, end, e.name(outputs[0])),
  concat: (e, { inputs, outputs, attributes: { axis = 0 } }) =>
    void e.node(
      "Concat",
      inputs.map((input) => e.name(input)),
      { output: e.name(outputs[0]), attributes: { axis: { int: axis } } },
    ),
  gather: (e, { inputs: [table, indices], outputs }) =>
    void e.node("Gather", [e.name(table), e.name(indices)], { output: e.name(outputs[0]) }),
  scatterAdd: (e, { inputs: [rows, indices], outputs, attributes: { shape = [] } }) => {
    const zeros = e.node("Expand", [e.real(0), e.integers(shape)]);
    const places = e.node("Unsqueeze", [e.name(indices), e.integers([1])]);
    e.node("ScatterND", [zeros, places, e.name(rows)], {
      output: e.name(outputs[0]),
      attributes: { reduction: { text: "add" } },
    });
  },
  layerNorm: (e, node) => {
    if (e.precision !== "float64") return e.whole("LayerNormalization", node, normAttributes(node));
    // ONNX Runtime gives LayerNormalization's statistics as float32.
    const [x, weight, bias] = node.inputs.map((input) => e.name(input)) as [string, string, string];
    const [y, mean, byDeviation] = node.outputs.map((output) => e.name(output)) as [string, string, string];
    const centred = e.node("Sub", [x, e.reduce("ReduceMean", x, 1, mean)]);
    const normal = e.node("Mul", [centred, rootMeanSquareInverse(e, centred, node, byDeviation)]);
    e.node("Add", [e.node("Mul", [normal, weight]), bias], { output: y });
  },
  rmsNorm: (e, node) => {
    // ONNX Runtime's own operator of the "" domain: ONNX's RMSNormalization does not give the statistics.
    if (e.precision !== "float64") return e.whole("SimplifiedLayerNormalization", node, normAttributes(node));
    const [x, weight] = node.inputs.map((input) => e.name(input)) as [string, string];
    const [y, byRoot] = node.outputs.map((output) => e.name(output)) as [string, string];
    e.node("Mul", [e.node("Mul", [x, rootMeanSquareInverse(e, x, node, byRoot)]), weight], { output: y });
  },
  rotate: (e, { inputs: [x, positions, cosines, sines], outputs, attributes: { inverse = false } }) => {
    const sine = inverse ? e.once(`minus ${e.name(sines)}`, () => e.node("Neg", [e.name(sines)])) : e.name(sines);
    if (e.precision !== "float64") {
      e.node("RotaryEmbedding", [e.name(x), e.name(positions), e.name(cosines), sine], {
        domain: MICROSOFT,
        output: e.name(outputs[0]),
      });
      return;
    }
    const half = ((x as Value).shape[3] as number) / 2;
    const angle = (table: string) =>
      e.node("Unsqueeze", [e.node("Gather", [table, e.name(positions)]), e.integers([1])]);
    const [cos, sin] = [angle(e.name(cosines)), angle(sine)];
    const [low, high] = [e.slice(e.name(x), 3, 0, half), e.slice(e.name(x), 3, half, 2 * half)];
    const first = e.node("Sub", [e.node("Mul", [low, cos]), e.node("Mul", [high, sin])]);
    const second = e.node("Add", [e.node("Mul", [high, cos]), e.node("Mul", [low, sin])]);
    e.node("Concat", [first, second], { output: e.name(outputs[0]), attributes: { axis: { int: 3 } } });
  },
  causalMask: (e, { inputs: [segments], outputs }) => {
    const [, length] = (segments as Value).shape as [number, number];
    const own = e.node("Unsqueeze", [e.name(segments), e.integers([1, 3])]);
    const other = e.node("Unsqueeze", [e.name(segments), e.integers([1, 2])]);
    const places = e.integers(Array.from({ length }, (_, place) => place));
    const later = e.node("Greater", [places, e.node("Unsqueeze", [places, e.integers([1])])]);
    const hidden = e.node("Or", [later, e.node("Not", [e.node("Equal", [own, other])])]);
    e.node("Where", [hidden, e.real(-1e30), e.real(0)], { output: e.name(outputs[0]) });
  },
  dropoutMask: (e, { inputs, outputs, attributes: { rate = 0, site = 0 } }) => {
    // Each element's 32 bits: its row's and its column's noise, mixed by odd multipliers that differ from site to site.
    const [rows, columns] = inputs.map((input) =>
      e.node("Cast", [e.name(input)], { attributes: { to: { int: INT32 } } }),
    );
    const multiplied = (value: string, by: number) => e.node("Mul", [value, e.int32(Math.imul(by, 2 * site + 1))]);
    const row = e.node("Unsqueeze", [multiplied(rows as string, 0x9e3779b1), e.integers([1])]);
    const mixed = e.node("BitwiseXor", [row, multiplied(columns as string, 0x85ebca6b)]);
    const drawn = e.node("Mul", [mixed, e.int32(0xc2b2ae35 | 0)]);
    const dropped = e.node("Less", [drawn, e.int32(Math.round((rate - 0.5) * 2 ** 32))]);
    e.node("Where", [dropped, e.real(0), e.real(1 / (1 - rate))], { output: e.name(outputs[0]) });
  },
  after: (e, { inputs: [x, moment], outputs }) => {
    // A reshape copies nothing. Its target is made to depend on the shape, not on the numbers, of `moment`.
    const nothing = e.once(`zero after ${e.name(moment)}`, () => {
      const shape = e.node("Shape", [e.name(moment)]);
      return e.node("ReduceSum", [e.node("Sub", [shape, shape])], { attributes: { keepdims: { int: 0 } } });
    });
    const shape = e.node("Add", [e.integers((x as Value).shape), nothing]);
    e.node("Reshape", [e.name(x), shape], { output: e.name(outputs[0]) });
  },
  choose: (e, { inputs: [condition, a, b], outputs }) => {
    const holds = e.node("Cast", [e.name(condition)], { attributes: { to: { int: BOOL } } });
    e.node("Where", [holds, e.name(a), e.name(b)], { output: e.name(outputs[0]) });
  },
};

const MICROSOFT = "com.microsoft";
const [INT32, BOOL] = [6, 9];
const GELU_K = Math.sqrt(2 / Math.PI);
const GELU_C = 0.044715;

function normAttributes({ attributes: { epsilon = 0 } }: Node): Record<string, Attribute> {
  return { axis: { int: -1 }, epsilon: { float: epsilon } };
}

function rootMeanSquareInverse(e: Emitter, x: string, { attributes: { epsilon = 0 } }: Node, output: string): string {
  const meanSquare = e.reduce("ReduceMean", square(e, x), 1);
  return e.node("Reciprocal", [e.node("Sqrt", [e.node("Add", [meanSquare, e.real(epsilon)])])], { output });
}

function square(e: Emitter, x: string): string {
  return e.node("Mul", [x, x]);
}

/** 2 k (x + c x^3), of which gelu's tanh form is x times the sigmoid. */
function geluArgument(e: Emitter, x: string, squared: string): string {
  const factor = e.node("Add", [e.node("Mul", [squared, e.real(2 * GELU_K * GELU_C)]), e.real(2 * GELU_K)]);
  return e.node("Mul", [x, factor]);
}
