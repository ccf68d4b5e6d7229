import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Reply } from "@caigun/contract";
import { environmentOf, type RunningCaigun, runCommand, startCaigun, trained } from "../testkit/caigun.ts";
import { type Outcome, outcomeOf } from "./outcomes.ts";
import type { ModelPlan } from "./parts.ts";

/** Trainings at a time: a core each, and two at least, since each waits for the disk now and then. */
const TRAININGS = Math.max(2, availableParallelism());
/** Models at a time: while some train, others are asked. */
const MODELS = 2 * TRAININGS;
/** Questions under way at a time for each chatbot. */
const ASKED_AT_ONCE = 4;
/** The server's last lines that an error shows. */
const LOG_LINES = 10;

/** What the evaluation sets itself, and what would lead its server to another one's data. */
const NOT_INHERITED =
  /^(CAIGUN_(HOME|BLOBS|PUBLIC_URL|ENCRYPTION_KEY|RATE_LIMIT_PER_MINUTE|API_KEY)|DATABASE_URL|HOST|PORT)$/;

/** The server refused, or a training failed; the message says what happened. */
export class AskingFailed extends Error {
  override name = "AskingFailed";
}

export interface Asked {
  outcomes: Outcome[];
  /** How the models' passages were searched: "lexical", "hybrid", or both where models differ. */
  retrieval: string;
}

export interface AskingOptions {
  /** Where the server keeps its data. */
  home: string;
  /** The learned weights that it answers with. */
  weights: string;
  chatbots: Chatbots;
  signal: AbortSignal;
  /** Called for each model that is ready and each question that is answered. */
  tick: () => void;
}

/**
 * The chatbots of a home. A chatbot answers with one model at a time: those whose models are asked again by another
 * server of this home, with other weights, keep theirs.
 */
export class Chatbots {
  readonly #textsAskedAgain: ReadonlySet<string>;
  readonly #keyOfText = new Map<string, string>();
  readonly #free: string[] = [];

  /** The texts are named by their digests. */
  constructor(textsAskedAgain: ReadonlySet<string>) {
    this.#textsAskedAgain = textsAskedAgain;
  }

  /** The key of the chatbot whose model was made of this text. */
  ofText(sha256: string): string | undefined {
    return this.#keyOfText.get(sha256);
  }

  /** A key for a text that has no model yet. */
  async take(home: string): Promise<string> {
    const free = this.#free.pop();
    if (free) return free;
    const { exitCode, stdout } = await runCommand(home, ["chatbot", "create", "Evaluation", "--json"]);
    const made = JSON.parse(stdout) as { api_key: string; error?: string };
    if (exitCode !== 0) throw new Error(`No chatbot could be made: ${made.error}`);
    return made.api_key;
  }

  /** After the text's model was asked. */
  giveBack(apiKey: string, sha256: string): void {
    if (this.#textsAskedAgain.has(sha256)) this.#keyOfText.set(sha256, apiKey);
    else this.#free.push(apiKey);
  }
}

/**
 * Trains the models on a server of its own, unless an earlier server of the same home has, and asks each its questions
 * over HTTP. Throws AskingFailed.
 */
export async function askModels(
  plans: readonly ModelPlan[],
  { home, weights, chatbots, signal, tick }: AskingOptions,
): Promise<Asked> {
  const caigun = await startCaigun({
    home,
    env: {
      CAIGUN_EMBEDDER: "all-minilm-l6-v2-int8",
      // Fetched once, and not for each home.
      CAIGUN_WEIGHTS: fileURLToPath(new URL("../.caigun/weights", import.meta.url)),
      ...environmentOf((name) => !NOT_INHERITED.test(name)),
      CAIGUN_LOG_LEVEL: "warn",
      CAIGUN_TRAININGS: String(TRAININGS),
      CAIGUN_READING_WEIGHTS: weights,
    },
  });
  try {
    const outcomes: Outcome[] = [];
    const retrievals = new Set<string>();
    // The largest first, so that none is left to run alone at the end.
    const waiting = plans.toSorted((a, b) => effort(b) - effort(a)).values();
    await Promise.all(
      Array.from({ length: MODELS }, async () => {
        for (const plan of waiting) {
          signal.throwIfAborted();
          const { text, sha256 } = plan.text;
          const known = chatbots.ofText(sha256);
          const apiKey = known ?? (await chatbots.take(home));
          if (!known) {
            const { retrieval } = await train(caigun, apiKey, text);
            if (retrieval) retrievals.add(retrieval);
            tick();
          }
          outcomes.push(...(await ask(caigun, apiKey, plan, { signal, tick })));
          chatbots.giveBack(apiKey, sha256);
        }
      }),
    );
    return { outcomes, retrieval: [...retrievals].sort().join(" and ") };
  } catch (error) {
    signal.throwIfAborted();
    const lines = caigun.log.slice(-LOG_LINES).join("\n");
    const message = error instanceof Error ? error.message : String(error);
    throw new AskingFailed(lines ? `${message}\nThe server's log ends with:\n${lines}` : message, { cause: error });
  } finally {
    await caigun.stop();
  }
}

const effort = ({ text, askings }: ModelPlan) => text.text.length + 1_000 * askings.length;

async function train(caigun: RunningCaigun, apiKey: string, text: string): Promise<Reply<"getModel">> {
  const response = await caigun.call("/api/external/chatbot/train", {
    method: "POST",
    apiKey,
    json: { title: "Evaluation", text },
  });
  if (response.status !== 200) throw new Error(`The training was refused: ${await response.text()}`);
  const model = await trained(caigun, (await response.json()) as { id: string; event_id: string }, apiKey);
  if (model.status !== "ready") {
    const { cause = "", fix = "" } = (model.failure ?? {}) as { cause?: string; fix?: string };
    throw new Error(`A training ended as ${model.status}. ${cause} ${fix}`.trimEnd());
  }
  return model as unknown as Reply<"getModel">;
}

async function ask(
  caigun: RunningCaigun,
  apiKey: string,
  { text, askings }: ModelPlan,
  { signal, tick }: { signal: AbortSignal; tick: () => void },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = askings.entries();
  await Promise.all(
    Array.from({ length: ASKED_AT_ONCE }, async () => {
      for (const [at, asking] of waiting) {
        signal.throwIfAborted();
        // Each question is a conversation of its own: nothing said before may help or mislead.
        const response = await caigun.call("/api/external/chatbot/conversation?explain=true", {
          method: "POST",
          apiKey,
          headers: { uid: randomUUID() },
          json: { text: asking.said },
        });
        if (response.status !== 200)
          throw new Error(`The question "${asking.said}" got status ${response.status}: ${await response.text()}`);
        outcomes[at] = outcomeOf(asking, text, (await response.json()) as Reply<"converse">);
        tick();
      }
    }),
  );
  return outcomes;
}
