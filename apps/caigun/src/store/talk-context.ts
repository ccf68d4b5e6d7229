import type { Pool } from "pg";
import type { KeyHolder } from "./api-keys.ts";
import { CURRENT_MODEL_COLUMNS, CURRENT_MODEL_ID, type CurrentModel } from "./models.ts";
import type { Settings } from "./settings.ts";

export type TalkContext = { holder: KeyHolder; settings: Settings; model: CurrentModel | undefined };

type Row = KeyHolder & Settings & { id: string | null } & Omit<CurrentModel, "id">;

/** Prepared once per connection: every question asks this, and planning it takes longer than running it. */
const STATEMENT = {
  name: "talk_context",
  text: `
    select api_key.id as "keyId", api_key.chatbot_id as "chatbotId", chatbot.account_id as "accountId",
      chatbot.strictness, chatbot.quality, chatbot.refusal, chatbot.stay_local as "stayLocal", chatbot.writer,
      ${CURRENT_MODEL_COLUMNS}
    from api_key
    join chatbot on chatbot.id = api_key.chatbot_id
    left join model on model.id = ${CURRENT_MODEL_ID}
    where api_key.digest = $1 and api_key.revoked_at is null and chatbot.deleted_at is null`,
};

/**
 * Everything that a question needs to know before it is searched, in one round trip: who holds the key with this
 * SHA-256 digest, how its chatbot is set to answer, and which model answers. Undefined: no live key. Says at each call what is true now, so that a
 * revocation and a deletion take effect at once. The query by which a request gets its owner, so it names none.
 */
export async function talkContext(pool: Pool, digest: Buffer): Promise<TalkContext | undefined> {
  const { rows } = await pool.query<Row>({ ...STATEMENT, values: [digest] });
  const row = rows[0];
  if (!row) return undefined;
  const { keyId, chatbotId, accountId, strictness, quality, refusal, stayLocal, writer, id, ...model } = row;
  return {
    holder: { keyId, chatbotId, accountId },
    settings: { strictness, quality, refusal, stayLocal, writer },
    model: id === null ? undefined : { id, ...model },
  };
}
