import { Encoder, EncodingCache, embedderNamed } from "@caigun/embedding";
import { addVectors } from "@caigun/passages";
import type { EmbedReply, EmbedRequest } from "./messages.ts";

/** The index would have its vectors too late. */
class OutOfTime extends Error {
  override name = "OutOfTime";
}

/** Adds vectors to an index; where they would not be ready in time, it stays as it was. */
export async function embedIndex(
  { index, encoder: files, threads, cache: { path, limits }, until }: EmbedRequest,
  onProgress: (fraction: number) => void,
): Promise<EmbedReply> {
  const embedder = embedderNamed(files.embedder);
  const encoder = await Encoder.open(embedder, files, { threads });
  const cache = new EncodingCache(path, files.digest, limits);
  const began = Date.now();
  let encodedFraction = 0;
  try {
    const embedded = await addVectors(
      index,
      {
        name: embedder.name,
        digest: files.digest,
        languages: embedder.languages,
        async encode(pieces) {
          const known = cache.get(pieces);
          if (known) return known;
          const encoded = await encoder.encodePassage(pieces);
          cache.put(pieces, encoded);
          return encoded;
        },
      },
      {
        onProgress(fraction) {
          encodedFraction = fraction;
          onProgress(fraction);
          const [now, elapsed] = [Date.now(), Date.now() - began];
          // Known early, so that the time is not spent for nothing.
          const isLate = now > until || (fraction > 0.05 && began + elapsed / fraction > until);
          if (isLate) throw new OutOfTime(`${Math.round(100 * encodedFraction)} % of the passages were embedded.`);
        },
      },
    );
    cache.prune();
    return { embedded };
  } catch (error) {
    if (error instanceof OutOfTime) return { embedded: 0 };
    throw error;
  } finally {
    cache.close();
    await encoder.close();
  }
}
