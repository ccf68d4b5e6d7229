import { call } from "./api.ts";
import { apiOf } from "./installation.ts";
import { print, table } from "./printing.ts";

export async function models({ json, apiKey }: { json?: boolean; apiKey?: string }): Promise<void> {
  const reply = await call(await apiOf(apiKey), "listModels");
  print(json, reply, () =>
    reply.models.length === 0
      ? ["No model yet: `npx caigun train FILE --title TITLE --wait` trains one."]
      : table([
          ["id", "title", "status", "created", "engine", "answers"],
          ...reply.models.map(({ id, title, status, stage, progress, created_at, engine, failure, is_current }) => [
            id,
            title,
            status === "training" ? `${stage} ${Math.floor(progress * 100)} %` : status,
            created_at,
            failure ? failure.cause : (engine ?? ""),
            is_current ? "yes" : "",
          ]),
        ]),
  );
}
