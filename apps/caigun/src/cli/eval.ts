import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommandFailed } from "./failures.ts";

// A process of its own: the evaluation starts servers, and the product knows nothing of what measures it.
const evaluation = fileURLToPath(new URL("../../../../eval/main.ts", import.meta.url));

type Options = { only?: string; json?: boolean };

/** Runs the evaluation on files in SQuAD's format; it prints for itself, and its exit code is the command's. */
export async function evaluate(files: string[], { only, json }: Options): Promise<void> {
  if (!existsSync(evaluation))
    throw new CommandFailed("This installation is without the evaluation: run it in a copy of the whole project.");
  const args = [...(only ? ["--only", only] : []), ...(json ? ["--json"] : []), "--", ...files];
  const child = spawn(process.execPath, [evaluation, ...args], { stdio: "inherit" });
  // The terminal's Ctrl-C reaches both; this one waits until the other has cleared up.
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => {});
  const [exitCode] = (await once(child, "exit")) as [number | null];
  process.exitCode = exitCode ?? 1;
}
