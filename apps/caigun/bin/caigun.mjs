#!/usr/bin/env node
// Plain JavaScript that any Node can read: it finds a Node that runs TypeScript as it stands (24 or newer) and hands over.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const oldestMajor = 24;
const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const bundled = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= oldestMajor) {
  await import(main);
} else if (existsSync(bundled)) {
  const child = spawn(bundled, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // What this process is told is meant for the one that it stands for.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (status) => process.exit(status ?? 1));
} else {
  console.error(
    `CaiGun needs Node.js ${oldestMajor} or newer; this is ${process.version}. ` +
      `No packaged Node fits ${process.platform}-${process.arch}: install Node.js ${oldestMajor} from nodejs.org, then run this again.`,
  );
  process.exitCode = 1;
}
