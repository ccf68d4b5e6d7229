import { writeFile } from "node:fs/promises";
import { type ProblemCode, type ProblemStatus, problems } from "@caigun/contract";

const meanings: Readonly<Record<ProblemStatus, string>> = {
  400: "The request is invalid, too large, of the wrong media type, came too slowly, or is in conflict with what is there: the code tells which.",
  401: "The API key is missing, unknown or revoked.",
  403: "The key is known but may not do this.",
  404: "There is no such thing, or it is not yours: the two are not told apart.",
  405: "The path does not take this method; `Allow` names those it takes.",
  406: "The `Accept` header excludes what the call replies with.",
  410: "The model was there and has been deleted.",
  429: "Too many requests; `Retry-After` says how many seconds to wait.",
  500: "Something went wrong on the server.",
  503: "The server cannot do this now; `Retry-After` says how many seconds to wait.",
};

const intro = `# Errors

<!-- Written by docs/errors-page.ts from the catalogue in packages/contract. Run \`node docs/errors-page.ts\` after changing that. -->

Every failed call under \`/api\` has the same body:

\`\`\`json
{ "detail": "Send the chatbot's API key in the \`api-key\` header.", "code": "missing_api_key", "request_id": "5f3c2d0e-8f5a-4c1e-9d57-2f6f1f0f8a11" }
\`\`\`

\`detail\` is a sentence that says what to do; it can change. \`code\` is stable. \`request_id\` is also sent as \`X-Request-Id\`: name it when you report a problem. Where fields of the request are wrong, \`errors\` lists them as \`{ "loc": ["body", "title"], "msg": "is missing", "type": "required" }\`.
`;

/** The errors page of the documentation, made from the catalogue. */
export function errorsPage(): string {
  const byStatus = Map.groupBy(Object.keys(problems) as ProblemCode[], (code) => problems[code][0] as ProblemStatus);
  const sections = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, codes]) => {
      const rows = codes.map((code) => `| \`${code}\` | ${problems[code][1]} |`);
      return `## ${status}\n\n${meanings[status]}\n\n| code | what to do |\n| --- | --- |\n${rows.join("\n")}\n`;
    });
  return [intro, ...sections].join("\n");
}

if (import.meta.main) await writeFile(new URL("errors.md", import.meta.url), errorsPage());
