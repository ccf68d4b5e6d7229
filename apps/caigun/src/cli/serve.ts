import { readConfig } from "../config.ts";
import { openLog } from "../log.ts";
import { openServer } from "../server.ts";

/** Runs until it is told to stop, by SIGTERM or Ctrl-C: then it finishes or hands back what it holds. */
export async function serve(): Promise<void> {
  const config = readConfig();
  const log = openLog(config);
  const stopped = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    if (stopped.signal.aborted) process.exit(1); // asked twice: at once
    log.info({ signal }, "stopping");
    stopped.abort();
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);

  const server = await openServer(config, log);
  for (const line of greeting(server)) process.stdout.write(`${line}\n`);
  await new Promise<void>((resolve) => {
    if (stopped.signal.aborted) resolve();
    stopped.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await server.close();
}

function greeting({ url, dataFolder, firstChatbot }: Awaited<ReturnType<typeof openServer>>): string[] {
  return [
    "",
    `  CaiGun is running at ${url}`,
    `  Reference            ${url}/docs`,
    `  Data                 ${dataFolder}`,
    ...(firstChatbot
      ? [
          `  API key              ${firstChatbot.apiKey}`,
          "",
          "  Keep the key: it lets a program act for your first chatbot.",
        ]
      : ["  API keys             npx caigun key list --reveal"]),
    "",
  ];
}
