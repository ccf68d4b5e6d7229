import { type FieldProblem, formNulls, Problem, type Route } from "@caigun/contract";
import type { TObject, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { parseMoment } from "./moments.ts";

/** The parts of a request in the order in which they are checked. A form's fields, like those of path, query and headers, are texts. */
export interface RawRequest {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: { readonly from: "json" | "form"; readonly value: unknown } | undefined;
}

const WORD = /[\p{L}\p{N}]/u;

type PartName = "params" | "query" | "headers" | "body";

/** The facts about one field that reading it needs, drawn from its schema once. */
interface Field {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "other";
  readonly nullable: boolean;
  readonly moment: "start" | "end" | undefined;
  /** Whether it must hold a word or a number. */
  readonly worded: boolean;
  readonly default: unknown;
}

interface Part {
  readonly name: PartName;
  readonly fields: readonly Field[];
  readonly errors: (value: unknown) => FieldProblem[];
}

export type ReadInput = (raw: RawRequest) => Record<string, unknown>;

/**
 * Makes the reader of a route's requests: it picks the fields that the schemas name, turns texts into what the schema
 * wants where they did not come as JSON, fills in defaults, validates, and gives one object for the command. Fields that
 * no schema names are ignored. Throws `validation_failed`, `invalid_characters`, or the route's `unknownId`.
 */
export function inputReader(route: Route): ReadInput {
  const parts = (["params", "query", "headers", "body"] as const).flatMap((name) => {
    const schema = route[name];
    return schema ? [compilePart(name, schema)] : [];
  });
  return (raw) => {
    const input: Record<string, unknown> = {};
    const errors: FieldProblem[] = [];
    for (const part of parts) {
      const found = readPart(part, raw, input);
      if (found.length > 0 && part.name === "params") throw new Problem(route.unknownId ?? "not_found");
      errors.push(...found);
    }
    if (errors.length > 0) throw validationFailed(errors);
    return input;
  };
}

function readPart(part: Part, raw: RawRequest, input: Record<string, unknown>): FieldProblem[] {
  const source = part.name === "body" ? raw.body?.value : raw[part.name];
  if (part.name === "body" && !isRecord(source)) {
    const msg = raw.body === undefined ? "is missing: send a JSON object or a form" : "must be a JSON object";
    return [{ loc: ["body"], msg, type: raw.body === undefined ? "required" : "type" }];
  }
  const values = pick(part, source as Record<string, unknown>, part.name !== "body" || raw.body?.from === "form");
  const errors = part.errors(values);
  // What cannot be an id is unknown, whatever else is wrong with it.
  if (part.name === "params" && errors.length > 0) return errors;
  for (const field of part.fields) {
    const value = values[field.name];
    if (typeof value !== "string") continue;
    if (!value.isWellFormed() || value.includes("\0")) {
      throw new Problem("invalid_characters", undefined, {
        errors: [
          { loc: [part.name, field.name], msg: "must hold no NUL and no unpaired surrogate", type: "characters" },
        ],
      });
    }
    const isRefused = errors.some(({ loc }) => loc[1] === field.name);
    if (field.worded && !isRefused && !WORD.test(value.normalize("NFKC"))) {
      errors.push({
        loc: [part.name, field.name],
        msg: "must hold a word or a number, and not signs alone",
        type: "words",
      });
    }
    if (!field.moment) continue;
    const moment = parseMoment(value, field.moment);
    if (moment) values[field.name] = moment;
    else
      errors.push({
        loc: [part.name, field.name],
        msg: "must be a date or a time, such as 2023-11-06",
        type: "format",
      });
  }
  Object.assign(input, values);
  return errors;
}

function pick(part: Part, source: Record<string, unknown>, fromTexts: boolean): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of part.fields) {
    let value = Object.hasOwn(source, field.name) ? source[field.name] : undefined;
    if (fromTexts) value = fromText(field, Array.isArray(value) ? value.at(-1) : value);
    if (part.name === "headers" && typeof value === "string") value = headerText(value);
    if (value === undefined) value = field.default;
    if (value !== undefined) values[field.name] = value;
  }
  return values;
}

