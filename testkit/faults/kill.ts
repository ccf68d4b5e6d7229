import type { Product, Role } from "./product.ts";
import type { Standing } from "./stages.ts";
import { chosen } from "./texts.ts";
import type { Victim } from "./victims.ts";

/** The process to kill. Throws where there is none. */
export async function findVictim(
  victim: Victim,
  product: Product,
  standing: Standing,
  { role, random }: { role: Role; random: () => number },
): Promise<number> {
  switch (victim) {
    case "server":
      return product.server.process.pid!;
    case "worker":
      return product.worker!.pid!;
    case "child": {
      const [child] = await product.children(role);
      if (child === undefined) throw new Error("There is no child to kill.");
      return child;
    }
    case "postmaster":
      return product.postmaster();
    case "backend":
      // The one that has the statement in hand, where one has.
      return standing.backend ?? chosen(random, await product.backends());
  }
}
