import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";

/**
 * The samples of the document that this product was created from run as they stand there: only host, key and the
 * placeholders in capitals are replaced.
 */
const draft = await readFile(new URL("./api-reference-draft.txt", import.meta.url), "utf8");

/** The code blocks of one heading, by language. */
function samples(heading: string): Record<string, string> {
  const section = draft.split(/^#+ /m).find((part) => part.startsWith(heading));
  assert(section, `the draft has a section "${heading}"`);
  return Object.fromEntries(
    [...section.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, code]) => [language, code]),
  );
}

/** The sample uses the library `requests`: a Python that has it, or undefined. */
const pythonWithRequests = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import requests"]).status === 0,
);
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
if (!pythonWithRequests || !hasCurl) {
  const lacking = [pythonWithRequests ? "" : "python3 with requests", hasCurl ? "" : "curl"]
    .filter(Boolean)
    .join(" and ");
  console.log(`the draft's own samples: this system lacks ${lacking}, so those samples are not run.`);
  if (process.env.CAIGUN_TEST_COMPLETE === "1")
    throw new Error(`CAIGUN_TEST_COMPLETE is set, and ${lacking} is missing.`);
}

describe("the draft's own samples", () => {
  let caigun: RunningCaigun;
  before(async () => {
    caigun = await startCaigun();
  });
  after(() => caigun.remove());

  const filledIn = (code: string) =>
    code
      .replaceAll(/https?:\/\/caigun-api\.ap-mic\.com/g, caigun.url)
      .replaceAll("CHATBOT_API_KEY", caigun.apiKey)
      .replaceAll("MODEL_NAME", "MODEL_NAME_VALUE")
      .replaceAll(/(?<=: )TEXT\b/g, quoted("The office opens at nine."))
      .replaceAll(/(?<=: )TITLE\b/g, quoted("Handbook"))
      .replaceAll("MODEL_NAME_VALUE", quoted("PaLM2"));
  let quoted: (value: string) => string = JSON.stringify;

  async function run(command: string, args: string[], input: string): Promise<unknown> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stdin.end(input);
    const [code] = await once(child, "close");
    assert.equal(code, 0, `${command} ended well; it printed ${output}`);
    return JSON.parse(output);
  }
  const curl = (code: string) => {
    quoted = JSON.stringify;
    return run("sh", [], filledIn(code).replaceAll("curl ", "curl --silent --show-error "));
  };
  const python = (code: string) => {
    // Inside the sample's Python string the quotes are escaped.
    quoted = (value) => JSON.stringify(value).replaceAll('"', '\\"');
    return run(
      pythonWithRequests!,
      ["-"],
      `${filledIn(code)}\n${code.includes("print(") ? "" : "print(response.text)"}`,
    );
  };

  const languages = [
    ...(hasCurl ? [{ name: "curl", language: "shell", send: curl }] : []),
    ...(pythonWithRequests ? [{ name: "Python", language: "python", send: python }] : []),
  ];
  for (const { name, language, send } of languages) {
    it(`train and list models with ${name}`, async () => {
      const training = samples("Train a Model");
      const started = (await send(training[language]!)) as { id: string; status: string };
      assertShape(started, JSON.parse(training.json!));
      assert.equal(started.status, "queued");

      const listing = samples("Get All Models");
      const { models } = (await send(listing[language]!)) as { models: { id: string }[] };
      assertShape({ models }, JSON.parse(listing.json!));
      assert.equal(models[0]!.id, started.id);
    });
  }
});

/** Every field that the document shows is there, with the type, and where it is a time or an id the form, that it shows. */
function assertShape(value: unknown, documented: unknown, path = "reply"): void {
  if (Array.isArray(documented)) {
    assert(Array.isArray(value), `${path} is a list`);
    for (const item of value) assertShape(item, documented[0], `${path}[]`);
  } else if (typeof documented === "object" && documented !== null) {
    assert(typeof value === "object" && value !== null, `${path} is an object`);
    for (const [name, shown] of Object.entries(documented)) {
      assert(name in value, `${path} has the field ${name}`);
      assertShape((value as Record<string, unknown>)[name], shown, `${path}.${name}`);
    }
  } else {
    assert.equal(typeof value, typeof documented, `${path} has the documented type`);
    const forms = [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];
    for (const form of forms) if (form.test(String(documented))) assert.match(String(value), form, path);
  }
}
