import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const cache = here("../../node_modules/.cache/caigun-bench-peers/");
const NEEDED =
  "The peers are Python programs: install Python 3.11 or newer with venv and pip (Debian: apt install python3-venv).";

/**
 * The Python of a private environment that holds exactly a file's requirements, made where it is not there yet; or the
 * one that CAIGUN_BENCH_PYTHON names, which has them already.
 */
export async function pythonWithPeers(
  progress: (what: string) => void,
  file: "requirements.txt" | "requirements-embedding.txt" | "requirements-lora.txt" = "requirements.txt",
): Promise<string> {
  const given = process.env.CAIGUN_BENCH_PYTHON;
  if (given) return given;
  const requirements = here(`./${file}`);
  const digest = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const folder = `${cache}${digest}`;
  const python = `${folder}/bin/python`;
  const complete = `${folder}/complete`;
  if (existsSync(complete)) return python;
  const { stdout: version } = await run("python3", ["-c", "import sys; print(sys.version_info >= (3, 11))"]).catch(
    (cause) => {
      throw new Error(`python3 can't be run. ${NEEDED}`, { cause });
    },
  );
  if (version.trim() !== "True") throw new Error(`This python3 is too old. ${NEEDED}`);
  progress(`installing what ${file} names with pip`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await run("python3", ["-m", "venv", folder]).catch((cause) => {
    throw new Error(`python3 -m venv failed. ${NEEDED}`, { cause });
  });
  await run(python, ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", requirements], {
    maxBuffer: 2 ** 26,
  }).catch((cause) => {
    throw new Error(`pip could not install ${requirements}:\n${(cause as { stderr?: string }).stderr}`, { cause });
  });
  await writeFile(complete, "");
  return python;
}

export type PeerResult = {
  passages: number;
  ingest_seconds: number;
  per_second: number;
  per_second_at_once: number;
  /** For each question, where in the text its five passages stand. */
  found: { start: number; end: number }[][];
};

/** One run of a peer, in a process of its own. */
export function runPeer(
  python: string,
  peer: "chroma" | "bm25",
  given: { text: string; questions: string[]; at_once: number },
): Promise<PeerResult> {
  return runProgram(python, [here("./peers.py"), peer], given);
}

export type EmbeddingResult = { seconds: number; processor_seconds: number; vectors: number[][] };

/** sentence-transformers' ONNX backend on a model's file, in a process of its own. */
export function runSentenceTransformers(
  python: string,
  given: { model: string; tokenizer: string; texts: string[]; threads: number; batch: number },
): Promise<EmbeddingResult> {
  return runProgram(python, [here("./embedding.py")], given);
}

async function runProgram<Result>(python: string, words: string[], given: unknown): Promise<Result> {
  const child = spawn(python, ["-W", "ignore", ...words], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(given));
  const printed = await text(child.stdout);
  if (printed === "") throw new Error(`${words.join(" ")} printed nothing: see above.`);
  return JSON.parse(printed) as Result;
}
