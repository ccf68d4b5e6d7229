import { eventData } from "./server-sent-events.ts";
import { failureOfStatus, stoppedEarly, type Writer, WriterFailure, type WritingRequest } from "./writer.ts";

export type OpenAiOptions = {
  /** What `/chat/completions` is appended to. */
  baseUrl: string;
  apiKey?: string;
  model: string;
};

const PROMPT_CHARACTERS = 24_000;
const MOST_TOKENS = 400;
/** Where what a model thinks before it writes counts too. */
const MOST_TOKENS_WITH_THOUGHTS = 4_000;
/** Of the body of a refusal, so much is read. */
const REFUSAL_BYTES = 10_000;
/** Why a reply ends that is whole: not "length" or "content_filter". */
const NATURAL_STOP = "stop";

/** Any server that speaks OpenAI's protocol for chat completions. */
export function openAiWriter({ baseUrl, apiKey, model }: OpenAiOptions): Writer {
  const url = `${baseUrl.replace(/\/+$/, "")}/chat/completions`;
  /** What the model has not refused yet: models that think take neither, and each says so once. */
  let parameters: Readonly<Record<string, number>> = { temperature: 0, max_tokens: MOST_TOKENS };
  return {
    name: "openai",
    isLocal: false,
    followsInstructions: true,
    async *write({ promptWithin, signal }: WritingRequest) {
      const { system, user } = promptWithin(PROMPT_CHARACTERS);
      const messages = [
        { role: "system", content: system },
        { role: "user", content: user },
      ];
      for (;;) {
        const response = await send(url, apiKey, signal, { model, messages, stream: true, ...parameters });
        if (response.ok) return yield* piecesOf(response, signal);
        const refused = response.status === 400 ? await refusedParameter(response) : undefined;
        if (refused === undefined || !Object.hasOwn(parameters, refused)) {
          await response.body?.cancel().catch(() => {});
          throw failureOfStatus(response.status, response.headers.get("retry-after"));
        }
        parameters = without(refused, parameters);
      }
    },
    async close() {},
  };
}

function without(refused: string, { [refused]: _, ...others }: Readonly<Record<string, number>>) {
  return refused === "max_tokens" ? { ...others, max_completion_tokens: MOST_TOKENS_WITH_THOUGHTS } : others;
}

/** The parameter that a 400 is about, as OpenAI's error object names it. https://platform.openai.com/docs/guides/error-codes */
async function refusedParameter({ body }: Response): Promise<string | undefined> {
  let text = "";
  try {
    for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
      text += Buffer.from(piece).toString();
      if (text.length > REFUSAL_BYTES) return undefined;
    }
    const { error } = JSON.parse(text) as { error?: { param?: unknown } };
    return typeof error?.param === "string" ? error.param : undefined;
  } catch {
    // A refusal in another form names nothing that could be left out.
    return undefined;
  }
}

async function send(url: string, apiKey: string | undefined, signal: AbortSignal, body: unknown): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream",
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(body),
      // The key is for this address alone.
      redirect: "error",
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new WriterFailure("unreachable", "The writer's server can't be reached.", { mayPass: true, cause: error });
  }
}

type Chunk = {
  choices?: { delta?: { content?: unknown }; finish_reason?: string | null }[];
  error?: unknown;
};

async function* piecesOf({ body }: Response, signal: AbortSignal): AsyncGenerator<string> {
  if (!body) throw new WriterFailure("cut", "The writer's server sent nothing.", { mayPass: true });
  let finishReason: string | undefined;
  try {
    for await (const data of eventData(body)) {
      if (data === "[DONE]") {
        finishReason ??= NATURAL_STOP;
        break;
      }
      const choice = parsed(data).choices?.[0];
      if (typeof choice?.delta?.content === "string" && choice.delta.content !== "") yield choice.delta.content;
      if (choice?.finish_reason) finishReason = choice.finish_reason;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof WriterFailure) throw error;
    throw new WriterFailure("cut", "The connection to the writer's server broke.", { mayPass: true, cause: error });
  }
  // Some servers end without [DONE]; then the last piece says why it is the last.
  if (finishReason === undefined)
    throw new WriterFailure("cut", "The writer's server ended its reply half-way.", { mayPass: true });
  if (finishReason !== NATURAL_STOP) throw stoppedEarly(finishReason);
}

function parsed(data: string): Chunk {
  let chunk: Chunk | null;
  try {
    chunk = JSON.parse(data);
  } catch (error) {
    throw new WriterFailure("garbled", "The writer's server sent what is not JSON.", { cause: error });
  }
  if (chunk === null || typeof chunk !== "object")
    throw new WriterFailure("garbled", "The writer's server sent what is no piece of a reply.");
  if (chunk.error) throw new WriterFailure("refused", "The writer's server reported an error within its reply.");
  return chunk;
}
