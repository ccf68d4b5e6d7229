import { setTimeout as delay } from "node:timers/promises";
import { Problem } from "@caigun/contract";
import { sql } from "kysely";
import { exportAdapter } from "../commands/adapters.ts";
import type { Caller } from "../commands/caller.ts";
import { listConversations, listMessages } from "../commands/conversations.ts";
import { converse } from "../commands/converse.ts";
import { followEvent } from "../commands/follow-event.ts";
import type { House } from "../commands/house.ts";
import type { KeyUses } from "../commands/key-uses.ts";
import { authenticate } from "../commands/keys.ts";
import { cancelTraining, deleteModel, getModel, listModels, pinModel } from "../commands/models.ts";
import { changeSettings, getSettings } from "../commands/settings.ts";
import { startTraining } from "../commands/start-training.ts";
import { getTrainingDataText } from "../commands/training-data.ts";
import { answerUnanswered, dropUnanswered, listUnanswered } from "../commands/unanswered.ts";
import type { Commands, IdempotencyPort, Readiness } from "../http/ports.ts";
import {
  abandonIdempotent,
  beginIdempotent,
  type Db,
  finishIdempotent,
  isDatabaseUnavailable,
} from "../store/index.ts";

/** The command behind each operation of the contract. */
export function apiCommands(house: House): Commands<Caller, Db> {
  return {
    trainModel: (caller, input, hooks) => startTraining(house, caller, input, hooks),
    listModels: (caller) => listModels(house, caller),
    getModel: (caller, input) => getModel(house, caller, input),
    deleteModel: (caller, input) => deleteModel(house, caller, input),
    cancelTraining: (caller, input) => cancelTraining(house, caller, input),
    exportAdapter: (caller, input, hooks) => exportAdapter(house, caller, input, hooks),
    pinModel: (caller, input) => pinModel(house, caller, input),
    converse: (caller, input, hooks) => converse(house, caller, input, hooks),
    listMessages: (caller, input) => listMessages(house, caller, input),
    listConversations: (caller, input) => listConversations(house, caller, input),
    streamEvent: (caller, input, hooks) => followEvent(house, caller, input, hooks),
    getSettings: (caller) => getSettings(house, caller),
    changeSettings: (caller, input) => changeSettings(house, caller, input),
    listUnanswered: (caller, input) => listUnanswered(house, caller, input),
    answerUnanswered: (caller, input, hooks) => answerUnanswered(house, caller, input, hooks),
    dropUnanswered: (caller, input) => dropUnanswered(house, caller, input),
    getTrainingDataText: (caller, input) => getTrainingDataText(house, caller, input),
  };
}

/** What else http asks of the rest. */
export function apiPorts(house: House, keyUses: KeyUses) {
  return {
    async authenticate(apiKey: string): Promise<Caller | undefined> {
      const caller = await authenticate(house, apiKey);
      if (caller) keyUses.note(caller.keyId);
      return caller;
    },
    idempotency: idempotency(house),
    ready: () => readiness(house),
    explainError: (error: unknown) =>
      isDatabaseUnavailable(error)
        ? new Problem("unavailable", undefined, { retryAfterSeconds: 2, cause: error })
        : undefined,
  };
}

const KEPT_MS = 24 * 3_600_000;
const LOOK_AGAIN_MS = 50;
/** Whoever asks whether the server is ready gives up soon, and should know by then. */
const READY_WITHIN_MS = 2_000;

function idempotency({ store }: House): IdempotencyPort<Caller, Db> {
  return {
    begin: ({ chatbotId }, key, fingerprint) => beginIdempotent(store.db, chatbotId, key, fingerprint, KEPT_MS),
    async finish({ chatbotId }, key, claim, reply, db = store.db) {
      if (!(await finishIdempotent(db, chatbotId, key, claim, reply)))
        // Thrown in the command's transaction, which is undone with it: the request that took over stands.
        throw new Problem("unavailable", undefined, { retryAfterSeconds: 1 });
    },
    abandon: ({ chatbotId }, key, claim) => abandonIdempotent(store.db, chatbotId, key, claim),
    wait: (_caller, _key, signal) => delay(LOOK_AGAIN_MS, undefined, { signal }),
  };
}

type Checked = { store: Pick<House["store"], "db">; answering: Pick<House["answering"], "isAlive"> };

/** Whether requests can be served. Resolves within READY_WITHIN_MS, also where the database is frozen. */
export async function readiness({ store, answering }: Checked): Promise<Readiness> {
  const asked = sql`select 1`.execute(store.db).then(
    () => "ok",
    () => "can't be reached",
  );
  const timer = new AbortController();
  const late = delay(READY_WITHIN_MS, "no reply", { signal: timer.signal }).catch(() => "no reply");
  const database = await Promise.race([asked, late]);
  timer.abort();
  const answers = answering.isAlive ? "ok" : "no process";
  return { ok: database === "ok" && answers === "ok", checks: { database, answering: answers } };
}
