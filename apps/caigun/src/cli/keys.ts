import {
  createKey as createChatbotKey,
  listKeys as listChatbotKeys,
  revealKey,
  revokeKey as revokeChatbotKey,
} from "../commands/keys.ts";
import { type ChatbotId, findChatbot, findDefaultChatbot } from "../store/index.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { type Installation, withInstallation } from "./installation.ts";
import { print, table } from "./printing.ts";

type Options = { chatbot?: string; json?: boolean };

export async function createKey({ chatbot, name, json }: Options & { name: string }): Promise<void> {
  const { keyId, apiKey } = await withInstallation(async (installation) =>
    createChatbotKey(installation, await chatbotOf(installation, chatbot), name),
  );
  print(json, { key_id: keyId, name, api_key: apiKey }, () => [`API key ${apiKey}`]);
}

export async function listKeys({ chatbot, reveal, json }: Options & { reveal?: boolean }): Promise<void> {
  const keys = await withInstallation(async (installation) => {
    const found = await listChatbotKeys(installation, await chatbotOf(installation, chatbot));
    return found.map((key) => ({
      key_id: key.id,
      name: key.name,
      key: reveal ? revealKey(installation, key) : key.hint,
      created_at: key.createdAt.toISOString(),
      last_used_at: key.lastUsedAt?.toISOString() ?? null,
    }));
  });
  print(json, { keys }, () =>
    table([
      ["id", "name", "key", "created", "last used"],
      ...keys.map(({ key_id, name, key, created_at, last_used_at }) => [
        key_id,
        name,
        key,
        created_at,
        last_used_at ?? "never",
      ]),
    ]),
  );
}

export async function revokeKey(keyId: string, { chatbot, json }: Options): Promise<void> {
  await withInstallation(async (installation) => {
    if (!(await revokeChatbotKey(installation, await chatbotOf(installation, chatbot), keyId)))
      throw new CommandFailed(
        "The chatbot has no such key; `npx caigun key list` shows those that work.",
        exitCodes.refused,
      );
  });
  print(json, { key_id: keyId, revoked: true }, () => ["The key opens nothing any more."]);
}

async function chatbotOf({ store, accountId }: Installation, id: string | undefined): Promise<ChatbotId> {
  const found = id ? await findChatbot(store.db, accountId, id) : await findDefaultChatbot(store.db, accountId);
  if (!found)
    throw new CommandFailed("There is no such chatbot; `npx caigun chatbot list` shows them.", exitCodes.refused);
  return found.id;
}
