import assert from "node:assert/strict";
import { test } from "node:test";
import { TrainingTooLarge } from "@caigun/lora";
import { BaseTooLarge, withinMemory } from "./within-memory.ts";

const memory = { memoryBytes: 2e9, mostMemoryBytes: 4e9, machineMemoryBytes: 16e9 };

/** A training of a base that needs so much at least. */
function needing(neededBytes: number) {
  const given: number[] = [];
  const train = async (memoryBytes: number) => {
    given.push(memoryBytes);
    if (memoryBytes < neededBytes) throw new TrainingTooLarge(neededBytes, memoryBytes);
    return "trained";
  };
  return { given, train };
}

test("a training has what is wanted, and more only where its base needs more and it is free", async () => {
  const small = needing(1e9);
  assert.equal(await withinMemory(memory, small.train), "trained");
  assert.deepEqual(small.given, [2e9]);
  const large = needing(3e9);
  assert.equal(await withinMemory(memory, large.train), "trained");
  assert.deepEqual(large.given, [2e9, 3e9]);
});

test("what is not free may be free another time, and what the machine does not have never is", async () => {
  await assert.rejects(withinMemory(memory, needing(5e9).train), TrainingTooLarge);
  await assert.rejects(withinMemory(memory, needing(17e9).train), BaseTooLarge);
  const fault = new Error("another");
  await assert.rejects(
    withinMemory(memory, () => Promise.reject(fault)),
    fault,
  );
});
