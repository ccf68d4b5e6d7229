import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { elements } from "../graph/graph.ts";
import type { FrozenPlace, FrozenTensors, Layout } from "./emitter.ts";
import type { Initializer } from "./model.ts";
import { quantisedBackward, quantisedForward, quantisedMixture, type WeightIntegers } from "./quantise.ts";

const quantised = { forward: quantisedForward, backward: quantisedBackward, mixture: quantisedMixture };

/** Mapped files begin at pages. */
const ALIGNMENT_BYTES = 4096;

/**
 * Frozen tensors in a file beside the model, which ONNX Runtime maps instead of copying: pages that no product reads
 * cost no memory, and the graphs of training and evaluation share them. Each tensor is written in the layouts that the
 * graphs ask for, once.
 */
export class FrozenFile implements FrozenTensors {
  readonly #read: (name: string) => Float32Array;
  readonly #file: string;
  readonly #descriptor: number;
  readonly #integers: WeightIntegers;
  readonly #places = new Map<string, FrozenPlace>();
  #end = 0;

  /** `read` gives a tensor's numbers by its name; `integers` says what those that are quantised become. */
  constructor(path: string, read: (name: string) => Float32Array, integers: WeightIntegers = "int8") {
    this.#read = read;
    this.#integers = integers;
    this.#file = basename(path);
    this.#descriptor = openSync(path, "wx");
  }

  get bytes(): number {
    return this.#end;
  }

  place(
    names: readonly string[],
    shape: readonly number[],
    layout: Layout,
    element: "float32" | "float64",
  ): FrozenPlace {
    const key = `${names.join("+")}:${layout}`;
    const known = this.#places.get(key);
    if (known) return known;
    const place = this.#write(key, this.#numbers(names, shape), shape, layout, element);
    this.#places.set(key, place);
    return place;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #numbers(names: readonly string[], shape: readonly number[]): Float32Array {
    const numbers = new Float32Array(elements(shape));
    let at = 0;
    for (const name of names) {
      const part = this.#read(name);
      numbers.set(part, at);
      at += part.length;
    }
    if (at !== numbers.length) throw new Error(`${names.join(" and ")} hold ${at} numbers, not ${numbers.length}.`);
    return numbers;
  }

  #write(
    key: string,
    numbers: Float32Array,
    shape: readonly number[],
    layout: Layout,
    element: "float32" | "float64",
  ): FrozenPlace {
    if (layout === "rows") {
      const data = element === "float64" ? Float64Array.from(numbers) : numbers;
      return { tensor: this.#append(key, element, shape, data) };
    }
    const [out, inner] = shape as [number, number];
    const { integers, scales } = quantised[layout](numbers, out, inner);
    // The same integers around 128.
    if (this.#integers === "uint8") for (let at = 0; at < integers.length; at++) integers[at]! ^= 0x80;
    return {
      tensor: this.#append(key, this.#integers, layout === "forward" ? [inner, out] : [out, inner], integers),
      scales: this.#append(`${key} scales`, "float32", [scales.length], scales),
    };
  }

  #append(name: string, element: Initializer["element"], shape: readonly number[], data: ArrayBufferView): Initializer {
    const offset = Math.ceil(this.#end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written, offset + written);
    this.#end = offset + bytes.length;
    return { name, element, shape, file: this.#file, offset, length: bytes.length };
  }
}
