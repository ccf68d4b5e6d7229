import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BaseFiles, configOf } from "../base/base-files.ts";
import { readGgufHeader } from "../base/gguf-header.ts";
import { formatOf } from "../base/open-base.ts";
import { BaseRefused } from "../base/problems.ts";
import { RandomAccessFile } from "../base/random-access-file.ts";
import { readJson } from "../base/safetensors-base.ts";
import { shown } from "../base/stored-tensors.ts";
import { asTokenizerJson, cuttingNames, tokenTypes } from "./byte-level.ts";
import { usableTokenizerJson } from "./tokenizer-json.ts";

/** What a base's files say of its tokenizer. */
export interface TokenizerSource {
  path: string;
  /** Hugging Face's tokenizer.json, or one made from what the file has. */
  json: Readonly<Record<string, unknown>>;
  /** Begins a sequence, and ends one; undefined where the model has no such token. */
  bosId: number | undefined;
  eosId: number | undefined;
  /** Whether the model expects each sequence to begin with `bosId`. */
  addsBos: boolean;
  /** Jinja, as Hugging Face and llama.cpp take it. */
  chatTemplate: string | undefined;
}

const MOST_TEMPLATE_BYTES = 1_000_000;

/** Reads what a base's files say of its tokenizer. Throws BaseRefused. */
export function tokenizerSource(files: BaseFiles): TokenizerSource {
  const file = new RandomAccessFile(files.model);
  try {
    const source = formatOf(file) === "gguf" ? fromGguf(file) : fromFiles(files);
    return { ...source, json: usableTokenizerJson(source.json, source.path) };
  } finally {
    file.close();
  }
}

/** The keys tokenizer.ggml.* (docs/gguf.md of ggml, "Tokenizer"). */
function fromGguf(file: RandomAccessFile): TokenizerSource {
  const { path } = file;
  const { metadata } = readGgufHeader(file);
  const ggml = (key: string) => metadata.get(`tokenizer.ggml.${key}`);
  if (ggml("model") !== "gpt2")
    throw new BaseRefused(
      `${path} has a tokenizer of the kind ${shown(String(ggml("model")))}: only byte-level ones (gpt2) can be used here. Name another base.`,
    );
  const pre = ggml("pre") ?? "gpt-2";
  const cutting = cuttingNames.find((name) => name === pre);
  if (!cutting)
    throw new BaseRefused(
      `${path} cuts texts by the rule ${shown(String(pre))}: only ${cuttingNames.join(", ")} are known here. Name another base.`,
    );
  const list = <T>(key: string, isOne: (value: unknown) => value is T, byDefault?: () => T[]): T[] => {
    const value = ggml(key) ?? byDefault?.();
    if (Array.isArray(value) && value.every((one): one is T & typeof one => isOne(one))) return value;
    throw new BaseRefused(`${path} has no list tokenizer.ggml.${key}: it is no whole model. Fetch it again.`);
  };
  const tokens = list("tokens", isString);
  const types = list("token_type", isNumber, () => tokens.map(() => tokenTypes.normal));
  const template = metadata.get("tokenizer.chat_template");
  return {
    path,
    json: asTokenizerJson({ tokens, types, merges: list("merges", isString), cutting }, path) as never,
    bosId: tokenId(ggml("bos_token_id"), tokens.length),
    eosId: tokenId(ggml("eos_token_id"), tokens.length),
    addsBos: ggml("add_bos_token") === true,
    chatTemplate: typeof template === "string" ? template : undefined,
  };
}

/** Hugging Face's files: tokenizer.json, or vocab.json and merges.txt; config.json; the template where there is one. */
function fromFiles(files: BaseFiles): TokenizerSource {
  const path = files.tokenizer ?? join(dirname(files.model), "tokenizer.json");
  const beside = (name: string) => join(dirname(path), name);
  const json = existsSync(path) ? readJson(path) : fromMerges(beside("vocab.json"), beside("merges.txt"), path);
  const config = readJson(configOf(files));
  const settings = existsSync(beside("tokenizer_config.json")) ? readJson(beside("tokenizer_config.json")) : {};
  const most = Number.MAX_SAFE_INTEGER;
  return {
    path,
    json,
    bosId: tokenId(config.bos_token_id, most),
    eosId: tokenId(Array.isArray(config.eos_token_id) ? config.eos_token_id[0] : config.eos_token_id, most),
    addsBos: settings.add_bos_token === true,
    chatTemplate: existsSync(beside("chat_template.jinja"))
      ? shortText(beside("chat_template.jinja"))
      : isString(settings.chat_template)
        ? settings.chat_template
        : undefined,
  };
}

/** GPT-2's own two files. */
function fromMerges(vocabPath: string, mergesPath: string, wanted: string): Record<string, unknown> {
  if (!existsSync(vocabPath) || !existsSync(mergesPath))
    throw new BaseRefused(
      `There is no ${wanted}, and no vocab.json with merges.txt in its place: bring the tokenizer's files beside the model.`,
    );
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(readJson(vocabPath))) if (isNumber(id)) tokens[id] = token;
  if (tokens.length === 0 || Object.keys(tokens).length !== tokens.length)
    throw new BaseRefused(`${vocabPath} does not give each number one token. Fetch it again.`);
  const merges = readFileSync(mergesPath, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#version"));
  const types = tokens.map((token) => (token === "<|endoftext|>" ? tokenTypes.control : tokenTypes.normal));
  return asTokenizerJson({ tokens, types, merges, cutting: "gpt-2" }, vocabPath) as Record<string, unknown>;
}

function shortText(path: string): string {
  const text = readFileSync(path, "utf8");
  if (text.length > MOST_TEMPLATE_BYTES) throw new BaseRefused(`${path} is no template: it has ${text.length} bytes.`);
  return text;
}

const isString = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function tokenId(value: unknown, count: number): number | undefined {
  return isNumber(value) && value < count ? value : undefined;
}
