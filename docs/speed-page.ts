import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";

type Result = {
  date: string;
  runs: number;
  /** Of the machine when the bench began: 0 is a quiet one. */
  load_before?: number;
  machine: { cpu: string; cores: number; memory_gib: number; node: string };
};

/** The newest result that `npm run bench -- NAME --save` has kept. */
function newest(name: string): Result | undefined {
  const file = new URL(`../bench/results/${name}.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Result[]).at(-1) : undefined;
}

/** A number of a result by its path. */
function measuredAt(result: object, path: string): number {
  const found = path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], result);
  if (typeof found !== "number") throw new Error(`The result has no number at ${path}.`);
  return found;
}

/** The same with the digits that mean something. */
const figure = (result: object, path: string) => Number(measuredAt(result, path).toPrecision(3));

type Goal = { unit: string } & ({ atMost: number } | { atLeast: number });

function goalRow(what: string, result: object, path: string, goal: Goal): string {
  const measured = measuredAt(result, path);
  const [limit, reached] =
    "atMost" in goal
      ? [`at most ${goal.atMost}`, measured <= goal.atMost]
      : [`at least ${goal.atLeast}`, measured >= goal.atLeast];
  return `| ${what} | ${limit} ${goal.unit} | ${figure(result, path)} ${goal.unit} | ${reached ? "yes" : "**no**"} |`;
}

const intro = `# Speed

<!-- Written by docs/speed-page.ts from bench/results. Run \`node docs/speed-page.ts\` after \`npm run bench -- --save\`. -->

    npm run bench -- [train] [talk] [start] [growth] [peers] [embed] [lora] [generate] [--hybrid] [--runs N] [--json] [--save]

measures what is below, all of it where none is named (an hour and a half), talk with vectors too with \`--hybrid\`, and with \`--save\` keeps the result under \`bench/results\`. Figures are medians of several runs. Machines differ, and the same one does from day to day and with what else runs on it: compare what one run measured. The texts are made up (\`bench/corpus.ts\`): passages of 700 characters, four questions for each, all different; nothing caches answers. The server runs with its default settings, and everything, the load generator too, shares the machine's cores.
`;

const sections: Record<string, (result: Result) => string> = {
  train: (result) => {
    const stages = Object.entries((result as unknown as { stage_seconds: object }).stage_seconds);
    return `## A text of 1 MB to \`ready\`

From the request to the event that says so, over HTTP, with the probe of every document. Stages, ms: ${stages.map(([name, seconds]) => `${name} ${Math.round(seconds * 1000)}`).join(", ")}. "accepted" holds the start of the training process.

| | goal | measured | reached |
| --- | --- | --- | --- |
${goalRow("seconds to ready", result, "seconds_to_ready", { atMost: 1, unit: "s" })}
`;
  },
  talk: (result) => {
    const [at300, beside] = ["at_300_for_60_s", "at_50_beside_a_training_of_gpt2"] as const;
    const parts = Object.entries(
      (result as unknown as Record<typeof at300, { processor_ms_per_request: object }>)[at300].processor_ms_per_request,
    ).filter(([, ms]) => ms >= 0.01);
    const besideLearning =
      beside in result
        ? `| p50, p99 at 50 a second beside a training of \`gpt2\` | | ${figure(result, `${beside}.p50_ms`)} ms, ${figure(result, `${beside}.p99_ms`)} ms | |\n`
        : "";
    return `## Talk over HTTP

An open loop: each request is sent when it is due, however slow the replies are, and its time counts from then on. 1,000 passages, distinct questions, every exchange stored durably before its reply. "Sustained": for 60 s every request got its 200, and p99 stayed below 200 ms.

| | goal | measured | reached |
| --- | --- | --- | --- |
${goalRow("p50 at 50 a second", result, "p50_ms_at_50", { atMost: 15, unit: "ms" })}
| p99 at 50 a second | | ${figure(result, "p99_ms_at_50")} ms | |
| 300 a second for 60 s: p50, p99, failed | | ${figure(result, `${at300}.p50_ms`)} ms, ${figure(result, `${at300}.p99_ms`)} ms, ${figure(result, `${at300}.failed`)} | |
${goalRow("sustained", result, "sustained_per_second", { atLeast: 300, unit: "a second" })}
${besideLearning}
Processor time of one request at 300 a second, ms: ${parts.map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(", ")}.
`;
  },
  "talk-hybrid": (result) => {
    const at60 = "at_60_for_60_s";
    const parts = Object.entries(
      (result as unknown as Record<typeof at60, { processor_ms_per_request: object }>)[at60].processor_ms_per_request,
    ).filter(([, ms]) => ms >= 0.01);
    return `## Talk over HTTP, searching by meaning too

The same with vectors in the index, and each question encoded by all-MiniLM-L6-v2 ([embedding](embedding.md)). Memory is that of all processes, after a minute without a question.

| | goal | measured | reached |
| --- | --- | --- | --- |
| p50, p99 at 50 a second | | ${figure(result, "p50_ms_at_50")} ms, ${figure(result, "p99_ms_at_50")} ms | |
| 60 a second for 60 s: p50, p99, failed | | ${figure(result, `${at60}.p50_ms`)} ms, ${figure(result, `${at60}.p99_ms`)} ms, ${figure(result, `${at60}.failed`)} | |
${goalRow("sustained", result, "sustained_per_second", { atLeast: 60, unit: "a second" })}
| memory | | ${figure(result, "pss_mb_after_60_s_idle")} MB | |

Processor time of one request at 60 a second, ms: ${parts.map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(", ")}.
`;
  },
  embed: (result) => {
    const names: Record<string, string> = {
      caigun: "CaiGun, one passage at a time, tokens' vectors made ready for the index",
      sentence_transformers_batch_1: "sentence-transformers, one at a time",
      sentence_transformers_batch_32: "sentence-transformers, batches of 32 (its default), sorted by length",
    };
    const rows = Object.entries(names).map(([name, what]) => {
      const at = (path: string) => figure(result, `${name}.${path}`);
      return `| ${what} | ${at("passages_per_second")} | ${at("tokens_per_second")} | ${at("processor_ms_per_passage")} |`;
    });
    const times = (batch: number) => `times_as_fast_as.sentence_transformers_batch_${batch}`;
    return `## Embedding

${figure(result, "passages")} passages encoded on two threads by CaiGun and by sentence-transformers' ONNX backend, from the same file of all-MiniLM-L6-v2, in turn within each run; loading the model is not counted. sentence-transformers runs the graph in that file, CaiGun its own ([embedding](embedding.md)): a passage's two vectors have a cosine of ${figure(result, "least_cosine")} at least. Versions: \`bench/peers/requirements-embedding.txt\`.

| | passages a second | tokens a second | processor time a passage, ms |
| --- | --- | --- | --- |
${rows.join("\n")}

| | goal | measured | reached |
| --- | --- | --- | --- |
${goalRow("times as fast, both one at a time", result, times(1), { atLeast: 2, unit: "times" })}
${goalRow("times as fast as its default", result, times(32), { atLeast: 2, unit: "times" })}
`;
  },
  lora: (result) => {
    const shares = Object.entries(
      (result as unknown as { share_of_step_by_operator: object }).share_of_step_by_operator,
    )
      .filter(([, share]) => share >= 0.01)
      .map(([operator, share]) => `${operator} ${Math.round(share * 100)}`);
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    const systems = {
      "": "CaiGun, int8",
      peer_fp32_: "PyTorch with PEFT, fp32",
      peer_bf16_: "PyTorch with PEFT, bf16",
    };
    const rows = Object.entries(systems).map(
      ([key, what]) =>
        `| ${what} | ${figure(result, `${key}tokens_per_second`)} | ${megabytes(measuredAt(result, `${key}peak_memory_bytes`))} |`,
    );
    type Growth = Record<string, { tokens_per_second: number; peak_memory_bytes: number }>;
    const growth = Object.entries((result as unknown as { growth: Growth }).growth).map(
      ([name, at]) => `| ${name} | ${Math.round(at.tokens_per_second)} | ${megabytes(at.peak_memory_bytes)} |`,
    );
    return `## Training an adapter

SmolLM2-135M-Instruct from its GGUF file, r ${figure(result, "r")} on all linear layers, ${figure(result, "rows")} rows of ${figure(result, "tokens_per_row")} tokens, all asked for, ${figure(result, "threads")} threads; all systems are loaded and make their steps in turn. Memory is the highest sum of proportional set sizes from the start to the third step. int8 less fp32, by fp32, held-out loss after ${figure(result, "loss_steps")} steps: ${(100 * measuredAt(result, "loss_gap")).toFixed(2)} %. Versions: \`bench/peers/requirements-lora.txt\`.

| | tokens a second | peak memory, MB |
| --- | --- | --- |
${rows.join("\n")}

| | goal | measured | reached |
| --- | --- | --- | --- |
${goalRow("times as fast as fp32", result, "ratio_fp32", { atLeast: 1.5, unit: "times" })}
${goalRow("times as fast as the best", result, "ratio_best", { atLeast: 1.5, unit: "times" })}

Where a step's time goes, %: ${shares.join(", ")}.

| the same tokens a step, one thing changed | tokens a second | peak memory, MB |
| --- | --- | --- |
${growth.join("\n")}
`;
  },
  generate: (result) => {
    const rows = [1, 8, 64, 1_000].map((chatbots) => {
      const at = (name: string) => figure(result, `chatbots_${chatbots}.${name}`);
      const speed = chatbots < 1_000 ? at("tokens_per_second") : "";
      return `| ${chatbots.toLocaleString("en")} | ${at("change_ms")} / ${at("change_p99_ms")} | ${at("first_token_ms")} | ${speed} | ${Math.round(at("peak_memory_mb"))} |`;
    });
    return `## Writing with many adapters

Chatbots with an adapter each take turns on one base (SmolLM2-135M-Instruct Q4_1, r 16) in the product's writing process, a passage of about 200 tokens and a question at a time; of the 1,000 the first 250 are asked, each once. Change: until the chatbot's adapter can write; where there are more chatbots than contexts, nearly each turn needs one, and where there are more than adapters fit, now and then the base is opened anew. Memory is the highest proportional set size.

| chatbots | change, median / p99, ms | first token, ms | tokens a second | peak memory, MB |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

| | goal | measured | reached |
| --- | --- | --- | --- |
${goalRow("change among 1,000", result, "chatbots_1000.change_ms", { atMost: 50, unit: "ms" })}
${goalRow("memory with 1,000", result, "chatbots_1000.peak_memory_mb", { atMost: 2_000, unit: "MB" })}
`;
  },
  start: (result) => {
    const parts = Object.entries((result as unknown as { pss_mb_by_process: object }).pss_mb_by_process);
    return `## Start and memory

From \`npm start\` to the first answered talk: on a new home, with the training of a text of 10 KB; and on the same home again. Memory is the proportional set size of all processes, npm's own too, 60 s after that reply: ${parts.map(([name, mb]) => `${name} ${Math.round(mb)}`).join(", ")} MB.

| | goal | measured | reached |
| --- | --- | --- | --- |
${goalRow("first start", result, "first_start_seconds", { atMost: 5, unit: "s" })}
${goalRow("second start", result, "second_start_seconds", { atMost: 2, unit: "s" })}
${goalRow("memory", result, "pss_mb_after_60_s", { atMost: 400, unit: "MB" })}
`;
  },
  growth: (result) => {
    const passages = [1_000, 10_000, 100_000].map((count) => {
      const at = (name: string) => figure(result, `passages_${count}.${name}`);
      return `| ${count.toLocaleString("en")} | ${at("text_mb")} | ${at("seconds_to_ready")} | ${at("p50_ms")} / ${at("p99_ms")} |`;
    });
    const chatbots = [1, 100, 10_000].map((count) => {
      const at = (name: string) => figure(result, `chatbots_${count}.${name}`);
      return `| ${count.toLocaleString("en")} | ${at("one_asked.p50_ms")} / ${at("one_asked.p99_ms")} | ${at("many_asked.p50_ms")} / ${at("many_asked.p99_ms")} | ${at("pss_mb")} |`;
    });
    return `## As it grows

At 20 questions a second, so that none waits for another.

| passages of one chatbot | text, MB | seconds to ready | talk p50 / p99, ms |
| --- | --- | --- | --- |
${passages.join("\n")}

Chatbots of 20 passages each. "Many": each question goes to another chatbot. The first 100 are trained over the API, two at a time (${figure(result, "chatbots_100.seconds_to_train_each")} s each); as training 10,000 would take an hour, the others are given the same rows and refer to one of those 100 indexes.

| chatbots | one asked, p50 / p99, ms | many asked, p50 / p99, ms | memory, MB |
| --- | --- | --- | --- |
${chatbots.join("\n")}
`;
  },
  peers: (result) => {
    const names: Record<string, string> = {
      caigun_over_http: "CaiGun over HTTP: searches, reads, replies, stores",
      caigun_in_process: "CaiGun's index and reader alone, in process",
      langchain_chroma: "LangChain with Chroma, in process: searches",
      langchain_bm25: "LangChain with BM25, in process: searches",
    };
    const rows = Object.entries(names).map(([name, what]) => {
      const at = (path: string) => figure(result, `${name}.${path}`);
      return `| ${what} | ${at("ingest_seconds")} | ${at("best_per_second")} | ${Math.round(at("right_passage_in_five") * 1000) / 10} % |`;
    });
    const times = (path: string) => figure(result, path);
    return `## Beside what a person would pick instead

The same 1,000 passages and 500 questions on the same machine, in turn within each run; five passages a question, the peers' by LangChain's own splitter at 1,000 characters. Questions a second: one at a time or 16 at once, whichever is faster. Chroma embeds with all-MiniLM-L6-v2 (int8, ONNX Runtime: the fastest form that needs no download from a hub), BM25 is rank_bm25 over words in lower case, in memory alone. Versions: \`bench/peers/requirements.txt\`.

| | ingest, s | questions a second | right passage in five |
| --- | --- | --- | --- |
${rows.join("\n")}

Times as fast, over HTTP: ${times("caigun_over_http_times_as_fast_as.langchain_chroma.ingest")} (ingest) and ${times("caigun_over_http_times_as_fast_as.langchain_chroma.questions")} (questions) of Chroma, ${times("caigun_over_http_times_as_fast_as.langchain_bm25.ingest")} and ${times("caigun_over_http_times_as_fast_as.langchain_bm25.questions")} of BM25; in process ${times("caigun_in_process_times_as_fast_as.langchain_chroma.questions")} of Chroma and ${times("caigun_in_process_times_as_fast_as.langchain_bm25.questions")} of BM25 (questions). The questions name what they ask about, which favours words over vectors.
`;
  },
};

/** The page on speed, from the newest results. */
export function speedPage(): string {
  const parts = Object.entries(sections).flatMap(([name, section]) => {
    const result = newest(name);
    if (!result) return [];
    const { cpu, cores, memory_gib, node } = result.machine;
    const load =
      result.load_before === undefined ? "" : `, load average ${result.load_before.toFixed(1)} before it began`;
    const measured = `Measured on ${result.date.slice(0, 10)}: ${cpu}, ${cores} cores, ${memory_gib} GiB, Node.js ${node}, ${result.runs} ${result.runs === 1 ? "run" : "runs"}${load}.\n`;
    return [section(result), measured];
  });
  return [intro, ...parts].join("\n");
}

if (import.meta.main) await writeFile(new URL("speed.md", import.meta.url), speedPage());
