import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { Problem, type Route } from "@caigun/contract";
import { readForm } from "./forms.ts";
import type { RawRequest } from "./input.ts";

/** Bytes that a JSON text of limited length may take: six a character as an escape, twelve for a surrogate pair. */
const bytesPerCharacter = 12;
/** For the field names, the other fields, and a form's boundaries. */
const bytesBesideTexts = 64 * 1024;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Of each text in it, in UTF-8. */
  readonly maxTextBytes: number;
  readonly tooLarge: "text_too_large" | "body_too_large";
}

/** The limit on the raw body follows from the route's schema: texts with a maximal length, or one as long as the server allows. */
export function bodyLimits(route: Route, maxTextBytes: number): BodyLimits {
  const properties = Object.values(route.body?.properties ?? {}) as { type?: string; maxLength?: number }[];
  const texts = properties.filter(({ type }) => type === "string");
  if (texts.some(({ maxLength }) => maxLength === undefined)) {
    return { maxBytes: largestBodyBytes(maxTextBytes), maxTextBytes, tooLarge: "text_too_large" };
  }
  const characters = texts.reduce((sum, { maxLength = 0 }) => sum + maxLength, 0);
  return { maxBytes: characters * bytesPerCharacter + bytesBesideTexts, maxTextBytes, tooLarge: "body_too_large" };
}

/** The most bytes that a body of any route can have. */
export function largestBodyBytes(maxTextBytes: number): number {
  // A JSON escape takes six bytes for what can be one byte of UTF-8.
  return 6 * maxTextBytes + bytesBesideTexts;
}

/** A body up to this is not counted: a short call goes through however many large bodies are on their way. */
const uncountedBytes = 64 * 1024;
/** Nobody holds more of the budget than this, so that one key cannot have every other's bodies refused. */
const shareOfOne = 1 / 4;

/** Counts the bytes of large bodies that are in memory, so that many at one time cannot exhaust it. */
export class BodyBudget {
  readonly #maxBytes: number;
  #bytes = 0;
  /** Of each key that holds any. */
  readonly #bytesOf = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** For one body, sent with that key. */
  open(keyId: string): CountedBody {
    let seenBytes = 0;
    let countedBytes = 0;
    return {
      grow: (bytes) => {
        seenBytes += bytes;
        if (seenBytes <= uncountedBytes) return;
        this.#take(keyId, seenBytes - countedBytes);
        countedBytes = seenBytes;
      },
      release: () => {
        this.#add(keyId, -countedBytes);
        countedBytes = 0;
      },
    };
  }

  #take(keyId: string, bytes: number): void {
    const ofKey = (this.#bytesOf.get(keyId) ?? 0) + bytes;
    if (ofKey > this.#maxBytes * shareOfOne || this.#bytes + bytes > this.#maxBytes)
      throw new Problem("overloaded", undefined, { retryAfterSeconds: 5 });
    this.#add(keyId, bytes);
  }

  #add(keyId: string, bytes: number): void {
    this.#bytes += bytes;
    const ofKey = (this.#bytesOf.get(keyId) ?? 0) + bytes;
    if (ofKey === 0) this.#bytesOf.delete(keyId);
    else this.#bytesOf.set(keyId, ofKey);
  }

  get bytes(): number {
    return this.#bytes;
  }
}

export interface CountedBody {
  /** More bytes of it are about to be kept. Throws `overloaded` where there is no room for them. */
  grow(bytes: number): void;
  /** It is no longer in memory. */
  release(): void;
}

/**
 * Reads a request's body. `onStart` is called once nothing in its headers speaks against it, `onBytes` before more bytes are kept, and may refuse them by throwing.
 * Throws `Problem` for what cannot be read; the request's stream is left as it is, for the reply to go out.
 */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  onStart: () => void,
  onBytes: (bytes: number) => void,
): Promise<RawRequest["body"]> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") throw new Problem("unsupported_media_type");
  const tooLarge = () => (limits.tooLarge === "text_too_large" ? textTooLarge(limits) : bodyTooLarge(limits));
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limits.maxBytes) throw tooLarge();
  const type = mediaType(request.headers["content-type"]);

  onStart();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Leaving the loop early must not take the request from its connection, which still carries the reply.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) throw tooLarge();
      onBytes(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("malformed_request", "The body broke off. Send it again, whole.", { cause: error });
  }
  if (bytes === 0) return undefined;
  const whole = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes);
  const body =
    type.kind === "json" || (type.kind === "urlencoded" && beginsWithBrace(whole))
      ? readJson(whole)
      : await readForm(whole, type.header, type.kind);
  checkTextSizes(body.value, limits);
  return body;
}

