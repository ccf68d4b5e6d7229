import type { Caller } from "../commands/caller.ts";
import { authenticate, createChatbot, createKey, listKeys, revealKey } from "../commands/keys.ts";
import { readConfig } from "../config.ts";
import { type Announcement, readAnnouncement, readSecret } from "../home/index.ts";
import { type AccountId, findDefaultChatbot, findFirstAccount, openStore, type Store } from "../store/index.ts";
import type { Api } from "./api.ts";
import { CommandFailed, exitCodes } from "./failures.ts";

/** The installation a command works on: the one whose server runs on this CAIGUN_HOME. */
export type Installation = { store: Store; sealingKey: Buffer; accountId: AccountId; url: string };

export async function withInstallation<Result>(work: (installation: Installation) => Promise<Result>): Promise<Result> {
  const config = readConfig();
  const { url, databaseUrl } = await runningServer(config.home);
  const sealingKey = config.encryptionKey ?? (await readSecret(config.home, "encryption-key"));
  if (!sealingKey)
    throw new CommandFailed("CAIGUN_ENCRYPTION_KEY is not set, but the server uses one. Set the same here.");
  const store = openStore(databaseUrl, { maxConnections: 1, onError: () => {} });
  try {
    const account = await findFirstAccount(store.db);
    if (!account)
      throw new CommandFailed(
        "The server has not finished its first start. Try again in a moment.",
        exitCodes.noServer,
      );
    return await work({ store, sealingKey, accountId: account.id, url });
  } finally {
    await store.close();
  }
}

/** Where the API is, and a key for it: the one given, else a key of the first chatbot. */
export async function apiOf(apiKey: string | undefined): Promise<Api> {
  if (apiKey) return { url: (await runningServer(readConfig().home)).url, apiKey };
  return withInstallation(async (installation) => {
    const { store, accountId, url } = installation;
    const chatbot = await findDefaultChatbot(store.db, accountId);
    if (!chatbot) return { url, apiKey: (await createChatbot(installation, accountId, "My chatbot")).apiKey };
    const [key] = await listKeys(installation, chatbot.id);
    // Every key was revoked: the command line is the owner's own, so it makes itself one.
    if (!key) return { url, apiKey: (await createKey(installation, chatbot.id, "command line")).apiKey };
    return { url, apiKey: revealKey(installation, key) };
  });
}

/** What the server itself knows of a key's chatbot, and which writers it may use: more than the API tells. */
export async function behindTheKey(
  apiKey: string,
): Promise<{ caller: Caller | undefined; writers: Announcement["writers"] }> {
  const { databaseUrl, writers } = await runningServer(readConfig().home);
  const store = openStore(databaseUrl, { maxConnections: 1, onError: () => {} });
  try {
    return { caller: await authenticate({ store }, apiKey), writers };
  } finally {
    await store.close();
  }
}

async function runningServer(home: string): Promise<Announcement> {
  const found = await readAnnouncement(home);
  if (!found)
    throw new CommandFailed(
      `No server runs on ${home}. Start one with \`npm start\`, or set CAIGUN_HOME to the folder of the one that runs.`,
      exitCodes.noServer,
    );
  return found;
}
