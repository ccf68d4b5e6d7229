import type { Config } from "../config.ts";
import type { AnnouncedWriter } from "../home/index.ts";

/** The writers that a server with these settings may use, as people are told of them: without keys and passwords. */
export function configuredWriters({ writers: { google, openai, gguf } }: Config): AnnouncedWriter[] {
  const host = (url: string) => new URL(url).host;
  return [
    google && {
      name: "google",
      shown: `google (${google.model}${google.baseUrl ? ` at ${host(google.baseUrl)}` : ""})`,
      isLocal: false,
    },
    // The address itself may hold a password.
    openai && { name: "openai", shown: `openai (${openai.model} at ${host(openai.baseUrl)})`, isLocal: false },
    gguf && { name: "gguf", shown: `gguf (${gguf.path})`, isLocal: true, path: gguf.path },
  ].filter((writer) => writer !== undefined);
}

/** A writer with what it means for what people say, such as "google (MODEL), which questions and passages are sent to". */
export function writerAndReach({ shown, isLocal }: AnnouncedWriter): string {
  return isLocal ? `${shown}, on this machine` : `${shown}, which questions and passages are sent to`;
}
