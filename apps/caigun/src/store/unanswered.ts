import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { Page } from "./conversations.ts";
import { type ChatbotId, newId, uuidOrNil } from "./ids.ts";
import type { Db, StoredCitation } from "./schema.ts";
import { insertTrainingData, type NewTrainingData, TRAINING_DATA_COLUMNS, type TrainingData } from "./training-data.ts";

export type Unanswered = {
  id: string;
  /** The ways in which it was asked, the latest first. */
  wordings: string[];
  count: number;
  lastAskedAt: Date;
  /** What was closest to an answer when it was last asked, as far as it is not deleted. */
  closest: StoredCitation[];
};

export type AskedInVain = {
  question: string;
  /** What it is about, each once: questions that share most of them are one group. At least one. */
  terms: readonly string[];
  /** Its numbers and negations: questions that differ in one of them are never one group. */
  distinctions?: readonly string[];
  closest: readonly StoredCitation[];
  /** The model that could not answer it. */
  modelId: string;
  at: Date;
};

/** The share of all terms that two questions have in common (Jaccard) from which they count as one. */
const ALIKE = 0.7;
/** Before a distinction among the stored terms; no word begins with it. */
const DISTINCTION = "=";
const MOST_OPEN_GROUPS = 1_000;
const MOST_WORDINGS = 10;

/**
 * Notes a question that was not answered, in one statement: counts it with the group that is most like it, or begins one
 * and drops the open one asked least recently where there are more than MOST_OPEN_GROUPS. A group that has been answered
 * is open again where the model that could not answer was trained after that. With a dropped group its correction ends for
 * later trainings: nobody could change it any more.
 */
export async function noteUnanswered(db: Db, chatbotId: ChatbotId, asked: AskedInVain): Promise<void> {
  const { question, terms, distinctions = [], closest, modelId, at } = asked;
  const apart = distinctions.map((distinction) => DISTINCTION + distinction);
  const stored = [...terms, ...apart];
  const digest = createHash("sha256").update(stored.toSorted().join("\n")).digest();
  const again = sql`
    wordings = (array[${question}]::text[] || array_remove(unanswered.wordings, ${question}))[1:${sql.lit(MOST_WORDINGS)}],
    count = unanswered.count + 1, closest = ${JSON.stringify(closest)}::json,
    last_asked_at = greatest(unanswered.last_asked_at, ${at}::timestamptz),
    answered_at = case when unanswered.answered_at < (
      select created_at from model where chatbot_id = ${chatbotId} and id = ${modelId}
    ) then null else unanswered.answered_at end`;
  await sql`
    with candidate as (
      select id, last_asked_at, cardinality(terms) - ${apart.length}::int as size,
        (select count(*) from unnest(terms) as term where term = any(${terms}::text[])) as shared
      from unanswered where chatbot_id = ${chatbotId} and terms && ${terms}::text[] and terms @> ${apart}::text[]
        and (select count(*) from unnest(terms) as term where starts_with(term, ${sql.lit(DISTINCTION)})) = ${apart.length}::int
    ), alike as (
      select id from candidate where shared >= ${sql.lit(ALIKE)} * (size + ${terms.length}::int - shared)
      order by shared::float / (size + ${terms.length}::int - shared) desc, last_asked_at desc, id limit 1
    ), counted as (
      update unanswered set ${again} where chatbot_id = ${chatbotId} and id = (select id from alike)
    ), begun as (
      insert into unanswered (id, chatbot_id, wordings, terms, terms_digest, closest, last_asked_at)
      select ${newId()}::uuid, ${chatbotId}::uuid, array[${question}]::text[], ${stored}::text[], ${digest}::bytea,
        ${JSON.stringify(closest)}::json, ${at}::timestamptz
      where not exists (select from alike)
      on conflict (chatbot_id, terms_digest) do update set ${again}
      returning id
    ), dropped as (
      delete from unanswered where exists (select from begun) and answered_at is null and id in (
        select id from unanswered where chatbot_id = ${chatbotId} and answered_at is null
        order by last_asked_at desc, id desc offset ${sql.lit(MOST_OPEN_GROUPS - 1)}
      ) returning id
    )
    ${endCorrections(chatbotId)}`.execute(db);
}

