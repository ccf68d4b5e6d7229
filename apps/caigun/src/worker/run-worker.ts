import { type GivenUp, type Job, type Jobs, queues } from "../jobs/index.ts";
import { failTraining, findEvent, isEventLive } from "../store/index.ts";
import { forgetLearning, sweepLearning } from "./learn-text.ts";
import { type TrainingTools, trainModel } from "./train-model.ts";

/** Takes queued trainings until the jobs are stopped. `concurrency`: how many run at a time, and how many more that learn. */
export async function runWorker(
  jobs: Jobs,
  tools: TrainingTools,
  { concurrency }: { concurrency: number },
): Promise<void> {
  await sweepLearning(tools.learningFolder, (eventId) => isEventLive(tools.store.db, eventId));
  for (const queue of queues)
    await jobs.work(queue, {
      concurrency,
      onJob: (job, signal) => trainModel(tools, job, signal),
      onGivenUp: (job, why) => tellGivenUp(tools, job, why),
    });
}

/** The end of a training that nobody will try again; one that has ended otherwise keeps that end. */
async function tellGivenUp(tools: TrainingTools, { chatbotId, eventId }: Job, why: GivenUp): Promise<void> {
  const { store, log } = tools;
  const event = await findEvent(store.db, chatbotId, eventId);
  if (!event || event.endedAt) return;
  if (why.reason === "error") log.error({ eventId, err: why.error }, "training ended by a fault");
  const [cause, fix] =
    why.reason === "error"
      ? [
          "A fault in CaiGun ended the training.",
          "Train again; if it fails again, report the server's log of this moment.",
        ]
      : [
          "The training was begun several times, and each time its process or its machine stopped.",
          "Give the machine more memory, or train on a smaller text.",
        ];
  await failTraining(store.db, chatbotId, eventId, null, { stage: event.stage, cause, fix });
  await forgetLearning(tools, eventId);
}
