import { isRewriting, LONGEST_REWRITING } from "@caigun/checking";
import { standalonePrompt } from "../engines/writers/prompt.ts";
import { type Writer, WriterFailure } from "../engines/writers/writer.ts";
import type { Asked } from "./resolve-question.ts";

/** Of the time that a reply may take: the reply itself is still to come. */
const SHARE_OF_TIME = 1 / 8;
/** The question itself, without what a model likes to say before it or put around it. */
const BARE = /^(?:[^:：\n]{0,30}[:：]\s)?["“「『']?(.+?)["”」』']?$/u;

/**
 * A question that continues a conversation, put by a writer so that it can be understood alone; undefined where the writer
 * fails, is late, or says something else: then the rules alone decide. What it says is searched for and never shown as
 * what the person asked. Throws the signal's reason.
 */
export async function rewrittenQuestion(
  { log }: { log: { warn(about: object, message: string): void } },
  writer: Writer,
  { said, before }: Pick<Asked, "said" | "before">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const request = { promptWithin: () => standalonePrompt(said, before), shareOfTime: SHARE_OF_TIME, signal };
  let written = "";
  try {
    for await (const piece of writer.write(request)) {
      written = `${written}${piece}`.trimStart();
      if (written.length > LONGEST_REWRITING || written.includes("\n")) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof WriterFailure)) throw error;
    log.warn({ writer: writer.name, reason: error.reason, err: error }, "a writer did not put a question anew");
    return undefined;
  }
  const rewritten = BARE.exec(written.split("\n", 1)[0]!.trim())?.[1];
  return rewritten !== undefined && isRewriting(rewritten, said, before) ? rewritten : undefined;
}
