import Fastify from "fastify";

/** The page may load from this server and nowhere else: the browser itself refuses fonts, trackers and proxies of others. */
export const apiReferencePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // Scalar writes style elements of its own.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const configuration = {
  url: "/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  documentDownloadType: "json",
  authentication: { preferredSecurityScheme: "apiKey" },
};

/** Scalar reads its settings from the element's attribute, so that the page needs no inline script. */
export const apiReferencePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CaiGun API reference</title>
</head>
<body>
<noscript>This page needs JavaScript. The same description of the API is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script id="api-reference" type="application/json" data-url="/openapi.json" data-configuration="${JSON.stringify(configuration).replaceAll('"', "&quot;")}"></script>
<script src="/docs/scalar.js"></script>
</body>
</html>
`;

let script: Promise<string> | undefined;

/**
 * The renderer, some megabytes. It is part of Scalar's Fastify plugin and of nothing else that this project depends on;
 * so the plugin is asked for it, and only when somebody first opens the reference.
 */
export function apiReferenceScript(): Promise<string> {
  script ??= loadScript().catch((error: unknown) => {
    script = undefined;
    throw error;
  });
  return script;
}

async function loadScript(): Promise<string> {
  const { default: scalar } = await import("@scalar/fastify-api-reference");
  await using holder = Fastify();
  await holder.register(scalar, { routePrefix: "/docs", configuration: { url: "/openapi.json" } });
  const reply = await holder.inject("/docs/js/scalar.js");
  if (reply.statusCode !== 200) throw new Error(`Scalar's plugin gave no script: ${reply.statusCode}`);
  return reply.body;
}