/** Ends the corrections of the groups that are `dropped` in the same statement. */
const endCorrections = (chatbotId: ChatbotId) => sql`
  update training_data set replaced_at = now()
  where chatbot_id = ${chatbotId} and corrects in (select id from dropped) and replaced_at is null`;

/** The open groups, those asked most often first, then those asked last. */
export async function listUnanswered(db: Db, chatbotId: ChatbotId, { offset, limit }: Page): Promise<Unanswered[]> {
  const groups = await db
    .selectFrom("unanswered")
    .select(["id", "wordings", "count", "last_asked_at as lastAskedAt", "closest"])
    .where("chatbot_id", "=", chatbotId)
    .where("answered_at", "is", null)
    .orderBy("count", "desc")
    .orderBy("last_asked_at", "desc")
    .orderBy("id", "desc")
    .offset(offset)
    .limit(limit)
    .execute();
  const cited = [...new Set(groups.flatMap(({ closest }) => closest.map((citation) => citation.training_data_id)))];
  if (cited.length === 0) return groups;
  const found = await db
    .selectFrom("training_data")
    .select("id")
    .where("chatbot_id", "=", chatbotId)
    .where("id", "in", cited.map(uuidOrNil))
    .where("deleted_at", "is", null)
    .execute();
  const live = new Set(found.map(({ id }) => id));
  return groups.map((group) => ({ ...group, closest: group.closest.filter((at) => live.has(at.training_data_id)) }));
}

/**
 * The ways in which a group's question was asked, the latest first; of a group that has been answered too. None is added
 * until the transaction ends in which this is called.
 */
export async function findWordings(db: Db, chatbotId: ChatbotId, id: string): Promise<string[] | undefined> {
  const group = await db
    .selectFrom("unanswered")
    .select("wordings")
    .where("chatbot_id", "=", chatbotId)
    .where("id", "=", uuidOrNil(id))
    .forUpdate()
    .executeTakeFirst();
  return group?.wordings;
}

/**
 * Answers a group with a correction, which takes the place of an earlier one; the group leaves the list. Call it in a
 * transaction. False: the chatbot has no such group.
 */
export async function answerUnanswered(
  trx: Db,
  chatbotId: ChatbotId,
  id: string,
  correction: NewTrainingData,
): Promise<boolean> {
  const groupId = uuidOrNil(id);
  const answered = await trx
    .updateTable("unanswered")
    .set({ answered_at: sql`now()` })
    .where("chatbot_id", "=", chatbotId)
    .where("id", "=", groupId)
    .executeTakeFirst();
  if (answered.numUpdatedRows === 0n) return false;
  await trx
    .updateTable("training_data")
    .set({ replaced_at: sql`now()` })
    .where("chatbot_id", "=", chatbotId)
    .where("corrects", "=", groupId)
    .where("replaced_at", "is", null)
    .execute();
  await insertTrainingData(trx, chatbotId, { ...correction, corrects: groupId });
  return true;
}

/** Takes an open group off the list, and ends its correction for later trainings. False: the list holds no such group. */
export async function dropUnanswered(db: Db, chatbotId: ChatbotId, id: string): Promise<boolean> {
  const { rows } = await sql`
    with dropped as (
      delete from unanswered where chatbot_id = ${chatbotId} and id = ${uuidOrNil(id)} and answered_at is null returning id
    ), ended as (${endCorrections(chatbotId)})
    select id from dropped`.execute(db);
  return rows.length > 0;
}

/** The corrections that every training holds beside its own text, the first written first. */
export async function listCorrections(db: Db, chatbotId: ChatbotId): Promise<TrainingData[]> {
  return db
    .selectFrom("training_data")
    .select(TRAINING_DATA_COLUMNS)
    .where("chatbot_id", "=", chatbotId)
    .where("corrects", "is not", null)
    .where("replaced_at", "is", null)
    .where("deleted_at", "is", null)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}
