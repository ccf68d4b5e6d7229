import type { Db } from "./schema.ts";

/**
 * The digests of all blobs that undeleted training data, an undeleted model or a training that has not ended refers to:
 * the others may go.
 */
export async function referencedDigests(db: Db): Promise<Set<string>> {
  const rows = await db
    .selectFrom("training_data")
    .select("blob_digest as digest")
    .where("deleted_at", "is", null)
    .union(
      db
        .selectFrom("model")
        .select("artifact_digest as digest")
        .where("deleted_at", "is", null)
        .where("artifact_digest", "is not", null)
        .$narrowType<{ digest: string }>(),
    )
    .union(
      db
        .selectFrom("event")
        .select("artifact_digest as digest")
        .where("ended_at", "is", null)
        .where("artifact_digest", "is not", null)
        .$narrowType<{ digest: string }>(),
    )
    .union(
      db
        .selectFrom("model")
        .select("adapter_digest as digest")
        .where("deleted_at", "is", null)
        .where("adapter_digest", "is not", null)
        .$narrowType<{ digest: string }>(),
    )
    .union(
      db
        .selectFrom("event")
        .select("adapter_digest as digest")
        .where("ended_at", "is", null)
        .where("adapter_digest", "is not", null)
        .$narrowType<{ digest: string }>(),
    )
    .execute();
  return new Set(rows.map(({ digest }) => digest));
}
