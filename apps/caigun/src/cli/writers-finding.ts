import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { configuredWriters, writerAndReach } from "../assembly/configured-writers.ts";
import type { Config } from "../config.ts";
import type { AnnouncedWriter } from "../home/index.ts";

/** Which engines may word replies, as people are told; `todo` where something is to be done. */
export type WritersFinding = { found: string; todo?: string };

/**
 * Of the running server, where one runs, whatever this shell's own settings are. None is called: that would cost, and
 * send something.
 */
export async function writersFinding(config: Config, running: AnnouncedWriter[] | undefined): Promise<WritersFinding> {
  const here = configuredWriters(config);
  const writers = running ?? here;
  const found = `${running ? "the running server has " : ""}${told(writers)}`;
  const unreadable = await firstUnreadable(writers);
  if (unreadable !== undefined) {
    const instead = config.strictEngines ? "its chatbots' replies are refused" : "its chatbots' replies are quotes";
    return {
      found: `${found}: this file can't be read, and ${instead}`,
      todo: "Set CAIGUN_GGUF to the path of a GGUF file that this user can read.",
    };
  }
  if (running === undefined || told(running) === told(here)) return { found };
  return {
    found,
    todo: `This shell's settings differ (${told(here)}): they hold for a server that is started from here, not for this one.`,
  };
}

function told(writers: AnnouncedWriter[]): string {
  if (writers.length === 0) return "none: replies are quotes, or a gpt2 model's own words";
  const byDefault = writers.some(({ name }) => name === "google")
    ? "; google words the replies of every chatbot that chose nothing else"
    : "; a chatbot has to choose one";
  return writers.map(writerAndReach).join("; ") + byDefault;
}

async function firstUnreadable(writers: AnnouncedWriter[]): Promise<string | undefined> {
  for (const { path } of writers) {
    if (path === undefined) continue;
    const isReadable = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!isReadable) return path;
  }
  return undefined;
}
