import { BaseRefused } from "../base/problems.ts";
import { shown } from "../base/stored-tensors.ts";

/** As many as a model may have rows in its embedding (base/architecture.ts). */
const MOST_TOKENS = 1_000_000;

type Json = Readonly<Record<string, unknown>>;

/**
 * A tokenizer.json whose model says what it is, as early ones such as GPT-2's don't. What the library takes on trust is
 * looked at: with an id of billions it would fill as many places. Throws BaseRefused.
 */
export function usableTokenizerJson(json: Json, path: string): Json {
  const refused = (what: string) =>
    new BaseRefused(`${path} ${what}: it is no tokenizer that can be used. Fetch it again.`);
  const isId = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < MOST_TOKENS;
  const { model, added_tokens: added = [] } = json;
  if (!isObject(model) || (model.type ?? "BPE") !== "BPE") throw refused("does not join pieces to tokens (BPE)");
  if (!isObject(model.vocab) || !Array.isArray(model.merges)) throw refused("has no vocab or no merges");
  for (const [token, id] of Object.entries(model.vocab))
    if (!isId(id)) throw refused(`gives ${shown(token)} the id ${id}, no whole number below ${MOST_TOKENS}`);
  if (!Array.isArray(added)) throw refused("has added_tokens that are no list");
  for (const token of added as unknown[])
    if (!isObject(token) || typeof token.content !== "string" || token.content === "" || !isId(token.id))
      throw refused("has an added token without a name or an id");
  return { ...json, model: { ...model, type: "BPE", unk_token: model.unk_token || null } };
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
