import { configuredWriters, writerAndReach } from "../assembly/configured-writers.ts";
import { openServer, type RunningServer } from "../assembly/server.ts";
import { readConfig } from "../config.ts";
import type { AnnouncedWriter } from "../home/index.ts";
import { openLog } from "../log.ts";
import { type EmbedderFinding, embedderFinding } from "./embedder-finding.ts";
import { untilStopped } from "./until-stopped.ts";

/** Runs until it is told to stop, by SIGTERM or Ctrl-C: then it finishes or hands back what it holds. */
export async function serve(): Promise<void> {
  const config = readConfig();
  const log = openLog(config);
  const stopped = untilStopped(log);
  const server = await openServer(config, log);
  try {
    for (const line of greeting(server, embedderFinding(config), configuredWriters(config)))
      process.stdout.write(`${line}\n`);
    if (server.firstKey) await server.firstKeyShown();
    await stopped;
  } finally {
    await server.close();
  }
}

function greeting(
  { url, dataFolder, firstKey }: RunningServer,
  search: EmbedderFinding,
  writers: AnnouncedWriter[],
): string[] {
  return [
    "",
    `  CaiGun is running at ${url}`,
    `  Reference            ${url}/docs`,
    `  Data                 ${dataFolder}`,
    ...(search.isThere ? [] : [`  Search               ${search.found}`]),
    ...writers.map((writer) => `  Writer               ${writerAndReach(writer)}`),
    ...(firstKey
      ? [
          `  API key              ${firstKey.apiKey}`,
          "",
          "  Keep the key: it lets a program act for your first chatbot.",
        ]
      : ["  API keys             npx caigun key list --reveal"]),
    "",
  ];
}
