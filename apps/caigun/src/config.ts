import { availableParallelism, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's own folder: the commands work the same from wherever they are called. */
const projectFolder = fileURLToPath(new URL("../../..", import.meta.url));

export type Config = {
  /** Where everything of this installation lives. */
  home: string;
  host: string;
  /** 0: any free port. */
  port: number;
  /** The address people reach the server at, where it is not host and port. */
  publicUrl: string | undefined;
  /** A PostgreSQL to use; undefined: the embedded one. May hold a password: never logged. */
  databaseUrl: string | undefined;
  /** A private folder with a short path, for the embedded database's socket where home's path is too long for one. */
  runtimeFolder: string | undefined;
  /** Where bytes are kept; undefined: below home. */
  blobFolder: string | undefined;
  /** Seals the stored copies of API keys; undefined: generated below home. Must be given where machines share a database. */
  encryptionKey: Buffer | undefined;
  logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "silent";
  /** Per key and per address; 0: none. */
  rateLimitPerMinute: number;
  /** Of one text, in UTF-8. */
  maxTextBytes: number;
  /** Whether X-Forwarded-For is believed. */
  trustProxy: boolean;
  /** Processes that answer at a time. */
  answeringProcesses: number;
  /** Which learned weights answer: the shipped ones, or others of packages/reading/weights to evaluate with. */
  readingWeights: string;
  /** What `gpt2` is trained on, a model's name or a path; undefined: the first of CaiGun's bases that can be had. */
  gpt2Base: { name: string } | { path: string } | undefined;
  /** How an adapter chooses the next token it writes. */
  gpt2Sampling: { temperature: number; topP: number };
  /** The model that passages are embedded with; "none": they are searched by their words alone. */
  embedder: string;
  /** Where model files are kept that are fetched when first needed. */
  weightsFolder: string;
  /** Hugging Face's hub, or a mirror of it; undefined: the hub itself. */
  huggingFaceUrl: string | undefined;
  /** Cores that one training may embed with. */
  embeddingThreads: number;
  /** Trainings that run at a time; 0: the server leaves them to workers. */
  trainings: number;
  /** JavaScript heap of one answering and of one training process, MiB. */
  answeringHeapMiB: number;
  trainingHeapMiB: number;
  /** The engines that may write replies; each is there where what it needs is set. Holds API keys: never logged. */
  writers: Writers;
  /** Whether an engine that was chosen and can't be reached is refused instead of replaced. */
  strictEngines: boolean;
};

export type Writers = {
  /** Google's Gemini API; `baseUrl` instead of Google's own address. */
  google?: { apiKey: string; model: string; baseUrl?: string };
  /** Any endpoint that speaks OpenAI's protocol; `baseUrl` is what `/chat/completions` is appended to. */
  openai?: { baseUrl: string; apiKey?: string; model: string };
  /** A language model on this machine. */
  gguf?: { path: string };
};

/** The one that Google's library is documented with; a model of a cloud is retired sooner than a program is updated. */
const GOOGLE_MODEL = "gemini-3.8-flash";

/** A setting that can't be used; the message says which and what to write instead. */
export class BadSetting extends Error {
  override name = "BadSetting";
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings in the environment. An empty variable is one that is not set. Throws BadSetting. */
export function readConfig(environment: Environment = process.env): Config {
  const text = (name: string) => environment[name]?.trim() || undefined;
  const count = (name: string, byDefault: number, [least, most]: readonly [number, number]) => {
    const given = text(name);
    if (given === undefined) return byDefault;
    const value = Number(given);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new BadSetting(`${name} is "${given}": write a whole number from ${least} to ${most}.`);
    return value;
  };
  const share = (name: string, byDefault: number, [least, most]: readonly [number, number]) => {
    const value = Number(text(name) ?? byDefault);
    if (!(value >= least && value <= most))
      throw new BadSetting(`${name} is "${text(name)}": write a number from ${least} to ${most}.`);
    return value;
  };
  const oneOf = <const Choice extends string>(name: string, choices: readonly Choice[], byDefault: Choice): Choice => {
    const given = text(name) ?? byDefault;
    const found = choices.find((choice) => choice === given);
    if (found === undefined) throw new BadSetting(`${name} is "${given}": write one of ${choices.join(", ")}.`);
    return found;
  };

  const cores = availableParallelism();
  const memoryMiB = Math.floor(totalmem() / 1024 / 1024);
  const homeFolder = resolve(text("CAIGUN_HOME") ?? join(projectFolder, ".caigun"));
  return {
    home: homeFolder,
    host: text("HOST") ?? "127.0.0.1",
    port: count("PORT", 8000, [0, 65_535]),
    publicUrl: url(text("CAIGUN_PUBLIC_URL"), "CAIGUN_PUBLIC_URL", ["http:", "https:"]),
    databaseUrl: url(text("DATABASE_URL"), "DATABASE_URL", ["postgres:", "postgresql:"]),
    runtimeFolder: text("XDG_RUNTIME_DIR"),
    blobFolder: text("CAIGUN_BLOBS"),
    encryptionKey: encryptionKey(text("CAIGUN_ENCRYPTION_KEY")),
    logLevel: oneOf("CAIGUN_LOG_LEVEL", ["fatal", "error", "warn", "info", "debug", "silent"], "info"),
    rateLimitPerMinute: count("CAIGUN_RATE_LIMIT_PER_MINUTE", 6_000, [0, 1_000_000_000]),
    maxTextBytes: count("CAIGUN_MAX_TEXT_BYTES", 20_000_000, [1, 200_000_000]),
    trustProxy: oneOf("CAIGUN_TRUST_PROXY", ["true", "false"], "false") === "true",
    answeringProcesses: count("CAIGUN_ANSWERING_PROCESSES", Math.min(cores, 8), [1, 256]),
    readingWeights: text("CAIGUN_READING_WEIGHTS") ?? "shipped",
    gpt2Base: nameOrPath(text("CAIGUN_GPT2_BASE")),
    gpt2Sampling: {
      temperature: share("CAIGUN_GPT2_TEMPERATURE", 0, [0, 2]),
      topP: share("CAIGUN_GPT2_TOP_P", 1, [0.01, 1]),
    },
    embedder: text("CAIGUN_EMBEDDER") ?? "all-minilm-l6-v2-int8",
    weightsFolder: resolve(text("CAIGUN_WEIGHTS") ?? join(homeFolder, "weights")),
    huggingFaceUrl: urlWithoutPassword(text("CAIGUN_HUGGING_FACE_URL"), "CAIGUN_HUGGING_FACE_URL"),
    embeddingThreads: cores,
    // A training takes a core for its whole length: one core stays for those who talk.
    trainings: count("CAIGUN_TRAININGS", Math.max(1, cores - 1), [0, 64]),
    answeringHeapMiB: clamp(memoryMiB / 16, 256, 1_024),
    trainingHeapMiB: clamp(memoryMiB / 4, 512, 4_096),
    writers: writers(text),
    strictEngines: oneOf("CAIGUN_STRICT_ENGINES", ["0", "1"], "0") === "1",
  };
}

/** A key that was exported for another tool sends nothing anywhere: only variables of CaiGun's own count. */
function writers(text: (name: string) => string | undefined): Writers {
  const googleKey = text("CAIGUN_GOOGLE_API_KEY");
  const googleUrl = urlWithoutPassword(text("CAIGUN_GOOGLE_BASE_URL"), "CAIGUN_GOOGLE_BASE_URL");
  const gguf = text("CAIGUN_GGUF");
  const baseUrl = urlWithoutPassword(text("CAIGUN_OPENAI_BASE_URL"), "CAIGUN_OPENAI_BASE_URL");
  const openaiKey = text("CAIGUN_OPENAI_API_KEY");
  const openaiModel = text("CAIGUN_OPENAI_MODEL");
  if (baseUrl !== undefined && openaiModel === undefined)
    throw new BadSetting("CAIGUN_OPENAI_BASE_URL is set and CAIGUN_OPENAI_MODEL is not: write the model's name there.");
  if (baseUrl === undefined && (openaiKey !== undefined || openaiModel !== undefined))
    throw new BadSetting(
      "CAIGUN_OPENAI_API_KEY or CAIGUN_OPENAI_MODEL is set and CAIGUN_OPENAI_BASE_URL is not: write the endpoint there.",
    );
  return {
    ...(googleKey !== undefined && {
      google: {
        apiKey: googleKey,
        model: text("CAIGUN_GOOGLE_MODEL") ?? GOOGLE_MODEL,
        ...(googleUrl !== undefined && { baseUrl: googleUrl }),
      },
    }),
    ...(baseUrl !== undefined &&
      openaiModel !== undefined && {
        openai: { baseUrl, ...(openaiKey !== undefined && { apiKey: openaiKey }), model: openaiModel },
      }),
    ...(gguf !== undefined && { gguf: { path: resolve(gguf) } }),
  };
}

/** What has a dot or a slash in it is a path. */
function nameOrPath(given: string | undefined): { name: string } | { path: string } | undefined {
  if (given === undefined) return undefined;
  return /[./\\]/.test(given) ? { path: resolve(given) } : { name: given };
}

const clamp = (value: number, least: number, most: number) => Math.floor(Math.min(Math.max(value, least), most));

function url(given: string | undefined, name: string, protocols: string[]): string | undefined {
  if (given === undefined) return undefined;
  if (!URL.canParse(given) || !protocols.includes(new URL(given).protocol))
    // The value itself may hold a password.
    throw new BadSetting(
      `${name} is no URL that can be used here: write one that begins with ${protocols.join("// or ")}//.`,
    );
  return given;
}

/** `fetch` refuses a URL with a name or a password in it, and says the whole of it when it does. */
function urlWithoutPassword(given: string | undefined, name: string): string | undefined {
  const usable = url(given, name, ["http:", "https:"]);
  if (usable === undefined) return undefined;
  const { username, password } = new URL(usable);
  if (username !== "" || password !== "")
    throw new BadSetting(`${name} holds a user name or a password: write the URL without what stands before its "@".`);
  return usable;
}

function encryptionKey(given: string | undefined): Buffer | undefined {
  if (given === undefined) return undefined;
  const key = Buffer.from(given, "base64");
  if (key.length !== 32)
    throw new BadSetting("CAIGUN_ENCRYPTION_KEY must be 32 bytes in base64. `openssl rand -base64 32` makes one.");
  return key;
}
