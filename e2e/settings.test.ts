import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, runCommand, startCaigun } from "../testkit/caigun.ts";
import { assertProblem, type Chatbot, newChatbot, openHouse } from "../testkit/chatbot.ts";

const text =
  "The office opens at nine in the morning. Parking costs three euros an hour.\n\n" +
  "The canteen serves soup on Mondays. Visitors sign in at the front desk.\n\n" +
  "Bicycles stand in the yard. Marta repairs wooden boats behind the yellow harbour gate.";

type Settings = { strictness: string; quality: string; refusal: string | null; stay_local: boolean; writer: string };

describe("how a chatbot is set to answer", () => {
  let caigun: RunningCaigun;
  before(async () => {
    // A key that opens nothing: only whether there is one counts here.
    caigun = await startCaigun({ env: { CAIGUN_GOOGLE_API_KEY: "none" } });
  });
  after(() => caigun.remove());

  async function chatbot(): Promise<Chatbot> {
    await using house = await openHouse(caigun);
    return await newChatbot(caigun, house);
  }
  const change = (of: Chatbot, json: unknown) => of.call("settings", { method: "PATCH", json });
  const changed = (of: Chatbot, json: unknown) => of.get<Settings>("settings", { method: "PATCH", json });

  it("has defaults, changes what is sent alone, and replies with all of it", async () => {
    const one = await chatbot();
    const defaults = { strictness: "normal", quality: "best", refusal: null, stay_local: false, writer: "google" };
    assert.deepEqual(await one.get("settings"), defaults);
    assert.deepEqual(await changed(one, {}), defaults);
    assert.deepEqual(await changed(one, { strictness: "high" }), { ...defaults, strictness: "high" });
    const alias = await one.get("/api/chatbot/settings");
    assert.deepEqual(alias, { ...defaults, strictness: "high" });
    const form = new URLSearchParams({ stay_local: "True", quality: "best" });
    const sent = await one.get<Settings>("settings", { method: "PATCH", body: form });
    assert.deepEqual(sent, { strictness: "high", quality: "best", refusal: null, stay_local: true, writer: "none" });
  });

  it("refuses what there is not, and a writer that the server can't reach with what to set", async () => {
    const one = await chatbot();
    for (const wrong of [{ strictness: "medium" }, { refusal: " " }, { stay_local: "perhaps" }, { writer: "me" }])
      await assertProblem(await change(one, wrong), 400, "validation_failed");
    const openai = await assertProblem(await change(one, { writer: "openai" }), 400, "writer_not_configured");
    assert.match(openai.detail, /CAIGUN_OPENAI_BASE_URL/);
    const gguf = await assertProblem(
      await change(one, { writer: "gguf", strictness: "low" }),
      400,
      "writer_not_configured",
    );
    assert.match(gguf.detail, /CAIGUN_GGUF/);
    assert.equal((await one.get<Settings>("settings")).strictness, "normal", "nothing of a refused change is kept");
  });

  it("uses no writer elsewhere where all has to stay on the machine", async () => {
    const one = await chatbot();
    assert.equal((await changed(one, { stay_local: true })).writer, "none");
    assert.equal((await changed(one, { writer: "google" })).writer, "none");
    assert.equal((await changed(one, { stay_local: false })).writer, "google");
    assert.equal((await changed(one, { writer: "none" })).writer, "none");
    assert.equal((await changed(one, { writer: null })).writer, "google", "the server's default");
  });

  it("refuses in the owner's words, until they are taken back", async () => {
    const one = await chatbot();
    await changed(one, { writer: "none" });
    await one.ready(text);
    const foreign = "Who conquered the Persian empire?";
    const builtIn = await one.ask(foreign);
    assert.equal(builtIn.answered, false);
    await changed(one, { refusal: "請來電詢問 555-0142。" });
    const own = await one.ask(foreign);
    assert.deepEqual([own.text, own.answered, own.citations], ["請來電詢問 555-0142。", false, []]);
    assert.match((await one.ask("When does the office open?")).text, /nine/);
    await changed(one, { refusal: null });
    assert.equal((await one.ask(foreign)).text, builtIn.text);
  });

  it("takes its strictness into account from the next question on", async () => {
    const one = await chatbot();
    await changed(one, { writer: "none" });
    await one.ready(text);
    // From all that the text says and nothing else to nothing of it and much else.
    const held = ["Marta", "repairs", "wooden", "boats", "behind", "yellow", "harbour", "gate"];
    const foreign = ["Otto", "paints", "copper", "kettles", "beneath", "purple", "mountain", "cellar"];
    const questions = held.flatMap((_, left) =>
      foreign.map((_, other) => [...held.slice(left), ...foreign.slice(0, other)].join(" ")),
    );
    const answered: string[][] = [];
    for (const strictness of ["low", "normal", "high"]) {
      await changed(one, { strictness });
      const replies = await Promise.all(questions.map((question) => one.ask(question, { uid: question })));
      answered.push(questions.filter((_, place) => replies[place]!.answered));
    }
    const [low = [], normal = [], high = []] = answered;
    assert(high.every((question) => normal.includes(question)) && normal.every((question) => low.includes(question)));
    assert(low.length > high.length, `${low.length} of ${questions.length} answered at low, ${high.length} at high`);
  });

  it("tells on the command line what the running server does, whatever the shell is set to", async () => {
    assert(
      caigun.greeting.includes(
        "  Writer               google (gemini-3.8-flash), which questions and passages are sent to",
      ),
      caigun.greeting.join("\n"),
    );
    const writers = async (env: Record<string, string>) => {
      const { findings } = JSON.parse((await runCommand(caigun.home, ["doctor", "--json"], env)).stdout);
      return findings.find(({ check }: { check: string }) => check === "writers");
    };
    const elsewhere = await writers({});
    assert.match(elsewhere.found, /^the running server has google .*questions and passages are sent to; google words/);
    assert.deepEqual([elsewhere.status, /settings differ \(none/.test(elsewhere.todo)], ["warning", true]);
    const same = await writers({ CAIGUN_GOOGLE_API_KEY: "another" });
    assert.deepEqual([same.status, same.found, same.todo], ["ok", elsewhere.found, undefined]);
    assert(!JSON.stringify(elsewhere).includes("another"));
  });

  it("says what words the replies, and what stays overruled", async () => {
    const one = await chatbot();
    const run = async (...args: string[]) =>
      (await runCommand(caigun.home, ["chatbot", ...args, "--api-key", one.apiKey])).stdout;
    assert.match(await run("settings"), /^writer +google, which questions .* sent to; the server's default$/m);
    const local = await run("set", "--stay-local", "yes", "--writer", "google");
    assert.match(local, /^stay local +yes$/m);
    assert.match(local, /^writer +none: google stays overruled while "stay local" is yes/m);
    const back = await run("set", "--stay-local", "no", "--writer", "none");
    assert.match(back, /^stay local +no\nwriter +none, as was chosen/m);
  });

  it("is shown and changed by the command line", async () => {
    const one = await chatbot();
    const run = (...args: string[]) => runCommand(caigun.home, ["chatbot", ...args, "--api-key", one.apiKey]);
    const json = async (...args: string[]) => JSON.parse((await run(...args, "--json")).stdout);
    const set = await json("set", "--strictness", "low", "--refusal", "Ask us.", "--stay-local", "true");
    assert.deepEqual(set, { strictness: "low", quality: "best", refusal: "Ask us.", stay_local: true, writer: "none" });
    assert.deepEqual(await json("settings"), set);
    const back = await json("set", "--default-refusal", "--stay-local", "false", "--writer", "default");
    assert.deepEqual([back.refusal, back.stay_local, back.writer], [null, false, "google"]);
    assert.match((await run("settings")).stdout, /^strictness +low\n/);
    const refused = await run("set", "--writer", "openai");
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /CAIGUN_OPENAI_BASE_URL/);
    assert.equal((await run("set", "--strictness", "extreme")).exitCode, 2);
  });
});
