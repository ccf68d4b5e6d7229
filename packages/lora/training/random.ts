/**
 * A stream of random 32-bit integers that a seed and a place in the training name: nothing but these two numbers is
 * needed to go on where a training stopped. SplitMix64 (Steele, Lea and Flood 2014), its upper halves.
 */
export class Random {
  #state: bigint;

  constructor(seed: number, stream: number) {
    this.#state = mixed((BigInt(seed) << 32n) ^ BigInt(stream));
  }

  /** Uniform over all 32-bit integers, signed. */
  int32(): number {
    this.#state = BigInt.asUintN(64, this.#state + GOLDEN_GAMMA);
    return Number(BigInt.asIntN(32, mixed(this.#state) >> 32n));
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return (this.int32() >>> 0) / 2 ** 32;
  }

  /** The numbers from 0 to n - 1 in a random order (Fisher and Yates). */
  permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, at) => at);
    for (let at = n - 1; at > 0; at--) {
      const other = Math.floor(this.uniform() * (at + 1));
      [order[at], order[other]] = [order[other] as number, order[at] as number];
    }
    return order;
  }
}

const GOLDEN_GAMMA = 0x9e3779b97f4a7c15n;

function mixed(value: bigint): bigint {
  let z = BigInt.asUintN(64, value);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}
