import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { routes } from "@caigun/contract";
import { makeHome, type RunningCaigun, startCaigun, trained } from "../caigun.ts";
import { Chatbot, type ModelReply, type TrainReply } from "../chatbot.ts";

const VERSION = "4.32.5";
/** Outside of the repository's own files, and kept: the installation takes longer than its use. */
const environment = fileURLToPath(new URL(`../../node_modules/.cache/schemathesis-${VERSION}`, import.meta.url));
const REQUESTS = 10_000;
/** Each with a seed of its own: a call without parameters is not often tried within one. */
const RUNS = 4;
const SUCCESSES_PER_OPERATION = 50;
/**
 * How many runs at a time. Each is a process with one thread: a core of its own, and in several threads Python before
 * 3.11.8 and 3.12.2 ends a run now and then with "AST constructor recursion depth mismatch" (python/cpython#106905).
 */
const GENERATORS = 2;
/** Two at a time, for texts of a few words. */
const TRAININGS = 2;
const EXPECTED_OUTCOME =
  /^(ready|failed: The text has (no words|\d+ tokens, and a language model needs \d+ to learn from)\.)$/;

/** Real ids for schemathesis to use beside those that it makes up. */
type Seed = {
  /** Models that stay as they are: ready, failed and cancelled ones. */
  models: string[];
  ready: string[];
  events: string[];
  trainingData: string[];
  uids: string[];
  /** Queued, each to be deleted or cancelled once. */
  toDelete: string[];
  toCancel: string[];
  /** Groups of unanswered questions: those to be answered can be answered again, the others are dropped once. */
  toAnswer: string[];
  toDrop: string[];
};

