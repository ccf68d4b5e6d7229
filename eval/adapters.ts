/**
 * node eval/adapters.ts FILE [--bytes N] [--questions N] [--base PATH] [--adapter GGUF]: trains an adapter on the first
 * articles of a file in SQuAD's format, as gpt2 does, and prints the held-out loss before and after, and what the base
 * and the adapter reply to questions about that text, with retrieval and without. With --adapter one that was trained on
 * the same text and base is asked instead.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Checker } from "@caigun/checking";
import { openBase } from "@caigun/lora";
import { openIndex } from "@caigun/passages";
import { SingleBar } from "cli-progress";
import { supportedSentences, type Wording } from "../apps/caigun/src/commands/supported-sentences.ts";
import { type BaseModel, fetchBase } from "../apps/caigun/src/engines/base-model.ts";
import { openReader } from "../apps/caigun/src/engines/local-reader/reader.ts";
import { writeIndex } from "../apps/caigun/src/engines/local-reader/write-index.ts";
import { AdaptedModels } from "../apps/caigun/src/engines/lora/adapted-models.ts";
import { learn } from "../apps/caigun/src/engines/lora/learn.ts";
import { adaptedModelsLimits } from "../apps/caigun/src/engines/lora/limits.ts";
import { writeAnswer } from "../apps/caigun/src/engines/lora/write-answer.ts";
import { DECLINED } from "../apps/caigun/src/engines/writers/prompt.ts";
import { sentencesOf } from "../apps/caigun/src/engines/writers/sentences.ts";
import type { Writer, WritingRequest } from "../apps/caigun/src/engines/writers/writer.ts";
import { containsGold } from "./measures.ts";
import { PastedText } from "./pasted-text.ts";
import { readSquad, type SquadFile, type SquadQuestion } from "./squad.ts";

/** What one way of replying came to; shares are 0..1. */
export type ReplyFigures = {
  /** Replies that contain the gold answer, before any check. */
  contains: number;
  /** Sentences that the retrieved passages do not support, before the check, and of those that are sent after it. */
  unsupported: number;
  unsupported_sent: number;
  /** Replies of which at least one sentence passed the check and goes out. */
  in_own_words: number;
  /** Of those, the ones that contain the gold answer. */
  contains_sent: number;
  declined: number;
};

export type AdapterFigures = {
  text_bytes: number;
  base: string;
  /** Null where the adapter was given. */
  learning: {
    steps: number;
    seconds: number;
    held_out_loss_before: number | null;
    held_out_loss: number | null;
  } | null;
  questions: number;
  replies: Record<string, ReplyFigures>;
};

const DEADLINE_MS = 3_600_000;
const silent = { log: { warn: () => {} } } as unknown as Parameters<typeof supportedSentences>[0];

