import { openApiDocument, type Route } from "@caigun/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { apiReferencePage, apiReferencePolicy, apiReferenceScript } from "./api-reference.ts";
import type { MethodTable } from "./paths.ts";
import type { Caller, ServerPorts } from "./ports.ts";

/** What anyone may see: whether the server is well, its figures, and the API's description. Outside /api. */
export function servePublicPages<C extends Caller, Db>(
  app: FastifyInstance,
  methods: MethodTable,
  table: readonly Route[],
  ports: ServerPorts<readonly Route[], C, Db>,
): void {
  const page = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>) => {
    methods.add(url, "GET");
    methods.add(url, "HEAD");
    app.route({ method: ["GET", "HEAD"], url, handler });
  };
  const asJson = (reply: FastifyReply, body: unknown) =>
    reply.header("content-type", "application/json; charset=utf-8").send(JSON.stringify(body));

  // The address that a start prints is what people open first.
  page("/", async (_request, reply) => reply.redirect("/docs"));
  page("/healthz", async (_request, reply) => asJson(reply, { ok: true }));
  page("/readyz", async (_request, reply) => {
    const readiness = await ports.ready();
    if (!readiness.ok) reply.code(503).header("retry-after", "5");
    return asJson(reply, readiness);
  });
  page("/metrics", async (_request, reply) =>
    reply.header("content-type", ports.metrics.contentType).send(await ports.metrics.metrics()),
  );
  const openApi = openApiAt(table, ports.config.version);
  page("/openapi.json", async (request, reply) => asJson(reply, openApi(ports.config.publicUrl ?? ownUrl(request))));
  page("/docs", async (_request, reply) =>
    reply
      .header("content-type", "text/html; charset=utf-8")
      .header("content-security-policy", apiReferencePolicy)
      .header("referrer-policy", "no-referrer")
      .send(apiReferencePage),
  );
  page("/docs/scalar.js", async (_request, reply) =>
    reply
      .header("content-type", "text/javascript; charset=utf-8")
      .header("cache-control", "public, max-age=3600")
      .send(await apiReferenceScript()),
  );
}

/**
 * The API's description as it is at a server's address. To make it takes some milliseconds, so that it is made once, when
 * somebody first asks; nothing is kept of the addresses, which callers choose.
 */
export function openApiAt(table: readonly Route[], version: string): (serverUrl: string) => Record<string, unknown> {
  let document: Record<string, unknown> | undefined;
  return (serverUrl) => {
    document ??= openApiDocument(table, { serverUrl, version });
    return { ...document, servers: [{ url: serverUrl }] };
  };
}

/** The address under which the caller reached us. It goes back to that caller alone, so that it may say what it likes. */
function ownUrl(request: FastifyRequest): string {
  return /^[\w.:[\]-]+$/.test(request.host) ? `${request.protocol}://${request.host}` : "/";
}
