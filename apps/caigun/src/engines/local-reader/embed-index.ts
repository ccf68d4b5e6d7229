import { Encoder, EncodingCache, embedderNamed } from "@caigun/embedding";
import { addVectors } from "@caigun/passages";
import type { EmbedReply, EmbedRequest } from "./messages.ts";

/** The index would have its vectors too late. */
class OutOfTime extends Error {
  override name = "OutOfTime";
}

/** Adds vectors to an index; where they would not be ready in time, or the model can't be used, it stays as it was. */
export async function embedIndex(
  { index, encoder: files, threads, cache: { path, limits }, until }: EmbedRequest,
  onProgress: (fraction: number) => void,
): Promise<EmbedReply> {
  const embedder = embedderNamed(files.embedder);
  const cache = new EncodingCache(path, files.digest, limits);
  const began = Date.now();
  let encodedFraction = 0;
  let opening: Promise<Encoder> | undefined;
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
          // Not needed where every passage is known.
          opening ??= Encoder.open(embedder, files, { threads });
          const encoded = await (await opening).encodePassage(pieces);
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
    return { embedded };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof OutOfTime)
      return { embedded: 0, because: `It would not be ready before the deadline. ${message}` };
    // Words alone still find an answer.
    return { embedded: 0, because: `The embedding model ${files.model} can't be used: ${message}` };
  } finally {
    cache.prune();
    cache.close();
    // Why it could not be opened has been said.
    const encoder = await opening?.catch(() => undefined);
    await encoder?.close();
  }
}