export async function measureAdapter(
  file: SquadFile,
  base: BaseModel,
  {
    bytes,
    questions: wanted,
    adapter: given,
    progress,
  }: {
    bytes: number;
    questions: number;
    adapter: string | undefined;
    progress: (what: string, fraction: number) => void;
  },
): Promise<AdapterFigures> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-adapters-"));
  const models = new AdaptedModels(adaptedModelsLimits);
  try {
    const articles = articlesWithin(file, bytes);
    const { text } = new PastedText(file, (article) => article < articles);
    const index = join(folder, "index");
    writeIndex(index, [{ id: "text", title: "text", text }]);
    const adapter = given ?? join(folder, "adapter.gguf");
    let learning: AdapterFigures["learning"] = null;
    if (!given) {
      const began = performance.now();
      const { facts } = await learn(
        { base, index, folder, checkpoint: join(folder, "checkpoint"), target: adapter },
        {
          timeoutMs: DEADLINE_MS,
          signal: new AbortController().signal,
          onProgress: ({ step, steps }) => progress("learning", step / steps),
        },
      );
      learning = {
        steps: facts.steps,
        seconds: (performance.now() - began) / 1000,
        held_out_loss_before: facts.held_out_loss_before,
        held_out_loss: facts.held_out_loss,
      };
    }
    const own = file.questions.filter(({ article }) => article < articles);
    const asked = own.filter((_, at) => at % Math.max(1, Math.floor(own.length / wanted)) === 0).slice(0, wanted);
    const replies: Record<string, ReplyFigures> = {};
    for (const [name, path, retrieves] of [
      ["base", "", false],
      ["base with retrieval", "", true],
      ["adapter", adapter, false],
      ["adapter with retrieval", adapter, true],
    ] as const)
      replies[name] = await measureReplies(index, asked, retrieves, {
        write: async (request, report) => {
          await writeAnswer(await models.sequenceOf(base.files.model, path), request, report);
        },
        progress: (fraction) => progress(name, fraction),
      });
    return {
      text_bytes: Buffer.byteLength(text),
      base: base.name,
      learning,
      questions: asked.length,
      replies,
    };
  } finally {
    await models.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Write = (
  request: { question: string; passages: readonly string[] },
  report: (piece: string) => void,
) => Promise<void>;

async function measureReplies(
  path: string,
  questions: readonly SquadQuestion[],
  retrieves: boolean,
  { write, progress }: { write: Write; progress: (fraction: number) => void },
): Promise<ReplyFigures> {
  const index = openIndex(path);
  const reader = openReader();
  const count = {
    contains: 0,
    sentences: 0,
    unsupported: 0,
    sent: 0,
    unsupportedSent: 0,
    written: 0,
    containsSent: 0,
    declined: 0,
  };
  try {
    for (const [at, { question, answers }] of questions.entries()) {
      progress(at / questions.length);
      const reading = await reader.read(index, question, { encoders: [], withTexts: true });
      let reply = "";
      const writer: Writer = {
        name: "lora",
        isLocal: true,
        followsInstructions: false,
        close: async () => {},
        async *write({ grounds }: WritingRequest) {
          await write({ question, passages: retrieves ? (grounds?.passages ?? []) : [] }, (piece) => {
            reply += piece;
          });
          yield reply;
        },
      };
      const wording: Wording = { writer: "lora", outcome: "unsupported", sent: 0, dropped: 0 };
      const sent: string[] = [];
      const { signal } = new AbortController();
      for await (const sentence of supportedSentences(silent, writer, question, reading, wording, signal))
        sent.push(sentence.text);
      if (reply.includes(DECLINED)) count.declined++;
      if (containsGold(reply, answers)) count.contains++;
      // The whole passages are what a sentence may rest on here: the check that sends asks for more.
      const checker = new Checker(reading.texts.map(({ text, sentences }) => ({ text, sentences })));
      const isUnsupported = (sentence: string) => !checker.check(sentence).supported;
      for await (const sentence of sentencesOf(once(reply))) {
        count.sentences++;
        if (isUnsupported(sentence)) count.unsupported++;
      }
      count.sent += sent.length;
      count.unsupportedSent += sent.filter(isUnsupported).length;
      if (sent.length > 0) count.written++;
      if (sent.length > 0 && containsGold(sent.join(" "), answers)) count.containsSent++;
    }
  } finally {
    index.close();
  }
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    contains: share(count.contains, questions.length),
    unsupported: share(count.unsupported, count.sentences),
    unsupported_sent: share(count.unsupportedSent, count.sent),
    in_own_words: share(count.written, questions.length),
    contains_sent: share(count.containsSent, count.written),
    declined: share(count.declined, questions.length),
  };
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

/** How many of the first articles have about so many bytes. */
function articlesWithin(file: SquadFile, bytes: number): number {
  let sum = 0;
  const at = file.articles.findIndex(({ paragraphs }) => {
    sum += paragraphs.reduce((total, text) => total + Buffer.byteLength(text), 0);
    return sum >= bytes;
  });
  return at < 0 ? file.articles.length : at + 1;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      bytes: { type: "string", default: "100000" },
      questions: { type: "string", default: "60" },
      base: { type: "string" },
      adapter: { type: "string" },
    },
  });
  const weightsFolder = join(process.cwd(), ".caigun", "weights");
  const choice = values.base === undefined ? undefined : { path: values.base };
  const base = await fetchBase({ choice, weightsFolder, fetch: {}, strict: false });
  // llama.cpp opens GGUF files alone; the product makes one of any base, this evaluation does not.
  const opened = await openBase(base.files);
  opened.close();
  if (opened.format !== "gguf") throw new Error("Name a base in GGUF: --base PATH.");
  const format = "{what} {bar} {percentage}%";
  const bar = new SingleBar({ format, stream: process.stderr, noTTYOutput: true, notTTYSchedule: 30_000 });
  bar.start(1, 0, { what: "indexing" });
  const figures = await measureAdapter(readSquad(positionals[0]!), base, {
    bytes: Number(values.bytes),
    questions: Number(values.questions),
    adapter: values.adapter,
    progress: (what, fraction) => bar.update(fraction, { what }),
  });
  bar.stop();
  console.log(JSON.stringify(figures, null, 2));
}
