import { type AccountId, newId } from "./ids.ts";
import type { Db } from "./schema.ts";

export type Account = { id: AccountId; name: string; createdAt: Date };

const COLUMNS = ["id", "name", "created_at as createdAt"] as const;

export async function createAccount(db: Db, { name }: { name: string }): Promise<Account> {
  const account = await db
    .insertInto("account")
    .values({ id: newId(), name })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return account as Account;
}

/** Newest first. A query of the installation's owner: no single account may call it. */
export async function listAccounts(db: Db): Promise<Account[]> {
  const accounts = await db
    .selectFrom("account")
    .select(COLUMNS)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
  return accounts as Account[];
}

/** The installation's owner: the account that the first start made. */
export async function findFirstAccount(db: Db): Promise<Account | undefined> {
  const account = await db
    .selectFrom("account")
    .select(COLUMNS)
    .orderBy("created_at")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return account as Account | undefined;
}
