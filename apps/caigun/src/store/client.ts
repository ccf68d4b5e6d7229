import pg from "pg";
import { fromStoredText, toStoredText } from "./stored-text.ts";

const OID = { int8: 20, text: 25, textArray: 1009, varchar: 1043 } as const;

const textArray = pg.types.getTypeParser(OID.textArray as number, "text") as (array: string) => string[];

/**
 * How PostgreSQL's values become JavaScript's, where pg's own choice does not fit: text is unescaped (see
 * stored-text.ts), and bigint, which holds counts and sizes here, is a number.
 */
const types = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    if (format !== "binary") {
      if (oid === OID.text || oid === OID.varchar) return fromStoredText;
      if (oid === OID.textArray) return (array: string) => textArray(array).map(fromStoredText);
      if (oid === OID.int8) return Number;
    }
    return pg.types.getTypeParser(oid, format as "text");
  },
} as pg.CustomTypesConfig;

function storable(value: unknown): unknown {
  if (typeof value === "string") return toStoredText(value);
  return Array.isArray(value) ? value.map(storable) : value;
}

/** Statements kept prepared by a connection; those built for lists of many lengths must not fill its memory. */
const MOST_PREPARED = 500;

/** A pg client through which every string comes back as it was given, whatever it holds. */
export class StoreClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, types });
    // A connection that breaks fails its queries, and the pool reports the idle ones. But a client lent to a transaction
    // has no listener while it runs no query, and Node ends a process over an error event that nobody listens to.
    this.on("error", () => {});
  }

  #prepared = new Map<string, string>();

  // pg.Client.query has a dozen overloads; this passes every one of them on, with its parameters made storable.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads are the base class's business.
  override query(config: any, values?: any, callback?: any): any {
    if (Array.isArray(config?.values)) config = { ...config, values: config.values.map(storable) };
    if (Array.isArray(values) && values.length > 0) {
      const name = typeof config === "string" ? this.#nameOf(config) : undefined;
      if (name === undefined) return super.query(config, values.map(storable), callback);
      return super.query({ name, text: config, values: values.map(storable) }, callback);
    }
    return super.query(config, values, callback);
  }

  /** Statements are prepared under names, once per connection: planning most of them takes longer than running them. */
  #nameOf(text: string): string | undefined {
    let name = this.#prepared.get(text);
    if (name === undefined && this.#prepared.size < MOST_PREPARED) {
      name = `s${this.#prepared.size}`;
      this.#prepared.set(text, name);
    }
    return name;
  }
}
