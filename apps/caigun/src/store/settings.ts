import { sql } from "kysely";
import type { ChatbotId } from "./ids.ts";
import type { Db, Quality, Strictness, Writer } from "./schema.ts";

/** How a chatbot is set to answer. */
export type Settings = {
  strictness: Strictness;
  quality: Quality;
  /** What it says where its texts do not hold the answer; null: the built-in sentence. */
  refusal: string | null;
  /** Nothing that people say leaves the machine. */
  stayLocal: boolean;
  /** As it was chosen, whether it can be used or not; null: the server's default. */
  writer: Writer | null;
};

/** Changes what is given and returns all of them; undefined: no such chatbot. */
export async function changeSettings(
  db: Db,
  chatbotId: ChatbotId,
  { stayLocal, ...changes }: { [Name in keyof Settings]?: Settings[Name] | undefined },
): Promise<Settings | undefined> {
  return db
    .updateTable("chatbot")
    .set({ ...changes, stay_local: stayLocal, updated_at: sql`now()` })
    .where("id", "=", chatbotId)
    .where("deleted_at", "is", null)
    .returning(["strictness", "quality", "refusal", "stay_local as stayLocal", "writer"])
    .executeTakeFirst();
}