describe("schemathesis over the OpenAPI document", () => {
  it("finds no 5xx and no reply off its schema, and what it had accepted trains", { timeout: 3_600_000 }, async (t) => {
    const schemathesis = await installSchemathesis();
    const home = await makeHome();
    const folder = await mkdtemp(join(tmpdir(), "caigun-schemathesis-"));
    let caigun: RunningCaigun | undefined;
    try {
      caigun = await startCaigun({ home });
      const { apiKey } = caigun;
      const ended = await seedEnded(new Chatbot(caigun));
      await caigun.stop();
      // Nothing trains meanwhile, so that there is always something to cancel; a worker does afterwards.
      caigun = await startCaigun({ home, env: { CAIGUN_TRAININGS: "0" } });
      const chatbot = new Chatbot(caigun, apiKey);
      const [toDelete, toCancel] = [await seedQueued(chatbot, 300), await seedQueued(chatbot, 300)];
      const unanswered = await seedUnanswered(chatbot, 360);
      const seed = { ...ended, toDelete, toCancel, toAnswer: unanswered.slice(0, 60), toDrop: unanswered.slice(60) };
      const seeded = caigun.log.length;

      const start = performance.now();
      const config = join(folder, "schemathesis.toml");
      await writeFile(config, configuration(seed, apiKey, folder));
      const seeds = Array.from({ length: RUNS }, (_, at) => at + 1);
      const url = `${caigun.url}/openapi.json`;
      await Promise.all(Array.from({ length: GENERATORS }, () => runInTurn(schemathesis, config, url, seeds)));
      const seconds = Math.round((performance.now() - start) / 1000);
      const { total, statuses, failures } = countRequests(caigun.log.slice(seeded));
      t.diagnostic(`${total} requests in ${seconds} s`);
      for (const [operation, counts] of Object.entries(statuses))
        t.diagnostic(`${operation}: ${JSON.stringify(counts)}`);
      assert.deepEqual(failures, [], "no 5xx");
      assert(total >= REQUESTS, `${total} requests; it has to be ${REQUESTS}`);
      for (const route of routes) {
        const count = statuses[route.operationId]?.[200] ?? 0;
        // A call that takes nothing is always the same one.
        const takes = ["params", "query", "headers", "body"].some((part) => part in route);
        assert(count >= (takes ? SUCCESSES_PER_OPERATION : RUNS), `${route.operationId} succeeded ${count} times`);
      }
      const waiting = await acceptedTrainings(chatbot, [...seed.toDelete, ...seed.toCancel]);
      await caigun.stop();
      caigun = await startCaigun({ home, env: { CAIGUN_TRAININGS: String(TRAININGS) } });
      await trainAll(t, new Chatbot(caigun, apiKey), waiting);
    } finally {
      await caigun?.stop();
      await rm(home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function installSchemathesis(): Promise<string> {
  const schemathesis = join(environment, "bin", "schemathesis");
  if (await exists(schemathesis)) return schemathesis;
  const python = await run("python3", ["-m", "venv", environment]).catch(() => undefined);
  assert(
    python?.exitCode === 0,
    "This test needs python3 (3.10 or newer) with venv, to run schemathesis from PyPI: install it, on Debian with " +
      `\`apt-get install python3-venv\`.\n${python?.output ?? ""}`,
  );
  const pip = await run(join(environment, "bin", "pip"), ["install", "--quiet", `schemathesis==${VERSION}`]);
  if (pip.exitCode !== 0) {
    await rm(environment, { recursive: true, force: true });
    assert.fail(`schemathesis ${VERSION} can't be installed from PyPI:\n${pip.output}`);
  }
  return schemathesis;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Runs a program to its end. Rejects where it can't be started. */
async function run(command: string, args: string[]): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const [exitCode] = await once(child, "close");
  return { exitCode, output };
}

/** Runs schemathesis once with each seed that is left, until none is. */
async function runInTurn(schemathesis: string, config: string, url: string, seeds: number[]): Promise<void> {
  for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
    const options = ["--config-file", config, "--no-color", "run", "--seed", String(seed)];
    const { exitCode, output } = await run(schemathesis, [...options, url]);
    assert.equal(exitCode, 0, output);
  }
}

const text = (number: number) => `Room ${number} holds ${number + 3} people. The office opens at nine in the morning.`;

/** Models in every state that lasts, with their events, texts and conversations. */
async function seedEnded(chatbot: Chatbot): Promise<Omit<Seed, "toDelete" | "toCancel" | "toAnswer" | "toDrop">> {
  const ready: ModelReply[] = [];
  const trainingData: string[] = [];
  const uids = Array.from({ length: 5 }, (_, number) => `user-${number}`);
  for (let number = 0; number < 60; number++) {
    ready.push(await chatbot.ready(text(number)));
    const uid = uids[number % uids.length]!;
    const { citations } = await chatbot.ask("When does the office open?", { uid, query: "?nickname=Ann" });
    trainingData.push(citations[0]!.training_data_id);
  }
  const failed = await chatbot.train(text(0), { model_name: "gpt2" });
  assert.equal((await trained(chatbot.caigun, failed, chatbot.apiKey)).status, "failed");
  const learned = await chatbot.train(`${text(0)} `.repeat(40), { model_name: "gpt2" });
  assert.equal((await trained(chatbot.caigun, learned, chatbot.apiKey)).status, "ready");
  const cancelled = await chatbot.train(`${text(0)} `.repeat(200_000));
  await chatbot.get(`models/${cancelled.id}/cancel`, { method: "POST" });
  const deleted = await chatbot.train(text(0));
  await chatbot.get(`models/${deleted.id}`, { method: "DELETE" });
  const others = [failed, learned, cancelled, deleted];
  return {
    models: [...ready, ...others].map(({ id }) => id),
    ready: ready.map(({ id }) => id),
    events: [...ready, ...others].map(({ event_id }) => event_id as string),
    trainingData,
    uids,
  };
}

async function seedQueued(chatbot: Chatbot, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) ids.push((await chatbot.train(text(number))).id);
  return ids;
}

/** No two are alike, so that each is a group. */
async function seedUnanswered(chatbot: Chatbot, count: number): Promise<string[]> {
  for (let number = 0; number < count; number++)
    await chatbot.ask(`Who conquered x${number} and y${number}?`, { uid: "seed" });
  const ids: string[] = [];
  for (let offset = 0; offset < count; offset += 100) {
    const page = await chatbot.get<{ unanswered: { id: string }[] }>(`unanswered?limit=100&offset=${offset}`);
    ids.push(...page.unanswered.map(({ id }) => id));
  }
  assert.equal(ids.length, count);
  return ids;
}

/** JSON's texts, numbers and lists are TOML's too. */
function configuration(seed: Seed, apiKey: string, folder: string): string {
  const dictionaries = Object.entries(seed).map(
    ([name, values]) => `[dictionaries.${name}]\nvalues = ${JSON.stringify(values)}\n`,
  );
  const operation = (operationId: string, parameter: string, dictionary: keyof Seed) => `[[operations]]
include-operation-id = ${JSON.stringify(operationId)}
parameters = { ${JSON.stringify(parameter)} = { dictionary = ${JSON.stringify(dictionary)}, probability = 0.8 } }
`;
  return `headers = { "api-key" = ${JSON.stringify(apiKey)} }
workers = 1
continue-on-failure = true
request-timeout = 30
max-stream-events = 1

${dictionaries.join("\n")}
[generation]
max-examples = ${Math.ceil((1.2 * REQUESTS) / (routes.length * RUNS))}
database = "none"

[checks]
enabled = true
# What a schema allows can still be refused: a key that was used, a training that has ended, a model that was deleted.
positive_data_acceptance.enabled = false
# A wrong type in a query goes out under names that no call has, and such are left out of account here.
negative_data_rejection.enabled = false

[cache]
enabled = false
directory = ${JSON.stringify(folder)}

${[
  operation("getModel", "path.id", "models"),
  operation("deleteModel", "path.id", "toDelete"),
  operation("cancelTraining", "path.id", "toCancel"),
  operation("pinModel", "body.id", "ready"),
  operation("streamEvent", "path.event_id", "events"),
  operation("getTrainingDataText", "path.id", "trainingData"),
  operation("answerUnanswered", "path.id", "toAnswer"),
  operation("dropUnanswered", "path.id", "toDrop"),
  operation("listMessages", "header.uid", "uids"),
  operation("converse", "header.uid", "uids"),
].join("\n")}`;
}

/** What the server itself has logged, by operation. */
function countRequests(log: readonly string[]) {
  const operations = new Map<string, string>(
    routes.map(({ method, path, operationId }) => [`${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`, operationId]),
  );
  const statuses: Record<string, Record<string, number>> = {};
  const failures: string[] = [];
  let total = 0;
  for (const line of log) {
    const { msg, method, route, status } = JSON.parse(line) as Record<string, unknown>;
    if (msg !== "request" && msg !== "request failed") continue;
    total += 1;
    if (Number(status) >= 500) failures.push(line);
    const operation = operations.get(`${method} ${route}`) ?? "other";
    statuses[operation] ??= {};
    statuses[operation][String(status)] = (statuses[operation][String(status)] ?? 0) + 1;
  }
  return { total, statuses, failures };
}

/** Those that wait with a text that schemathesis made up; what was seeded is deleted. */
async function acceptedTrainings(chatbot: Chatbot, seeded: readonly string[]): Promise<(ModelReply & TrainReply)[]> {
  const { models } = await chatbot.get<{ models: (ModelReply & TrainReply)[] }>("models");
  const queued = models.filter(({ status }) => status === "queued");
  for (const { id } of queued) if (seeded.includes(id)) await chatbot.get(`models/${id}`, { method: "DELETE" });
  return queued.filter(({ id }) => !seeded.includes(id));
}

/** Whatever their texts are, each training ends as it must. */
async function trainAll(t: TestContext, chatbot: Chatbot, waiting: readonly (ModelReply & TrainReply)[]) {
  const start = performance.now();
  const counts: Record<string, number> = {};
  for (const model of waiting) {
    const { status, failure } = await trained(chatbot.caigun, model, chatbot.apiKey);
    const outcome = failure ? `${status}: ${(failure as { cause: string }).cause}` : String(status);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  t.diagnostic(`${waiting.length} trainings in ${seconds} s: ${JSON.stringify(counts)}`);
  assert.deepEqual(
    Object.keys(counts).filter((outcome) => !EXPECTED_OUTCOME.test(outcome)),
    [],
  );
}
