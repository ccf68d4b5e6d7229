import { openWorker } from "../assembly/worker.ts";
import { readConfig } from "../config.ts";
import { openLog } from "../log.ts";
import { untilStopped } from "./until-stopped.ts";

export async function worker(): Promise<void> {
  const config = readConfig();
  const log = openLog(config);
  const stopped = untilStopped(log);
  const running = await openWorker(config, log);
  await stopped;
  await running.close();
}
