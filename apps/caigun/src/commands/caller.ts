import type { CurrentModel, Db, KeyHolder, Settings } from "../store/index.ts";

/**
 * On whose behalf a command runs: what an API key stands for, and, when the key was looked up, how its chatbot was set to
 * answer and which model answered.
 */
export type Caller = KeyHolder & { settings: Settings; model: CurrentModel | undefined };

/** What a command can tell while it runs. */
export type Hooks<Reply = never> = {
  /** Aborted when nobody waits for the reply any more. */
  signal: AbortSignal;
  /** There where the caller wants the reply in pieces: joined they are the reply's text. */
  emit?: (text: string) => Promise<void>;
  /** There where the reply has to be kept for a repeated request: called in the transaction that writes the rows. */
  recordReply?: (db: Db, reply: Reply) => Promise<void>;
};
