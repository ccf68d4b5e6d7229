import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Tokenizer, tokenizerOf } from "@caigun/lora";
import { buildIndex, openIndex, type PassageIndex } from "@caigun/passages";
import { DECLINED } from "../writers/prompt.ts";
import { learningMs, planFor } from "./plan.ts";
import { fittingPassages, groundedPrompt } from "./prompt.ts";
import { type Samples, samplesFrom } from "./samples.ts";

const animals = ["otter", "heron", "badger", "marten", "falcon", "lizard", "beetle", "salmon", "weasel", "magpie"];
const sentence = (at: number) =>
  `The ${animals[at % 10]} number ${at} lives beside gate ${at * 7} and eats ${at + 3} pounds of food.`;
const paragraphs = Array.from({ length: 40 }, (_, at) =>
  [0, 1, 2, 3, 4].map((nth) => sentence(5 * at + nth)).join(" "),
);

describe("what an adapter learns from a text", () => {
  let [folder, index, tokenizer, samples]: [string, PassageIndex, Tokenizer, Samples] = [] as never;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "caigun-samples-"));
    buildIndex(join(folder, "index"), [{ id: "text", title: "text", text: paragraphs.join("\n\n") }]);
    index = openIndex(join(folder, "index"));
    tokenizer = tokenizerOf(fileURLToPath(new URL("../../../../../packages/lora/goldens/tiny-gpt2", import.meta.url)));
    samples = samplesFrom(index, tokenizer, 512);
  });
  after(async () => {
    index.close();
    await rm(folder, { recursive: true });
  });

  const textOf = ({ tokens }: Samples["learned"][number]) => tokenizer.decode(tokens);
  const isAsked = (text: string) => text.includes("\nAnswer:");

  it("is the same each time", () => {
    assert.deepEqual(samplesFrom(index, tokenizer, 512), samples);
  });

  it("has every sentence once, learned or held out", () => {
    const texts = (of: Samples["learned"]) =>
      of
        .map(textOf)
        .filter((text) => !isAsked(text))
        .join("\n");
    const [learned, heldOut] = [texts(samples.learned), texts(samples.heldOut)];
    for (let at = 0; at < 200; at++)
      assert.equal(Number(learned.includes(sentence(at))) + Number(heldOut.includes(sentence(at))), 1, sentence(at));
    assert(heldOut.length > 0 && heldOut.length < learned.length / 5);
  });

  it("asks for the answer alone, which stands in the passages, or is declined where it does not", () => {
    const asked = [...samples.learned, ...samples.heldOut].filter((sample) => isAsked(textOf(sample)));
    let declined = 0;
    for (const { tokens, supervisedFrom } of asked) {
      const [prompt, answer] = [tokens.slice(0, supervisedFrom), tokens.slice(supervisedFrom)].map((part) =>
        tokenizer.decode(part),
      ) as [string, string];
      assert(prompt.endsWith("\nAnswer:"));
      const said = answer.replace("<|endoftext|>", "").trim();
      if (said === DECLINED) declined++;
      else assert(prompt.includes(said), said);
    }
    assert(asked.length >= 20, `${asked.length} are asked`);
    const lateOnes = asked.filter((sample) => / number 1[5-9]\d /.test(textOf(sample)));
    assert(lateOnes.length >= 4, "they are spread over the text");
    assert(declined > 0 && declined < asked.length / 4, `${declined} of ${asked.length} are declined`);
  });
});

describe("a training's plan", () => {
  it("goes over small texts several times, and over large ones once", () => {
    const tokens = (epoch: number, parameters = 135e6) => {
      const { steps, batch, accumulate, length } = planFor(epoch, parameters, 512, 1);
      return steps * batch * accumulate * length;
    };
    assert(Math.abs(tokens(10_000) - 120_000) < 2_000);
    assert(Math.abs(tokens(60_000) - 120_000) < 2_000);
    assert(Math.abs(tokens(400_000) - 400_000) < 2_000);
    assert(tokens(9_000_000) <= 1_001_000);
    // A larger base goes over as much in as much time as it takes the usual one to go over its own.
    assert(Math.abs(tokens(400_000, 540e6) - 100_000) < 2_000);
    assert(Math.abs(tokens(1_000, 540e6) - 12_000) < 2_000);
    assert(learningMs(100_000) < learningMs(2_000_000));
  });
});

describe("a prompt", () => {
  it("takes the best passages as far as they fit, and a part of the best where it alone is too long", () => {
    const count = (text: string) => text.length;
    assert.deepEqual(fittingPassages(["aaaa", "bbb", "cc"], 7, count), ["aaaa", "bbb"]);
    assert.deepEqual(fittingPassages(["aaaaaaaa", "b"], 4, count), ["aaaa"]);
    assert.equal(groundedPrompt("What\n is it?", ["A", "B"]), "Text:\nA\n\nB\n\nQuestion: What is it?\nAnswer:");
    assert.equal(groundedPrompt("What?", []), "Question: What?\nAnswer:");
  });
});
