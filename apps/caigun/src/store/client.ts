import pg from "pg";
import { fromStoredText, toStoredText } from "./stored-text.ts";

const OID = { int8: 20, text: 25, varchar: 1043 } as const;

/**
 * How PostgreSQL's values become JavaScript's, where pg's own choice does not fit: text is unescaped (see
 * stored-text.ts), and bigint, which holds counts and sizes here, is a number.
 */
const types = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    if (format !== "binary") {
      if (oid === OID.text || oid === OID.varchar) return fromStoredText;
      if (oid === OID.int8) return Number;
    }
    return pg.types.getTypeParser(oid, format as "text");
  },
} as pg.CustomTypesConfig;

function storable(value: unknown): unknown {
  if (typeof value === "string") return toStoredText(value);
  return Array.isArray(value) ? value.map(storable) : value;
}

/** A pg client through which every string comes back as it was given, whatever it holds. */
export class StoreClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, types });
    // A connection that breaks fails its queries, and the pool reports the idle ones. But a client lent to a transaction
    // has no listener while it runs no query, and Node ends a process over an error event that nobody listens to.
    this.on("error", () => {});
  }

  // pg.Client.query has a dozen overloads; this passes every one of them on, with its parameters made storable.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads are the base class's business.
  override query(config: any, values?: any, callback?: any): any {
    if (Array.isArray(config?.values)) config = { ...config, values: config.values.map(storable) };
    return super.query(config, Array.isArray(values) ? values.map(storable) : values, callback);
  }
}