/** `curl -d '{...}'` calls its JSON a form. No form begins with a brace: in one it would be %7B. */
function beginsWithBrace(body: Buffer): boolean {
  return /^\s*\{/.test(body.toString("latin1", 0, 64));
}

function mediaType(header: string | undefined): { kind: "json" | "multipart" | "urlencoded"; header: string } {
  // A body without a type is what HTTP libraries send for a text that was made by hand: JSON, here.
  if (header === undefined) return { kind: "json", header: "application/json" };
  const [essence = "", ...parameters] = header.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  const isUnicode = charset === undefined || /^"?(utf-?8|us-ascii)"?$/.test(charset);
  if (isUnicode && (essence === "application/json" || /^application\/[\w.-]+\+json$/.test(essence)))
    return { kind: "json", header };
  if (isUnicode && essence === "multipart/form-data") return { kind: "multipart", header };
  if (isUnicode && essence === "application/x-www-form-urlencoded") return { kind: "urlencoded", header };
  throw new Problem("unsupported_media_type");
}

function readJson(bytes: Buffer): { from: "json"; value: unknown } {
  if (!isUtf8(bytes)) throw new Problem("malformed_json", "The body is not valid UTF-8. Encode the JSON as UTF-8.");
  const decoded = bytes.toString("utf8");
  // Python's and PowerShell's writers may put a byte order mark first.
  const text = decoded.startsWith("\ufeff") ? decoded.slice(1) : decoded;
  if (hasMuchBesideStrings(text)) {
    throw new Problem(
      "malformed_json",
      "The JSON has too many parts. Send one object with the fields that the call names.",
    );
  }
  try {
    return { from: "json", value: JSON.parse(text) };
  } catch {
    // The parser's message quotes the text, which is nobody's business but the caller's.
    throw new Problem("malformed_json");
  }
}

/**
 * What our calls take is a few long texts. A body of many brackets or commas would become millions of objects, and take
 * a hundred times its size in memory, before any schema could refuse it.
 */
function hasMuchBesideStrings(text: string): boolean {
  let beside = 0;
  let from = 0;
  while (text.length - from + beside > bytesBesideTexts) {
    const opening = text.indexOf('"', from);
    beside += (opening < 0 ? text.length : opening) - from;
    if (beside > bytesBesideTexts) return true;
    if (opening < 0) return false;
    const closing = closingQuote(text, opening);
    if (closing < 0) return false;
    from = closing + 1;
  }
  return false;
}

/** Where the string ends that begins at `opening`; -1 where it does not. */
function closingQuote(text: string, opening: number): number {
  for (let quote = text.indexOf('"', opening + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return -1;
}

function checkTextSizes(value: unknown, limits: BodyLimits): void {
  if (typeof value !== "object" || value === null) return;
  for (const text of Object.values(value)) {
    // No character takes more than three bytes for each of its UTF-16 units.
    if (typeof text !== "string" || text.length * 3 <= limits.maxTextBytes) continue;
    if (Buffer.byteLength(text) > limits.maxTextBytes) throw textTooLarge(limits);
  }
}

function textTooLarge({ maxTextBytes }: BodyLimits): Problem {
  return new Problem(
    "text_too_large",
    `The text is larger than ${maxTextBytes} bytes in UTF-8, the most this server takes. Split it and train on the parts.`,
  );
}

function bodyTooLarge({ maxBytes }: BodyLimits): Problem {
  return new Problem(
    "body_too_large",
    `The body is larger than ${maxBytes} bytes, the most this call takes. Send less.`,
  );
}
