import { call } from "./api.ts";
import { apiOf } from "./installation.ts";
import { print, table } from "./printing.ts";

type Options = { json?: boolean; apiKey?: string };

export async function listUnanswered({ json, apiKey }: Options): Promise<void> {
  const reply = await call(await apiOf(apiKey), "listUnanswered");
  print(json, reply, () =>
    reply.unanswered.length === 0
      ? ["Nothing: every question was answered."]
      : table([
          ["id", "asked", "last", "question", "closest in the text"],
          ...reply.unanswered.map(({ id, count, last_asked_at, question, closest }) => [
            id,
            String(count),
            last_asked_at,
            question,
            closest[0]?.quote ?? "",
          ]),
        ]),
  );
}

export async function answerUnanswered(id: string, text: string, { json, apiKey }: Options): Promise<void> {
  const reply = await call(await apiOf(apiKey), "answerUnanswered", { params: { id }, body: { text } });
  print(json, reply, () => ["Stored. The chatbot answers with it after the next training."]);
}

export async function dropUnanswered(id: string, { json, apiKey }: Options): Promise<void> {
  const reply = await call(await apiOf(apiKey), "dropUnanswered", { params: { id } });
  print(json, reply, () => ["It is off the list."]);
}
