import type { GoogleGenAI } from "@google/genai";
import { failureOfStatus, stoppedEarly, type Writer, WriterFailure, type WritingRequest } from "./writer.ts";

export type GoogleOptions = {
  apiKey: string;
  model: string;
  /** Instead of Google's own address: a proxy's. */
  baseUrl?: string;
};

const GOOGLE_URL = "https://generativelanguage.googleapis.com/";
const PROMPT_CHARACTERS = 24_000;
/** What the model thinks before it writes counts too. */
const MOST_TOKENS = 2_048;
/** Why a reply ends that is whole: not "MAX_TOKENS" or "SAFETY". */
const NATURAL_STOP = "STOP";

/** Google's Gemini API, by Google's own library. */
export function googleWriter({ apiKey, model, baseUrl = GOOGLE_URL }: GoogleOptions): Writer {
  let client: Promise<GoogleGenAI> | undefined;
  return {
    name: "google",
    isLocal: false,
    followsInstructions: true,
    async *write(request: WritingRequest) {
      // Loaded by the first who needs it: most installations never do. All is given, so that it reads no environment.
      client ??= import("@google/genai").then(
        ({ GoogleGenAI }) =>
          new GoogleGenAI({ apiKey, enterprise: false, apiVersion: "v1beta", httpOptions: { baseUrl } }),
      );
      const { system, user } = request.promptWithin(PROMPT_CHARACTERS);
      const { models } = await client;
      let finishReason: string | undefined;
      try {
        const chunks = await models.generateContentStream({
          model,
          contents: user,
          config: {
            systemInstruction: system,
            temperature: 0,
            maxOutputTokens: MOST_TOKENS,
            abortSignal: request.signal,
          },
        });
        for await (const { text, candidates, promptFeedback } of chunks) {
          if (promptFeedback?.blockReason)
            throw new WriterFailure("refused", `Google refused the question: ${promptFeedback.blockReason}.`);
          if (text) yield text;
          finishReason = candidates?.[0]?.finishReason ?? finishReason;
        }
      } catch (error) {
        request.signal.throwIfAborted();
        throw failureOf(error);
      }
      if (finishReason === undefined)
        throw new WriterFailure("cut", "Google ended its reply half-way.", { mayPass: true });
      if (finishReason !== NATURAL_STOP) throw stoppedEarly(finishReason);
    },
    async close() {},
  };
}

/** The library's messages may quote the request: they are not handed on. */
function failureOf(error: unknown): WriterFailure {
  if (error instanceof WriterFailure) return error;
  const { status } = error as { status?: unknown };
  if (typeof status === "number") return failureOfStatus(status);
  if (error instanceof SyntaxError) return new WriterFailure("garbled", "Google's API sent what is not JSON.");
  return new WriterFailure("unreachable", "Google's API can't be reached, or the connection broke.", { mayPass: true });
}
