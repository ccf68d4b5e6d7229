import type { Jobs } from "../jobs/index.ts";
import { type TrainingTools, trainModel } from "./train-model.ts";

/** Takes queued trainings until the jobs are stopped. `concurrency`: how many run at a time. */
export function runWorker(jobs: Jobs, tools: TrainingTools, { concurrency }: { concurrency: number }): Promise<void> {
  return jobs.work("training", { concurrency, onJob: (job, signal) => trainModel(tools, job, signal) });
}
