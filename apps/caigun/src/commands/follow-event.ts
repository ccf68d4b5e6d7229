import { type Input, type Learning, Problem, type Reply, type StreamedEvent } from "@caigun/contract";
import { findEvent, type JobEvent } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";

type Progress = StreamedEvent<Reply<"streamEvent">>;

/** A training as it goes on: `progress` for each change, then one event that says how it ended. */
export async function followEvent(
  { store, changes }: House,
  { chatbotId }: Caller,
  { event_id, "last-event-id": lastEventId }: Input<"streamEvent">,
  { signal }: Hooks,
): Promise<AsyncIterable<Progress>> {
  // Looked up before the stream opens, so that an unknown id gets its 404.
  if (!(await findEvent(store.db, chatbotId, event_id))) throw new Problem("event_not_found");

  return (async function* () {
    const following = changes.follow(event_id);
    // Each event tells the whole state, so a caller who missed some needs the latest alone: the id is its revision.
    let seen = /^\d+$/.test(lastEventId ?? "") ? Number(lastEventId) : -1;
    try {
      for (;;) {
        const event = await findEvent(store.db, chatbotId, event_id);
        if (!event) return; // its chatbot was deleted meanwhile
        const hasEnded = event.endedAt !== null;
        if (event.revision > seen || hasEnded) yield asProgress(event, hasEnded);
        if (hasEnded) return;
        seen = event.revision;
        await following.changed(signal);
      }
    } finally {
      following.close();
    }
  })();
}

function asProgress(event: JobEvent, hasEnded: boolean): Progress {
  return {
    event: hasEnded ? event.state : "progress",
    id: String(event.revision),
    data: {
      event_id: event.id,
      model_id: event.modelId,
      status: modelStatus[event.state],
      stage: hasEnded ? null : event.stage,
      progress: event.progress,
      learning: hasEnded ? null : (event.learning as Learning | null),
      failure: event.failure,
    },
  };
}

const modelStatus = {
  queued: "queued",
  running: "training",
  completed: "ready",
  failed: "failed",
  cancelled: "cancelled",
} as const;
