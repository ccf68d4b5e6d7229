import assert from "node:assert/strict";

const forms = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  sha256: /^[0-9a-f]{64}$/,
} as const;

type Simple = "string" | "number" | "boolean" | "object" | keyof typeof forms;
/** What a value looks like: a type, `T|null`, one of the values in a list of texts, an object's fields, or a list of one shape. */
export type Shape = Simple | `${Simple}|null` | { oneOf: readonly string[] } | { list: Shape } | { fields: Fields };
export type Fields = { readonly [name: string]: Shape };

/** Fails unless the value has the shape; fields beside the named ones may stand there. */
export function assertShape(value: unknown, shape: Shape, path = "reply"): void {
  if (typeof shape === "string") {
    assertSimple(value, shape, path);
  } else if ("oneOf" in shape) {
    assert(shape.oneOf.includes(value as string), `${path} is ${JSON.stringify(value)}, not one of ${shape.oneOf}`);
  } else if ("list" in shape) {
    assert(Array.isArray(value), `${path} is a list`);
    for (const [place, item] of value.entries()) assertShape(item, shape.list, `${path}[${place}]`);
  } else {
    assert(typeof value === "object" && value !== null, `${path} is an object`);
    for (const [name, field] of Object.entries(shape.fields)) {
      assert(Object.hasOwn(value, name), `${path} has the field ${name}`);
      assertShape((value as Record<string, unknown>)[name], field, `${path}.${name}`);
    }
  }
}

function assertSimple(value: unknown, type: Simple | `${Simple}|null`, path: string): void {
  const [simple, orNull] = type.split("|") as [Simple, string | undefined];
  if (orNull && value === null) return;
  assert.notEqual(value, null, `${path} is not null`);
  if (simple in forms) assert.match(value as string, forms[simple as keyof typeof forms], path);
  else assert.equal(typeof value, simple, path);
}
