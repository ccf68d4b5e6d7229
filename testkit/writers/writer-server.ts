import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

export type Protocol = "openai" | "google";
/** What an engine was sent. */
export type Received = { system: string; user: string; authorization: string | undefined };

/** Whether an engine is asked to put a question so that it can be understood alone, and not for a reply. */
export const isAskedToRewrite = ({ user }: Received): boolean => user.includes("[last question ");

/** How an engine replies: with a text, or in one of the ways in which a server fails. */
export type Behaviour =
  | { text: string; finishReason?: string }
  /** Texts that come one by one, as a test wishes. */
  | { texts: AsyncIterable<string> }
  /** Takes the request and sends nothing. */
  | { fault: "silent" }
  /** Sends a text, and then nothing. */
  | { fault: "stall"; text: string }
  /** Sends a text and breaks the connection. */
  | { fault: "cut"; text: string }
  /** Sends a text and ends without saying that it has finished. */
  | { fault: "half"; text: string }
  | { fault: "status"; status: number; retryAfter?: string }
  | { fault: "garbage" }
  /** Sends megabytes in one piece. */
  | { fault: "huge" }
  /** Sends short pieces for ever. */
  | { fault: "endless"; piece: string; everyMs: number };

export type WriterServer = {
  /** What a writer is told as its base URL. */
  baseUrl: string;
  received: Received[];
  /** Requests whose connection has not been closed yet. */
  open(): number;
  close(): Promise<void>;
};

/** A server that speaks the published protocol of a writing engine and behaves as it is told, request by request. */
export async function startWriterServer(
  protocol: Protocol,
  behave: (received: Received, count: number) => Behaviour | Promise<Behaviour>,
): Promise<WriterServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let open = 0;
  const server = createServer(async (request, response) => {
    open++;
    response.once("close", () => open--);
    const asked = receivedBy[protocol](request, (await json(request)) as never);
    received.push(asked);
    await reply(response, await behave(asked, received.length), protocol).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}${protocol === "openai" ? "/v1" : "/"}`,
    received,
    open: () => open,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function reply(response: ServerResponse, behaviour: Behaviour, protocol: Protocol): Promise<void> {
  const { piece, end } = framing[protocol];
  const begin = () => response.writeHead(200, { "content-type": "text/event-stream" });
  const write = async (text: string) => {
    for (const part of text.match(/.{1,7}/gsu) ?? []) response.write(piece(part));
  };
  if ("texts" in behaviour) {
    begin();
    for await (const text of behaviour.texts) await write(text);
    response.end(end());
    return;
  }
  if (!("fault" in behaviour)) {
    begin();
    await write(behaviour.text);
    response.end(end(behaviour.finishReason));
    return;
  }
  switch (behaviour.fault) {
    case "silent":
      return;
    case "status":
      response.writeHead(behaviour.status, {
        "content-type": "application/json",
        ...(behaviour.retryAfter === undefined ? {} : { "retry-after": behaviour.retryAfter }),
      });
      response.end(JSON.stringify({ error: { code: behaviour.status, message: "no", status: "UNAVAILABLE" } }));
      return;
    case "garbage":
      begin();
      response.end("data: {not json\n\n");
      return;
    case "huge":
      begin();
      for (let sent = 0; sent < 64 && !response.destroyed; sent++) {
        response.write(`data: ${"x".repeat(1024 * 1024)}`);
        await delay(1);
      }
      return;
    case "endless":
      begin();
      while (!response.destroyed) {
        response.write(piece(behaviour.piece));
        await delay(behaviour.everyMs);
      }
      return;
  }
  begin();
  await write(behaviour.text);
  if (behaviour.fault === "half") response.end();
  // What was written must arrive before the connection breaks.
  if (behaviour.fault === "cut") setTimeout(() => response.destroy(), 50);
}

type OpenAiBody = { messages: { role: string; content: string }[] };
type GoogleBody = { contents: { parts: { text: string }[] }[]; systemInstruction: { parts: { text: string }[] } };

const receivedBy = {
  openai: ({ headers }: IncomingMessage, { messages }: OpenAiBody): Received => ({
    system: messages[0]!.content,
    user: messages[1]!.content,
    authorization: headers.authorization,
  }),
  google: ({ headers }: IncomingMessage, { contents, systemInstruction }: GoogleBody): Received => ({
    system: systemInstruction.parts[0]!.text,
    user: contents[0]!.parts[0]!.text,
    authorization: headers["x-goog-api-key"] as string | undefined,
  }),
};

const framing = {
  openai: {
    piece: (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
    end: (finish_reason = "stop") =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason }] })}\n\ndata: [DONE]\n\n`,
  },
  google: {
    piece: (text: string) =>
      `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text }] } }] })}\r\n\r\n`,
    end: (finishReason = "STOP") =>
      `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text: "" }] }, finishReason }] })}\r\n\r\n`,
  },
};
