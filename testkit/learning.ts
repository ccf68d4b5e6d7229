import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningCaigun } from "./caigun.ts";
import type { Chatbot, ServerSentEvent, TrainReply } from "./chatbot.ts";
import { eventually } from "./faults/eventually.ts";
import { processesOf } from "./processes.ts";

export type Learning = {
  step: number;
  steps: number;
  loss: number | null;
  held_out_loss: number | null;
  base: string;
  base_because: string | null;
};

/** A training's events as they come, until it ends. */
export async function* eventsOf(chatbot: Chatbot, { event_id }: TrainReply): AsyncGenerator<ServerSentEvent> {
  const { body } = await chatbot.call(`events/${event_id}/stream`);
  let buffered = "";
  for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
    const frames = (buffered + piece).split("\n\n");
    buffered = frames.pop()!;
    for (const frame of frames) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(frame)?.[1];
      const data = field("data");
      if (data) yield { event: field("event")!, id: field("id"), data: JSON.parse(data) };
    }
  }
}

/** Resolves with how far the learning is once it is so far. */
export async function untilLearned(chatbot: Chatbot, training: TrainReply, steps: number): Promise<Learning> {
  for await (const { event, data } of eventsOf(chatbot, training)) {
    const learning = data.learning as Learning | null;
    if (learning && learning.step >= steps) return learning;
    assert.equal(event, "progress", `it ended before step ${steps}: ${JSON.stringify(data)}`);
  }
  return assert.fail("the stream ended");
}

/** The processes that learn a text. */
export async function learners(caigun: RunningCaigun): Promise<number[]> {
  const family = await processesOf(caigun.process.pid!);
  return family.filter(({ command }) => command.includes("learn-child")).map(({ pid }) => pid);
}

/** The process that learns, once there is one. */
export const learner = (caigun: RunningCaigun) =>
  eventually("a process learns", 60_000, async () => (await learners(caigun))[0]);

/** The step that an ended process's checkpoint stands at; undefined where there is none yet. */
export async function checkpointed(home: string, { event_id }: TrainReply): Promise<number | undefined> {
  const bytes = await readFile(join(home, "learning", event_id)).catch(() => undefined);
  return bytes && (JSON.parse(bytes.toString("latin1").split("\n")[1]!) as { step: number }).step;
}

/** SHA-256 of a model's adapter. */
export async function adapterDigest(chatbot: Chatbot, { id }: { id: string }): Promise<string> {
  const response = await chatbot.call(`models/${id}/adapter?format=gguf`);
  assert.equal(response.status, 200);
  return createHash("sha256")
    .update(Buffer.from(await response.arrayBuffer()))
    .digest("hex");
}

/** What trainings have left of themselves below the home. */
export async function leftOver(home: string): Promise<string[]> {
  const learning = await readdir(join(home, "learning")).catch(() => []);
  const work = join(home, "work");
  const inside = await Promise.all((await readdir(work)).map((pid) => readdir(join(work, pid))));
  return [...learning, ...inside.flat()];
}
