import type { AdapterFacts, SelfCheck } from "@caigun/contract";
import { readConfig } from "../config.ts";
import { readAnnouncement } from "../home/index.ts";
import { call } from "./api.ts";
import { baseFinding } from "./base-finding.ts";
import { hint } from "./hints.ts";
import { apiOf } from "./installation.ts";
import { inThisProgram, print, table } from "./printing.ts";
import { answeredShare, refusedShare } from "./self-checks.ts";

export async function models({ json, apiKey }: { json?: boolean; apiKey?: string }): Promise<void> {
  const reply = await call(await apiOf(apiKey), "listModels");
  const config = readConfig();
  const gpt2 = await baseFinding(config, (await readAnnouncement(config.home))?.weights);
  print(json, { ...reply, gpt2 }, () => [
    ...(reply.models.length === 0
      ? [`No model yet: ${hint("train FILE --title TITLE --wait", apiKey)} trains one.`]
      : table([
          [
            "id",
            "title",
            "status",
            "created",
            "engine",
            "answers",
            "own questions answered, others refused",
            "learned on, held-out loss",
          ],
          ...reply.models.map(
            ({ id, title, status, stage, progress, created_at, engine, is_current, evaluation, base, adapter }) => [
              id,
              title,
              status === "training" ? `${stage} ${Math.floor(progress * 100)} %` : status,
              created_at,
              engine ?? "",
              is_current ? "yes" : "",
              shares(evaluation?.self_check),
              adapter ? `${base}, ${losses(adapter)}` : "",
            ],
          ),
        ])),
    ...reply.models.flatMap(({ id, failure }) =>
      failure ? ["", `${id} failed: ${failure.cause}`, inThisProgram(failure.fix)] : [],
    ),
    "",
    `${gpt2.found}.`,
    ...(gpt2.todo ? [gpt2.todo] : []),
  ]);
}

const shares = (check: SelfCheck | undefined) => (check ? `${answeredShare(check)}, ${refusedShare(check)}` : "");

/** The loss of what was held out, before and after, in nats a token. */
export function losses({ held_out_loss_before: before, held_out_loss: after }: AdapterFacts): string {
  return before === null || after === null ? "none held out" : `${before.toFixed(2)} to ${after.toFixed(2)}`;
}
