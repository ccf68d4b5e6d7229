import { readdirSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { Child } from "../../apps/caigun/src/children/child.ts";

/** Prints the environment of a child, and how many files of compiled code lie there when it has replied twice. */
const child = new Child({ module: new URL("./obliging-child.ts", import.meta.url), name: "test", heapMiB: 64 });
const timeoutMs = 30_000;
const environment = await child.request({ do: "environment" }, { timeoutMs });
// The second reply comes after what the first one was followed by.
await child.request({ do: "echo", value: 1 }, { timeoutMs });
console.log(JSON.stringify({ environment, kept: readdirSync(getCompileCacheDir()!).length }));
child.kill();
