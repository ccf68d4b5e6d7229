import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIndex, openIndex } from "@caigun/passages";
import { read } from "@caigun/reading";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { type Corpus, makeCorpus, type Question } from "./corpus.ts";
import { median } from "./load.ts";
import type { Bench, Figures } from "./main.ts";
import { pythonWithPeers, runPeer } from "./peers/python.ts";

const PASSAGES = 1_000;
const QUESTIONS = 500;
const AT_ONCE = 16;

type Place = { start: number; end: number };
type Measured = { ingest_seconds: number; per_second: number; per_second_at_once?: number; found: Place[][] };

/**
 * CaiGun beside what a person would pick instead, on the same text and questions, in turn within each run. The peers
 * find five passages, in the process that asks; CaiGun is asked over HTTP, and also reads, replies and stores.
 */
export const peers: Bench = async ({ runs, progress }) => {
  const python = await pythonWithPeers(progress);
  const corpus = makeCorpus(PASSAGES);
  const questions = corpus.questions.slice(0, QUESTIONS);
  const asked = questions.map(({ question }) => question);
  const systems: Record<string, () => Promise<Measured>> = {
    caigun_over_http: () => overHttp(corpus, asked),
    caigun_in_process: () => inProcess(corpus, asked),
    langchain_chroma: () => runPeer(python, "chroma", { text: corpus.text, questions: asked, at_once: AT_ONCE }),
    langchain_bm25: () => runPeer(python, "bm25", { text: corpus.text, questions: asked, at_once: AT_ONCE }),
  };
  const results: Record<string, Measured[]> = Object.fromEntries(Object.keys(systems).map((name) => [name, []]));
  for (let run = 1; run <= runs; run++) {
    for (const [name, measure] of Object.entries(systems)) {
      progress(`run ${run} of ${runs}: ${name}`);
      results[name]!.push(await measure());
    }
  }
  const figures: Record<string, Figures & Record<"ingest_seconds" | "best_per_second", number>> = {};
  for (const [name, measured] of Object.entries(results)) {
    const rate = median(measured.map(({ per_second }) => per_second));
    const rateAtOnce = median(measured.map(({ per_second_at_once }) => per_second_at_once ?? 0));
    figures[name] = {
      ingest_seconds: median(measured.map(({ ingest_seconds }) => ingest_seconds)),
      questions_per_second: rate,
      ...(rateAtOnce > 0 && { [`questions_per_second_${AT_ONCE}_at_once`]: rateAtOnce }),
      best_per_second: Math.max(rate, rateAtOnce),
      right_passage_in_five: median(measured.map(({ found }) => rightShare(questions, found))),
    };
  }
  const timesAsFast = (ours: string, theirs: string) => ({
    ingest: figures[theirs]!.ingest_seconds / figures[ours]!.ingest_seconds,
    questions: figures[ours]!.best_per_second / figures[theirs]!.best_per_second,
  });
  return {
    passages: PASSAGES,
    questions: QUESTIONS,
    embedding_of_chroma: "all-MiniLM-L6-v2, int8, ONNX Runtime",
    ...figures,
    caigun_over_http_times_as_fast_as: {
      langchain_chroma: timesAsFast("caigun_over_http", "langchain_chroma"),
      langchain_bm25: timesAsFast("caigun_over_http", "langchain_bm25"),
    },
    caigun_in_process_times_as_fast_as: {
      langchain_chroma: timesAsFast("caigun_in_process", "langchain_chroma"),
      langchain_bm25: timesAsFast("caigun_in_process", "langchain_bm25"),
    },
  };
};

/** The share of the questions for which one of the passages holds the whole sentence with the answer. */
function rightShare(questions: readonly Question[], found: readonly Place[][]): number {
  const right = questions.filter(({ start, end }, question) =>
    found[question]!.some((place) => place.start <= start && end <= place.end),
  );
  return right.length / questions.length;
}

async function overHttp(corpus: Corpus, questions: string[]): Promise<Measured> {
  const caigun = await startCaigun();
  try {
    await train(caigun, makeCorpus(8, 2));
    await rate(questions.slice(0, 100), AT_ONCE, (question) => ask(caigun, question)); // as the peers, warm
    const began = performance.now();
    await train(caigun, corpus);
    await ask(caigun, questions[0]!);
    const ingestSeconds = (performance.now() - began) / 1000;
    const perSecond = await rate(questions, 1, (question) => ask(caigun, question));
    const perSecondAtOnce = await rate(questions, AT_ONCE, (question) => ask(caigun, question));
    const found: Place[][] = [];
    for (const question of questions) found.push((await ask(caigun, question, "?explain=true")).passages!);
    return { ingest_seconds: ingestSeconds, per_second: perSecond, per_second_at_once: perSecondAtOnce, found };
  } finally {
    await caigun.remove();
  }
}

/** Search and reading alone, as the answering process does them. */
async function inProcess({ text }: Corpus, questions: string[]): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-bench-"));
  try {
    const file = join(folder, "index");
    const began = performance.now();
    buildIndex(file, [{ id: "places", title: "Places", text }]);
    const index = openIndex(file);
    const answer = (question: string) => {
      const evidence = index.search(question, 5);
      read(question, evidence);
      return evidence.passages;
    };
    answer(questions[0]!);
    const ingestSeconds = (performance.now() - began) / 1000;
    const found: Place[][] = [];
    const perSecond = await rate(questions, 1, async (question) => void found.push(answer(question)));
    index.close();
    return { ingest_seconds: ingestSeconds, per_second: perSecond, found };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rate(questions: string[], atOnce: number, one: (question: string) => Promise<unknown>): Promise<number> {
  const waiting = questions[Symbol.iterator]();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const question of waiting) await one(question);
    }),
  );
  return (questions.length * 1000) / (performance.now() - began);
}

async function train(caigun: RunningCaigun, { text }: Corpus): Promise<void> {
  const response = await caigun.call("/api/external/chatbot/train", {
    method: "POST",
    json: { title: "Places", text },
  });
  const model = await trained(caigun, (await response.json()) as { id: string; event_id: string });
  if (model.status !== "ready") throw new Error(JSON.stringify(model.failure));
}

async function ask(caigun: RunningCaigun, text: string, query = ""): Promise<{ passages?: Place[] }> {
  const response = await caigun.call(`/api/external/chatbot/conversation${query}`, {
    method: "POST",
    headers: { uid: "bench" },
    json: { text },
  });
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as { passages?: Place[] };
}