/** What the text of a form field, a query or a path means to a field; left as it is where it means nothing, for the schema to refuse. */
export function fromText(field: Pick<Field, "type" | "nullable" | "moment">, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const bare = value.trim();
  if (field.nullable && (formNulls as readonly string[]).includes(bare)) return null;
  if (field.type === "string" && !field.moment) return value;
  // Clients send what they have no value for as an empty text.
  if (bare === "") return undefined;
  if (field.type === "boolean") {
    if (/^(true|1|yes|on)$/i.test(bare)) return true;
    if (/^(false|0|no|off)$/i.test(bare)) return false;
  }
  if (field.type === "integer" && /^[+-]?\d{1,15}$/.test(bare)) return Number(bare);
  if (field.type === "number" && /^[+-]?(\d{1,15}(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(bare)) return Number(bare);
  return value;
}

/** Node hands headers over as Latin-1; clients that send other characters send UTF-8. */
function headerText(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what it looks for.
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  const text = Buffer.from(value, "latin1").toString("utf8");
  return text.includes("\ufffd") ? value : text;
}

function compilePart(name: PartName, schema: TObject): Part {
  const validator = Compile(schema);
  return {
    name,
    fields: Object.entries(schema.properties).map(([field, property]) => describe(field, property)),
    errors: (value) => (validator.Check(value) ? [] : fieldProblems(name, schema, validator.Errors(value))),
  };
}

function describe(name: string, property: TSchema): Field {
  const schema = property as Record<string, unknown>;
  const branches = Array.isArray(schema.anyOf) ? (schema.anyOf as Record<string, unknown>[]) : [schema];
  const first = branches.find((branch) => branch.type !== "null") ?? schema;
  const type = first.type ?? (Array.isArray(first.enum) ? "string" : "other");
  return {
    name,
    type: type === "string" || type === "integer" || type === "number" || type === "boolean" ? type : "other",
    nullable: branches.some((branch) => branch.type === "null"),
    moment: schema["x-moment"] === "start" || schema["x-moment"] === "end" ? schema["x-moment"] : undefined,
    worded: schema["x-words"] === true,
    default: schema.default,
  };
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: unknown;
  readonly message: string;
}

/** One problem a field, in the caller's words: never the value itself, which may be a person's text. */
function fieldProblems(part: PartName, schema: TObject, errors: readonly SchemaError[]): FieldProblem[] {
  const problems = new Map<string, FieldProblem>();
  const add = (path: readonly string[], msg: string, type: string) => {
    const loc = [part, ...path];
    const place = loc.join("/");
    if (!problems.has(place)) problems.set(place, { loc, msg, type });
  };
  for (const { keyword, instancePath, params, message } of errors) {
    const path = instancePath.split("/").slice(1);
    if (keyword === "required") {
      for (const name of (params as { requiredProperties: string[] }).requiredProperties)
        add([...path, name], "is missing", keyword);
    } else if (keyword === "enum") {
      const property =
        path[0] === undefined ? undefined : (schema.properties[path[0]] as { enum?: unknown[] } | undefined);
      add(
        path,
        property?.enum ? `must be one of ${property.enum.map((name) => JSON.stringify(name)).join(", ")}` : message,
        keyword,
      );
    } else if (keyword === "minLength") {
      // Schemas ask for one character and no more: what is refused is an empty text.
      add(path, "must not be empty", keyword);
    } else if (keyword === "pattern") {
      add(path, "must hold more than white space", keyword);
    } else {
      add(path, message, keyword);
    }
  }
  return [...problems.values()];
}

function validationFailed(errors: readonly FieldProblem[]): Problem {
  const named = errors.slice(0, 3).map(({ loc, msg }) => `${loc.slice(1).join(".") || loc[0]} ${msg}`);
  const rest = errors.length > named.length ? `, and ${errors.length - named.length} more` : "";
  return new Problem("validation_failed", `Correct the request: ${named.join("; ")}${rest}.`, { errors });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
