import { isIPv6 } from "node:net";

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/**
 * A token bucket for each name: `perMinute` requests at once, and as many again within a minute. Names that were not seen
 * for longest are forgotten when there are more than `maxNames`, so that its memory stays bounded.
 */
export class RateLimit {
  readonly #perMs: number;
  readonly #capacity: number;
  readonly #maxNames: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number, maxNames = 50_000) {
    this.#perMs = perMinute / 60_000;
    this.#capacity = perMinute;
    this.#maxNames = maxNames;
  }

  /** Takes one request of a name. Returns 0 where it may go on, else the seconds after which it may. */
  take(name: string, nowMs: number): number {
    if (this.#capacity === 0) return 0;
    const known = this.#buckets.get(name);
    const bucket = known ?? { tokens: this.#capacity, filledAtMs: nowMs };
    bucket.tokens = Math.min(this.#capacity, bucket.tokens + Math.max(0, nowMs - bucket.filledAtMs) * this.#perMs);
    bucket.filledAtMs = nowMs;
    // Map keeps insertion order: the first is the one that was not seen for longest.
    if (known) this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#maxNames) this.#buckets.delete(this.#buckets.keys().next().value ?? name);
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.#perMs / 1000);
    bucket.tokens -= 1;
    return 0;
  }
}

/** One name for one network customer: an IPv6 customer has a whole /64, an IPv4 address can come written as IPv6. */
export function addressName(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...(tail ? tail.split(":") : [])];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
