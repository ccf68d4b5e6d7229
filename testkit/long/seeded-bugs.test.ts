import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyProduct } from "../faults/product-copy.ts";
import { awayTooLong, deadAtCommit, incompleteIndex, type Scenario } from "../faults/scenarios.ts";

const bugs: [bug: string, found: RegExp, scenario: Scenario][] = [
  ["row-before-blob", /refers to bytes that are not there/, deadAtCommit],
  ["no-probe", /is ready and fails its probe/, incompleteIndex],
  ["no-fencing", /A worker that had lost its training changed it/, awayTooLong],
];

describe("a bug that was put in on purpose", () => {
  for (const [bug, found, scenario] of bugs) {
    it(`${bug}: is seen, and without it all is well`, async () => {
      for (const patch of [undefined, bug]) {
        const copy = await copyProduct(patch);
        try {
          const findings = await scenario({ command: copy.command });
          console.log(`${patch ?? "no bug"}: ${findings.join(" ") || "nothing lost"}`);
          if (patch) assert.match(findings.join("\n"), found);
          else assert.deepEqual(findings, []);
        } finally {
          await copy.remove();
        }
      }
    });
  }
});
