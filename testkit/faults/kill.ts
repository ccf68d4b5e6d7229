import { once } from "node:events";
import { isRunning, type Product } from "./product.ts";
import type { Standing } from "./stages.ts";
import { chosen } from "./texts.ts";
import type { Victim } from "./victims.ts";

/** Kills it with SIGKILL, as it stands; returns its process number. */
export async function kill(
  victim: Victim,
  product: Product,
  standing: Standing,
  { stageIsTraining, random }: { stageIsTraining: boolean; random: () => number },
): Promise<number> {
  const pid = await find();
  process.kill(pid, "SIGKILL");
  const mine = victim === "server" ? product.server.process : victim === "worker" ? product.worker : undefined;
  if (isRunning(mine)) await once(mine, "exit");
  return pid;

  async function find(): Promise<number> {
    switch (victim) {
      case "server":
        return product.server.process.pid!;
      case "worker":
        return product.worker!.pid!;
      case "child": {
        const found = (await product.children(stageIsTraining ? "training" : "answering"))[0];
        if (found === undefined) throw new Error(`There is no child to kill.`);
        return found;
      }
      case "postmaster":
        return product.postmaster();
      case "backend":
        // The one that has the statement in hand, where one has.
        return standing.backend ?? chosen(random, await product.backends());
    }
  }
}
