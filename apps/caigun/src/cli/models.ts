import type { SelfCheck } from "@caigun/contract";
import { call } from "./api.ts";
import { apiOf } from "./installation.ts";
import { print, table } from "./printing.ts";
import { answeredShare, refusedShare } from "./self-checks.ts";

export async function models({ json, apiKey }: { json?: boolean; apiKey?: string }): Promise<void> {
  const reply = await call(await apiOf(apiKey), "listModels");
  print(json, reply, () =>
    reply.models.length === 0
      ? ["No model yet: `npx caigun train FILE --title TITLE --wait` trains one."]
      : table([
          ["id", "title", "status", "created", "engine", "answers", "own questions answered, others refused"],
          ...reply.models.map(
            ({ id, title, status, stage, progress, created_at, engine, failure, is_current, evaluation }) => [
              id,
              title,
              status === "training" ? `${stage} ${Math.floor(progress * 100)} %` : status,
              created_at,
              failure ? failure.cause : (engine ?? ""),
              is_current ? "yes" : "",
              shares(evaluation?.self_check),
            ],
          ),
        ]),
  );
}

const shares = (check: SelfCheck | undefined) => (check ? `${answeredShare(check)}, ${refusedShare(check)}` : "");
