import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, code]) => code!.trim());
const hasCurl = spawnSync("curl", ["--version"]).status === 0;

/** Every command of the README is run, or is what runs this: none is left that nobody tries. */
describe("the README's commands", () => {
  let caigun: RunningCaigun;
  before(async () => {
    caigun = await startCaigun({ command: ["npm", "start"] });
  });
  after(() => caigun.remove());

  const [start, commandLine, train, follow, talk, test] = blocks as [string, string, string, string, string, string];

  async function run(code: string): Promise<string> {
    const filledIn = code.replaceAll("http://127.0.0.1:8000", caigun.url).replaceAll("cgk_...", caigun.apiKey);
    const child = spawn("sh", ["-e"], {
      cwd: project,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", CAIGUN_HOME: caigun.home, KEY: caigun.apiKey },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    child.stdin.end(filledIn);
    const [code_] = await once(child, "close");
    assert.equal(code_, 0, output);
    return output;
  }

  it("are these six", () => {
    assert.equal(blocks.length, 6);
    // The machine that runs this has run `npm ci`, `npm start` is what `before` does, and `npm test` is this.
    assert.equal(start, "npm ci && npm start");
    assert.equal(test, "npm ci && npm test");
  });

  if (hasCurl) {
    it("train and talk with curl", async () => {
      const started = await run(train);
      assert.match(started, /"status":"queued"/);
      const eventId = /"event_id":"([^"]+)"/.exec(started)![1]!;
      assert.match(await run(follow.replace("EVENT_ID", eventId)), /^event: completed$/m);
      assert.match(await run(talk), /"text":"Parking costs three euros an hour\."/);
    });
  } else if (process.env.CAIGUN_TEST_COMPLETE === "1")
    throw new Error("CAIGUN_TEST_COMPLETE is set, and curl is missing.");
  else console.log("the README's commands: this system lacks curl, so those with curl are not run.");

  it("train and talk on the command line", async () => {
    assert.match(await run(commandLine), /Ctrl-C or SIGTERM stops it/);
  });

  it("link to pages that exist", async () => {
    for (const [, target] of readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g))
      await assert.doesNotReject(
        readFile(new URL(`../${target}`, import.meta.url)).catch((error) => {
          if (error.code !== "EISDIR") throw error;
        }),
        target,
      );
  });
});
