import { Child } from "../../apps/caigun/src/children/child.ts";

const child = new Child({ module: new URL("./obliging-child.ts", import.meta.url), name: "spinning", heapMiB: 64 });
child.request({ do: "spin" }, { timeoutMs: 60_000, onProgress: report }).catch(() => {});

let told = false;
function report(): void {
  if (!told) process.stdout.write(`${child.pid}\n`);
  told = true;
}
