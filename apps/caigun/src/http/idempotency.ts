import { createHash } from "node:crypto";
import { Problem } from "@caigun/contract";
import type { Caller, IdempotencyPort, StoredReply } from "./ports.ts";

/** The caller's Idempotency-Key, if it sent one. Throws `invalid_idempotency_key`. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== "string" || !/^[\x21-\x7e]{1,255}$/.test(header)) throw new Problem("invalid_idempotency_key");
  return header;
}

/** Stands for an operation and its validated input; texts are hashed as they are, for they can be long. */
export function fingerprintOf(operationId: string, input: Readonly<Record<string, unknown>>): string {
  const hash = createHash("sha256").update(operationId);
  for (const [name, value] of Object.entries(input)) {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    // With the length before it no two inputs read alike.
    hash.update(`\n${name} ${typeof value} ${text.length}\n`).update(text);
  }
  return hash.digest("hex");
}

/**
 * Runs a request once for its key: a later one gets the first one's success, one that comes meanwhile waits for it. `run`
 * is given what to call to record the reply in a transaction of its own; a reply that it did not record is recorded after.
 * A failure is forgotten. Throws `idempotency_key_reused`, and whatever `run` throws.
 */
export async function once<C extends Caller, Db>(
  port: IdempotencyPort<C, Db>,
  request: { caller: C; key: string; fingerprint: string; signal: AbortSignal },
  run: (record: (db: Db, reply: StoredReply) => Promise<void>) => Promise<StoredReply>,
): Promise<{ readonly reply: StoredReply; readonly replayed: boolean }> {
  const { caller, key, fingerprint, signal } = request;
  for (;;) {
    const beginning = await port.begin(caller, key, fingerprint);
    if (beginning.state === "mismatch") throw new Problem("idempotency_key_reused");
    if (beginning.state === "done") return { reply: beginning, replayed: true };
    if (beginning.state === "new") return { reply: await runClaimed(beginning.claim), replayed: false };
    await port.wait(caller, key, signal);
    signal.throwIfAborted();
  }

  async function runClaimed(claim: number): Promise<StoredReply> {
    try {
      let recorded = false;
      const reply = await run(async (db, stored) => {
        await port.finish(caller, key, claim, stored, db);
        recorded = true;
      });
      if (!recorded) await port.finish(caller, key, claim, reply);
      return reply;
    } catch (error) {
      await port.abandon(caller, key, claim);
      throw error;
    }
  }
}
