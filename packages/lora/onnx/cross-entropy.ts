import type { Value } from "../graph/graph.ts";
import type { Emitter, Lowering } from "./emitter.ts";
import { ELEMENT } from "./model.ts";
import { integerProduct, projected, secondDigit } from "./projections.ts";

/** How many rows' logits are in memory at a time: 256 rows of 49,152 tokens are 50 MB. */
const CHUNK_ROWS = 256;

/**
 * Loss and gradient of a chunk of rows at a time: with p = softmax(h E^T), the gradient of the cross-entropy with
 * respect to h is p E - E[target], row by row, times the row's weight.
 */
export const crossEntropy: Lowering = (
  e,
  { inputs: [hidden, embedding, targets, weights], outputs: [loss, gradient] },
) => {
  const [rows, width] = (hidden as Value).shape as [number, number];
  const vocabulary = (embedding as Value).shape[0] as number;
  const [losses, gradients]: [string[], string[]] = [[], []];
  for (let start = 0; start < rows; start += CHUNK_ROWS) {
    const end = Math.min(start + CHUNK_ROWS, rows);
    const part = (value: Value | undefined) => e.slice(e.name(value), 0, start, end);
    const [h, target] = [part(hidden), part(targets)];
    const weight = e.node("Unsqueeze", [part(weights), e.integers([1])]);
    const logits = projected(e, h, [end - start, width], embedding as Value);
    const p = e.node("Softmax", [logits], { attributes: { axis: { int: 1 } } });
    const largest = e.reduce("ReduceMax", p, 1);
    // The logarithm of the sum of exponentials, from two maxima: max p = exp(max logit - it), and max p is never tiny.
    const all = e.node("Sub", [e.reduce("ReduceMax", logits, 1), e.node("Log", [largest])]);
    const column = e.node("Unsqueeze", [target, e.integers([1])]);
    const own = e.node("GatherElements", [logits, column], { attributes: { axis: { int: 1 } } });
    losses.push(e.node("Mul", [e.node("Sub", [all, own]), weight]));
    if (!e.isRead(gradient as Value)) continue;
    const right = embeddedTargets(e, target, embedding as Value);
    gradients.push(
      e.node("Mul", [
        e.node("Sub", [expectedRows(e, p, [end - start, vocabulary], largest, embedding as Value), right]),
        weight,
      ]),
    );
  }
  const together = (parts: string[]) =>
    parts.length === 1 ? (parts[0] as string) : e.node("Concat", parts, { attributes: { axis: { int: 0 } } });
  e.node("ReduceSum", [together(losses)], { output: e.name(loss), attributes: { keepdims: { int: 0 } } });
  if (gradients.length > 0) e.node("Identity", [together(gradients)], { output: e.name(gradient) });
};

/**
 * E[target], in the same integers as p E: what they lack of the embedding then falls out of the difference, which is small
 * where a target is well foreseen.
 */
function embeddedTargets(e: Emitter, target: string, embedding: Value): string {
  if (e.precision !== "int8") return e.node("Gather", [e.name(embedding), target]);
  const { tensor, scales, unsigned } = e.frozen(embedding, "mixture");
  const integers = e.node("Cast", [e.node("Gather", [tensor, target])], {
    attributes: { to: { int: ELEMENT.float32 } },
  });
  return e.node("Mul", [unsigned ? e.node("Sub", [integers, e.real(128)]) : integers, scales]);
}

/**
 * p E: the embedding that a row's probabilities expect. In integers the probabilities are taken in two digits of base
 * 256, since one digit loses the many small ones beside a large one.
 */
function expectedRows(e: Emitter, p: string, shape: readonly number[], largest: string, embedding: Value): string {
  if (e.precision !== "int8") return e.product({ name: p, shape }, { name: e.name(embedding), shape: embedding.shape });
  const shares = e.node("Div", [p, largest]);
  const [unit, zero] = [e.real(1 / 255), e.uint8(0)];
  const coarse = { shares, integers: e.node("QuantizeLinear", [shares, unit, zero]), largest, unit, zero };
  const digits = [coarse, secondDigit(e, coarse, 1 / 255)];
  const [first, second] = digits.map((digit) => integerProduct(e, digit, embedding, "mixture"));
  return e.node("Add", [first as string, second as string]);
}
