import type { ErrorBody, OperationId, Reply } from "@caigun/contract";
import { routes } from "@caigun/contract";
import type { Static } from "typebox";
import { CommandFailed, exitCodes } from "./failures.ts";

export type Api = { url: string; apiKey: string };

type Sent = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
};

/** A reply as it comes over the wire: what is a Date in the program is text here. */
export type Wire<T> = T extends Date ? string : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;

/** One call of the API. A refusal is thrown as CommandFailed with the server's own sentence. */
export async function call<Id extends OperationId>(
  api: Api,
  operationId: Id,
  sent: Sent = {},
): Promise<Wire<Reply<Id>>> {
  const response = await send(api, operationId, sent, "application/json");
  return (await response.json()) as Wire<Reply<Id>>;
}

/** A call that replies with a file, as it comes: under what name, of which size, and its pieces. */
export async function download(
  api: Api,
  operationId: OperationId,
  sent: Sent = {},
): Promise<{ fileName: string | undefined; bytes: number; body: ReadableStream<Uint8Array> }> {
  const response = await send(api, operationId, sent, "*/*");
  const name = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  return {
    fileName: name && decodeURIComponent(name),
    bytes: Number(response.headers.get("content-length")),
    body: response.body!,
  };
}

/** The events of a call that streams, as they come. */
export async function* follow(
  api: Api,
  operationId: OperationId,
  sent: Sent = {},
): AsyncGenerator<{ event: string; data: unknown }> {
  const response = await send(api, operationId, sent, "text/event-stream");
  let buffered = "";
  for await (const chunk of untilBroken(response.body!.pipeThrough(new TextDecoderStream()))) {
    buffered += chunk;
    const frames = buffered.split("\n\n");
    buffered = frames.pop()!;
    for (const frame of frames) {
      const fields = frame.split("\n").map((line) => /^(\w+): ?(.*)$/.exec(line));
      const field = (name: string) => fields.find((found) => found?.[1] === name)?.[2];
      const data = field("data");
      if (data !== undefined) yield { event: field("event") ?? "message", data: JSON.parse(data) };
    }
  }
}

/** A server that dies ends its stream: what that means is the caller's business. */
async function* untilBroken<Chunk>(stream: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  try {
    yield* stream;
  } catch {
    return;
  }
}

async function send({ url, apiKey }: Api, operationId: OperationId, sent: Sent, accept: string): Promise<Response> {
  const route = routes.find((route) => route.operationId === operationId)!;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(sent.params?.[name] ?? ""));
  const address = new URL(path, url);
  for (const [name, value] of Object.entries(sent.query ?? {})) address.searchParams.set(name, value);
  let response: Response;
  try {
    response = await fetch(address, {
      method: route.method,
      headers: {
        accept,
        "api-key": apiKey,
        ...(sent.body === undefined ? {} : { "content-type": "application/json" }),
        ...sent.headers,
      },
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
      ...(sent.signal && { signal: sent.signal }),
    });
  } catch (error) {
    sent.signal?.throwIfAborted();
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CommandFailed(
      `The server at ${url} can't be reached (${reason}). Is it running? \`npm start\` starts it.`,
      exitCodes.noServer,
    );
  }
  if (!response.ok) {
    const body = (await response.json().catch(() => undefined)) as Static<typeof ErrorBody> | undefined;
    throw new CommandFailed(body?.detail ?? `The server replied with status ${response.status}.`, exitCodes.refused, {
      ...body,
    });
  }
  return response;
}
