import { createChatbot as createChatbotAndKey } from "../commands/keys.ts";
import { listChatbots as listStoredChatbots } from "../store/index.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { withInstallation } from "./installation.ts";
import { print, table } from "./printing.ts";

export async function createChatbot(title: string, { json }: { json?: boolean }): Promise<void> {
  if (title.trim() === "") throw new CommandFailed("A chatbot needs a title.", exitCodes.usage);
  const { chatbotId, keyId, apiKey } = await withInstallation((installation) =>
    createChatbotAndKey(installation, installation.accountId, title),
  );
  print(json, { chatbot_id: chatbotId, title, key_id: keyId, api_key: apiKey }, () => [
    `Chatbot ${chatbotId} "${title}"`,
    `API key ${apiKey}`,
  ]);
}

export async function listChatbots({ json }: { json?: boolean }): Promise<void> {
  const chatbots = await withInstallation(({ store, accountId }) => listStoredChatbots(store.db, accountId));
  const shown = chatbots.map(({ id, title, createdAt }) => ({ id, title, created_at: createdAt }));
  print(json, { chatbots: shown }, () =>
    table([
      ["id", "title", "created"],
      ...shown.map(({ id, title, created_at }) => [id, title, created_at.toISOString()]),
    ]),
  );
}
