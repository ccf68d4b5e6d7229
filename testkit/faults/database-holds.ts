import type pg from "pg";
import { eventually } from "./eventually.ts";
import type { Product } from "./product.ts";

/**
 * Where the product can be held up by its own database: before an event is claimed, enters a stage, names its adapter or artifact or ends;
 * before a message is inserted; and at the commit of a training's acceptance or of an exchange.
 */
export type Place =
  | "claim"
  | "enter accepted"
  | "enter store"
  | "name adapter"
  | "name artifact"
  | "enter probe"
  | "enter commit"
  | "end"
  | "commit acceptance"
  | "save exchange"
  | "commit exchange";

export type Hold = {
  /** The database's process that waits, with the product's statement half done. */
  backend: number;
  /** Lets it go on. Does nothing where the database has died meanwhile. */
  release(): Promise<void>;
};

const LOCK_CLASS = 11_873;
const LIMIT_MS = 30_000;

/** Triggers that wait where somebody holds the lock of their place, and cost next to nothing where nobody does. */
export async function installHolds(client: pg.Client): Promise<void> {
  await client.query(`
    create schema if not exists faults;
    create or replace function faults.wait_at(place text) returns void language sql as
      $$ select pg_advisory_xact_lock_shared(${LOCK_CLASS}, hashtext(place)) $$;
    create or replace function faults.on_event_change() returns trigger language plpgsql as $$
      begin
        if new.attempt is distinct from old.attempt then perform faults.wait_at('claim');
        elsif new.ended_at is not null then perform faults.wait_at('end');
        elsif new.adapter_digest is distinct from old.adapter_digest then perform faults.wait_at('name adapter');
        elsif new.artifact_digest is distinct from old.artifact_digest then perform faults.wait_at('name artifact');
        else perform faults.wait_at('enter ' || new.stage);
        end if;
        return new;
      end $$;
    create or replace function faults.on_place() returns trigger language plpgsql as $$
      begin perform faults.wait_at(tg_argv[0]); return new; end $$;
    create or replace trigger fault_change before update on event
      for each row execute function faults.on_event_change();
    create or replace trigger fault_save before insert on message
      for each row execute function faults.on_place('save exchange');
    create constraint trigger fault_commit after insert on event deferrable initially deferred
      for each row execute function faults.on_place('commit acceptance');
    create constraint trigger fault_commit after insert on message deferrable initially deferred
      for each row execute function faults.on_place('commit exchange');`);
}

/** A place where the product will wait. */
export type SetHold = {
  /** Resolves when it does; throws, and lets it go on, where it does not come there. */
  reached(): Promise<Hold>;
};

/** From now on the product waits at this place. */
export async function holdAt(product: Product, place: Place): Promise<SetHold> {
  const client = await product.connect();
  await client.query("select pg_advisory_lock($1, hashtext($2))", [LOCK_CLASS, place]);
  const waiting = `
    select pid from pg_locks where locktype = 'advisory' and not granted and classid = $1
      and objid = (hashtext($2)::bigint & 4294967295)::oid`;
  return setHold(product, client, `the product waits at "${place}"`, waiting, [LOCK_CLASS, place]);
}

/** From now on whoever looks up an API key waits. */
export async function holdKeys(product: Product): Promise<SetHold> {
  const client = await product.connect();
  await client.query("begin");
  await client.query("lock table api_key in access exclusive mode");
  const waiting = `
    select pid from pg_stat_activity
    where application_name = 'caigun' and wait_event_type = 'Lock' and query ilike '%select%api_key%digest%'`;
  return setHold(product, client, "the product waits for a key's holder", waiting, []);
}

function setHold(product: Product, holder: pg.Client, what: string, waiting: string, values: unknown[]): SetHold {
  const release = () => holder.end().catch(() => {});
  return {
    async reached() {
      try {
        // Through another connection: within a transaction PostgreSQL shows its activity as it was at the first look.
        const backend = await product.withDatabase((client) =>
          eventually(what, LIMIT_MS, async () => (await client.query<{ pid: number }>(waiting, values)).rows[0]?.pid),
        );
        return { backend, release };
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}
