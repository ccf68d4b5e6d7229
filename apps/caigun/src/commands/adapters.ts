import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { type AdapterFacts, type Input, Problem } from "@caigun/contract";
import { ChildEnded, ChildRefused, ChildTimedOut } from "../children/child.ts";
import { BaseMissing, repositoryOf } from "../engines/base-model.ts";
import { openedFile, TooManyExports, type Wanted } from "../engines/lora/exporting.ts";
import type { Model } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";
import { liveModel } from "./models.ts";

type Format = Input<"exportAdapter">["format"];

/** A file to be sent: `body` is read once, or destroyed. */
export type AdapterFile = { fileName: string; mediaType: string; bytes: number; body: Readable };

const forms: Readonly<Record<Format, { ending: string; mediaType: string }>> = {
  peft: { ending: "-peft.zip", mediaType: "application/zip" },
  gguf: { ending: "-adapter.gguf", mediaType: "application/octet-stream" },
  "merged-gguf": { ending: "-merged.gguf", mediaType: "application/octet-stream" },
};

/** What a model learned, as a file for other programs. */
export async function exportAdapter(
  house: House,
  caller: Caller,
  { id, format }: Input<"exportAdapter">,
  { signal }: Pick<Hooks, "signal">,
): Promise<AdapterFile> {
  const model = await liveModel(house, caller, id);
  if (model.engine !== "lora") throw new Problem("no_adapter");
  if (model.state !== "ready" || !model.adapterDigest)
    throw new Problem("model_not_ready", "This model is not ready, so it has no adapter. Wait until it is `ready`.");
  const { ending, mediaType } = forms[format];
  const adapter = await house.blobs.checkedFile(model.adapterDigest);
  const facts = model.adapter as AdapterFacts;
  const opened =
    format === "gguf"
      ? await openedFile(await open(adapter))
      : await house.exporting
          .make(
            { format, adapter, baseDigest: facts.base_digest, facts: cardFacts(model, facts) },
            caller.chatbotId,
            signal,
          )
          .catch(explain);
  return { ...opened, fileName: `${safeName(model.title)}${ending}`, mediaType };
}

/** What the adapter's card tells. */
function cardFacts({ title, base }: Model, facts: AdapterFacts): Wanted["facts"] {
  const nats = (loss: number | null) => loss?.toFixed(4) ?? "nothing was held out";
  return {
    title,
    base: {
      name: repositoryOf(base ?? "unknown"),
      licence: facts.base_licence ?? "unknown",
      quantisation: facts.base_quantisation,
      ...(facts.base_because !== null && { because: facts.base_because }),
    },
    dataDigest: facts.data_digest,
    settings: {
      ...Object.fromEntries(Object.entries(facts.settings).map(([name, value]) => [name.replaceAll("_", " "), value])),
      "tokens of the text": facts.tokens,
      "steps kept": facts.steps,
      "held-out loss before": nats(facts.held_out_loss_before),
      "held-out loss": nats(facts.held_out_loss),
    },
    curve: facts.curve.map(({ step, loss, held_out_loss }) => ({
      step,
      ...(loss !== null && { loss }),
      ...(held_out_loss !== null && { heldOutLoss: held_out_loss }),
    })),
  };
}

/** Throws what the caller is told where a file could not be made. */
function explain(error: unknown): never {
  if (error instanceof BaseMissing) throw new Problem("base_missing", error.message, { retryAfterSeconds: 60 });
  if (error instanceof TooManyExports)
    throw new Problem("overloaded", "Several adapters are being sent already. Try again in a moment.", {
      retryAfterSeconds: 10,
    });
  if (error instanceof ChildRefused && error.refusal.code === "ENOSPC")
    throw new Problem("unavailable", "The server's disk is full. Free some space, then try again.", { cause: error });
  if (error instanceof ChildEnded || error instanceof ChildTimedOut)
    throw new Problem("unavailable", "The server could not make the file: it may be short of memory. Try again.", {
      cause: error,
    });
  throw error;
}

/** A person's title as the name of a file. */
function safeName(title: string): string {
  const name = title
    .replace(/[\p{C}\\/:*?"<>|]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^\.+/, "");
  return [...name].slice(0, 80).join("").trim() || "model";
}
