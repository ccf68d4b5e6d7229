import type { Reply } from "@caigun/contract";
import { call } from "./api.ts";
import { apiOf } from "./installation.ts";
import { print } from "./printing.ts";
import { standInLine } from "./training-shown.ts";

type Options = { uid: string; explain?: boolean; json?: boolean; apiKey?: string };

export async function talk(text: string, { uid, explain, json, apiKey }: Options): Promise<void> {
  const api = await apiOf(apiKey);
  const reply = await call(api, "converse", {
    // A header's value is bytes: a uid in any script goes as UTF-8.
    headers: { uid: Buffer.from(uid, "utf8").toString("latin1") },
    query: explain ? { explain: "true" } : {},
    body: { text },
  });
  const standIn = standInLine({ base: reply.base ?? "", base_because: reply.base_because ?? null });
  print(json, reply, () => [
    reply.text,
    ...reply.citations.map(({ title, start, end }) => `  [${title}, characters ${start} to ${end}]`),
    ...(explain && reply.question !== undefined && reply.question !== text ? [`asked: ${reply.question}`] : []),
    ...(explain ? [`worded by ${reply.engine}${reply.wording ? `; ${wordingLine(reply.wording)}` : ""}`] : []),
    ...(explain && standIn !== undefined ? [standIn] : []),
    ...(explain && reply.confidence !== undefined
      ? [`confidence ${reply.confidence.toFixed(2)}; candidate: ${reply.candidate?.text}`]
      : []),
  ]);
}

/** What became of a writer's words. */
function wordingLine({ writer, outcome, sent, dropped }: NonNullable<Reply<"converse">["wording"]>): string {
  return `${writer}: ${outcome}, sentences sent ${sent}, dropped ${dropped}`;
}
