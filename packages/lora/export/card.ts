import type { Adapter } from "./adapter.ts";

/** What is told of an adapter to whoever finds it. */
export interface AdapterFacts {
  title: string;
  base: {
    /** What PEFT loads the base by: a repository's name, or a path. */
    name: string;
    /** An SPDX identifier, such as Apache-2.0. */
    licence: string;
    /** How the weights were kept that it was trained on, such as Q4_1. */
    quantisation: string;
    /** Why it is not the base that was asked for. */
    because?: string | undefined;
  };
  /** SHA-256 of what it was trained on, in hexadecimal. */
  dataDigest: string;
  /** Learning rate, steps and the like, as they are to be shown. */
  settings: Readonly<Record<string, string | number | boolean>>;
  /** Mean loss per supervised token, in nats. */
  curve: readonly { step: number; loss?: number | undefined; heldOutLoss?: number | undefined }[];
}

/** A model card in Markdown, with what Hugging Face's hub reads before it (its documentation, "Model Cards"). */
export function card({ r, alpha, baseDigest, targets }: Adapter, facts: AdapterFacts): string {
  const { title, base, dataDigest, settings, curve } = facts;
  const layers = [...new Set(targets.map(({ name }) => name.replace(/^blk\.\d+\./, "").replace(/\.weight$/, "")))];
  const rows = (entries: readonly (readonly unknown[])[]) =>
    entries.map((entry) => `| ${entry.map((cell) => plain(String(cell ?? ""))).join(" | ")} |`);
  return [
    "---",
    `base_model: ${JSON.stringify(base.name)}`,
    "library_name: peft",
    `license: ${JSON.stringify(base.licence.toLowerCase())}`,
    "pipeline_tag: text-generation",
    "tags: [lora]",
    "---",
    "",
    `# ${plain(title)}`,
    "",
    `A low-rank adapter (LoRA) for ${plain(base.name)}, whose weights were ${plain(base.quantisation)} while it was trained.`,
    ...(base.because === undefined ? [] : ["", `This base stands in for another: ${plain(base.because)}`]),
    "",
    "It has the wording of the text that it was trained on. It is no source of facts: look them up in the text.",
    "",
    "It was trained to go on after this form of prompt, the passages being those that were found for the question:",
    "",
    "```text",
    "Text:",
    "PASSAGE",
    "",
    "PASSAGE",
    "",
    "Question: QUESTION",
    "Answer:",
    "```",
    "",
    "| | |",
    "|---|---|",
    ...rows([
      ["SHA-256 of the base's file", baseDigest],
      ["SHA-256 of the training data", dataDigest],
      ["licence of the base", base.licence],
      ["r, alpha", `${r}, ${alpha}`],
      ["layers", layers.join(", ")],
      ...Object.entries(settings),
    ]),
    "",
    "| step | loss | held-out loss |",
    "|---|---|---|",
    ...rows(curve.map(({ step, loss, heldOutLoss }) => [step, loss?.toFixed(4), heldOutLoss?.toFixed(4)])),
    "",
  ].join("\n");
}

/** A person's words as words: no markup, no link, no image, no new line. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>()#!|~]/g, "\\$&");
}
