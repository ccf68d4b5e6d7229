import { keyDigest, keyHint, keyLooksRight, mintKey, seal, unseal } from "../keys/index.ts";
import {
  type AccountId,
  type ApiKey,
  type ChatbotId,
  createChatbot as createStoredChatbot,
  type Db,
  insertKey,
  listKeys as listStoredKeys,
  newId,
  revokeKey as revokeStoredKey,
  talkContext,
} from "../store/index.ts";
import type { Caller } from "./caller.ts";
import type { House } from "./house.ts";

type KeyTools = Pick<House, "store" | "sealingKey">;
export type NewKey = { keyId: string; name: string; apiKey: string };

/**
 * The holder of a live key, looked up anew on every call, so that a revocation takes effect at once; and in the same
 * round trip the settings and the model that answers, which most calls are about.
 */
export async function authenticate({ store }: Pick<House, "store">, apiKey: string): Promise<Caller | undefined> {
  if (!keyLooksRight(apiKey)) return undefined;
  const found = await talkContext(store.pool, keyDigest(apiKey));
  return found && { ...found.holder, settings: found.settings, model: found.model };
}

export function createKey({ store, sealingKey }: KeyTools, chatbotId: ChatbotId, name: string): Promise<NewKey> {
  return mintFor(store.db, sealingKey, chatbotId, name);
}

/** A chatbot with its first key. */
export function createChatbot(
  { store, sealingKey }: KeyTools,
  accountId: AccountId,
  title: string,
): Promise<{ chatbotId: ChatbotId } & NewKey> {
  return store.db.transaction().execute(async (trx) => {
    const { id } = await createStoredChatbot(trx, accountId, { title });
    return { chatbotId: id, ...(await mintFor(trx, sealingKey, id, "first key")) };
  });
}

export const listKeys = ({ store }: KeyTools, chatbotId: ChatbotId) => listStoredKeys(store.db, chatbotId);

/** The key opens nothing from the moment this returns. False: the chatbot has no such live key. */
export function revokeKey({ store }: Pick<House, "store">, chatbotId: ChatbotId, keyId: string): Promise<boolean> {
  return revokeStoredKey(store.db, chatbotId, keyId);
}

/** The key itself, from its sealed copy. */
export function revealKey({ sealingKey }: Pick<House, "sealingKey">, { sealed }: Pick<ApiKey, "sealed">): string {
  return unseal(sealingKey, sealed);
}

async function mintFor(db: Db, sealingKey: Buffer, chatbotId: ChatbotId, name: string): Promise<NewKey> {
  const apiKey = mintKey();
  const keyId = newId();
  await insertKey(db, chatbotId, {
    id: keyId,
    name,
    hint: keyHint(apiKey),
    digest: keyDigest(apiKey),
    sealed: seal(sealingKey, apiKey),
  });
  return { keyId, name, apiKey };
}
