import type { Architecture } from "./base.ts";
import { BaseRefused } from "./problems.ts";
import { type StoredTensor, shown } from "./stored-tensors.ts";
import type { ExpectedTensor } from "./tensor-names.ts";

/** Of one tensor: 4 GiB as 32-bit floats. The largest of a model of 1B has a quarter of that. */
const MOST_VALUES = 2 ** 30;

/** A tensor as the file keeps it, and as the model needs it. */
export type MatchedTensor = ExpectedTensor & { stored: StoredTensor };

/** A model that was found in a file, whatever the file's format. */
export interface ModelFile {
  architecture: Architecture;
  /** By canonical name. */
  tensors: ReadonlyMap<string, MatchedTensor>;
  /** A tensor's numbers from the file's layout into the canonical one. */
  canonical(values: Float32Array<ArrayBuffer>, tensor: MatchedTensor): Float32Array<ArrayBuffer>;
}

/**
 * Finds each tensor of a model in a file. Throws BaseRefused where one is missing or of another shape, and where the
 * file has one that such a model has no place for: left out, it would make another model of it.
 */
export function matchTensors(
  path: string,
  expected: readonly ExpectedTensor[],
  stored: ReadonlyMap<string, StoredTensor>,
  nameInFile: (tensor: ExpectedTensor) => string,
  shapeInFile: (tensor: ExpectedTensor) => readonly number[],
): Map<string, MatchedTensor> {
  const matched = new Map<string, MatchedTensor>();
  const unmatched = new Set(stored.keys());
  for (const tensor of expected) {
    const name = nameInFile(tensor);
    const found = stored.get(name);
    unmatched.delete(name);
    if (!found) {
      if (tensor.isOptional) continue;
      throw new BaseRefused(
        `${path} has no tensor ${name}: it is no whole model. Fetch it again, or name another base.`,
      );
    }
    const shape = shapeInFile(tensor).join(" x ");
    if (found.shape.join(" x ") !== shape)
      throw new BaseRefused(
        `${path} has ${name} as ${found.shape.join(" x ")} instead of ${shape}: it is damaged, or its description is another model's. Fetch it again.`,
      );
    if (tensor.shape.reduce((product, size) => product * size, 1) > MOST_VALUES)
      throw new BaseRefused(
        `${path} has ${name} as ${shape}: a model so large can't be trained here. Name a smaller one.`,
      );
    matched.set(tensor.name, { ...tensor, stored: found });
  }
  const [extra] = unmatched;
  if (extra !== undefined)
    throw new BaseRefused(
      `${path} has a tensor ${shown(extra)}, for which a plain model of this family has no place: it is of another kind, which can't be trained here. Name another base.`,
    );
  return matched;
}
