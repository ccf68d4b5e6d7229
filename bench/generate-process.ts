import { once } from "node:events";
import { readFileSync } from "node:fs";
import { AdaptedModels } from "../apps/caigun/src/engines/lora/adapted-models.ts";
import { adaptedModelsLimits } from "../apps/caigun/src/engines/lora/limits.ts";
import { writeAnswer } from "../apps/caigun/src/engines/lora/write-answer.ts";
import type { GenerateRequest, GenerateResult } from "./generate.ts";

/** About 200 tokens, as a retrieved passage and a question have them. */
const passages = [
  "The workshop lends bicycles by the hour, by the day and by the week. ".repeat(8),
  "A deposit is asked for each bicycle and is paid back when it returns. ".repeat(4),
];

const [{ base, adapters, replies, pieces }] = (await once(process, "message")) as [GenerateRequest];
const models = new AdaptedModels(adaptedModelsLimits);
const result: GenerateResult = { change_ms: [], first_token_ms: [], token_ms: [], peak_bytes: 0 };
// The base is in memory before the first adapter is asked for.
await models.sequenceOf(base, "");
for (let reply = 0; reply < replies; reply++) {
  const began = performance.now();
  const sequence = await models.sequenceOf(base, adapters[reply % adapters.length]!);
  const ready = performance.now();
  const times: number[] = [];
  const question = { question: `What does number ${reply} cost?`, passages };
  const enough = new AbortController();
  const timed = () => {
    times.push(performance.now());
    if (times.length >= pieces) enough.abort();
  };
  await writeAnswer(sequence, question, timed, enough.signal).catch((error: unknown) => {
    if (!enough.signal.aborted) throw error;
  });
  const [first = performance.now(), last] = [times[0], times.at(-1)];
  result.change_ms.push(ready - began);
  result.first_token_ms.push(first - ready);
  if (times.length > 1) result.token_ms.push((last! - first) / (times.length - 1));
  result.peak_bytes = Math.max(result.peak_bytes, proportionalSetSize());
}
process.send!(result);

function proportionalSetSize(): number {
  const [, kilobytes] = /^Pss:\s+(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8")) ?? [];
  return Number(kilobytes) * 1_024;
}
