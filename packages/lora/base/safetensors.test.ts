import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { refusal } from "../../../testkit/refused-base.ts";
import { BaseRefused, openBase } from "../index.ts";

type Header = Record<string, { dtype: string; shape: unknown; data_offsets: unknown }>;

const goldens = new URL("../goldens/", import.meta.url);

/** A copy of a small model, to be mangled. */
async function copied(t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-safetensors-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(fileURLToPath(new URL(name, goldens)), folder, { recursive: true });
  return folder;
}

async function withHeader(folder: string, edit: (header: Header) => void): Promise<void> {
  const path = join(folder, "model.safetensors");
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Header;
  edit(header);
  const json = Buffer.from(JSON.stringify(header));
  const lengthBytes = Buffer.alloc(8);
  lengthBytes.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([lengthBytes, json, bytes.subarray(8 + length)]));
}

async function withConfig(folder: string, changes: Record<string, unknown>): Promise<void> {
  const path = join(folder, "config.json");
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...changes }));
}

const SOME = "transformer.h.0.mlp.c_fc.weight";

describe("a safetensors file", () => {
  it("may be named with its description elsewhere, and without its prefix, with its masks", async (t) => {
    const folder = await copied(t, "tiny-gpt2");
    await withHeader(folder, (header) => {
      for (const [name, entry] of Object.entries(header)) {
        delete header[name];
        header[name.replace(/^transformer\./, "")] = entry;
      }
      header["h.0.attn.bias"] = { dtype: "U8", shape: [1, 1], data_offsets: [0, 1] };
      header["lm_head.weight"] = header["wte.weight"]!;
    });
    const base = await openBase({
      model: join(folder, "model.safetensors"),
      config: fileURLToPath(new URL("tiny-gpt2/config.json", goldens)),
    });
    assert.equal(base.tensors.has("output.weight"), false);
    assert.deepEqual(base.tensors.get("blk.1.ffn_up.weight")!.shape, [64, 16]);
    base.close();
  });

  it("is refused where it or its description makes no sense, with what and why", async (t) => {
    const headers: [RegExp, (header: Header) => void][] = [
      [/no tensor transformer.h.0.mlp.c_fc.weight/, (header) => delete header[SOME]],
      [/instead of 16 x 64/, (header) => Object.assign(header[SOME]!, { shape: [64, 16] })],
      [/bytes: it is no safetensors file/, (header) => Object.assign(header[SOME]!, { shape: [2 ** 40, 2 ** 40] })],
      [/where .* is and of what shape/, (header) => Object.assign(header[SOME]!, { shape: [-1, 64] })],
      [/where .* is and of what shape/, (header) => Object.assign(header[SOME]!, { data_offsets: "all" })],
      [/as "I64", which can't be read/, (header) => Object.assign(header[SOME]!, { dtype: "I64" })],
      [/beyond the file's end/, (header) => Object.assign(header[SOME]!, { data_offsets: [2 ** 50, 2 ** 50 + 4096] })],
      [/on another tensor's bytes/, (header) => Object.assign(header[SOME]!, { data_offsets: [0, 4096] })],
    ];
    for (const [message, edit] of headers) {
      const folder = await copied(t, "tiny-gpt2");
      await withHeader(folder, edit);
      assert.match(await refusal(folder), message);
    }
    const configs: [RegExp, Record<string, unknown>][] = [
      [/family "qwen2"/, { model_type: "qwen2" }],
      [/rope_type "llama3"/, { rope_parameters: { rope_type: "llama3", rope_theta: 5e4 } }],
      [/type "linear"/, { rope_scaling: { type: "linear", factor: 2 } }],
      [/attention_bias "true"/, { attention_bias: true }],
      [/hidden_size as a number/, { hidden_size: "32" }],
      [/layers is 1e\+300|layers is 1e300/, { num_hidden_layers: 1e300 }],
      [/4 heads can't share 3/, { num_key_value_heads: 3 }],
      [/no tensor model\.layers\.2/, { num_hidden_layers: 3 }],
      [/"model.layers.1.[a-z_.]+", for which .* no place/, { num_hidden_layers: 1 }],
    ];
    for (const [message, changes] of configs) {
      const folder = await copied(t, "tiny-llama");
      await withConfig(folder, changes);
      assert.match(await refusal(folder), message);
    }
    const folder = await copied(t, "tiny-llama");
    await writeFile(join(folder, "config.json"), "not JSON");
    assert.match(await refusal(folder), /config.json can't be used/);
    await rm(join(folder, "config.json"));
    assert.match(await refusal(folder), /config.json can't be opened/);
    await rm(join(folder, "model.safetensors"));
    await writeFile(join(folder, "model.safetensors.index.json"), "{}");
    assert.match(await refusal(folder), /in several files/);
  });

  it("whatever its header is, opens or is refused", async (t) => {
    const folder = await copied(t, "tiny-llama");
    const path = join(folder, "model.safetensors");
    const whole = await readFile(path);
    const headBytes = 8 + Number(whole.readBigUInt64LE());
    const edit = fc.record({
      at: fc.integer({ min: 0, max: headBytes }),
      byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('{}[]",:0129ae'))),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { maxLength: 4 }),
        fc.option(fc.integer({ min: 0, max: whole.length })),
        async (edits, cut) => {
          const bytes = Buffer.from(whole);
          for (const { at, byte } of edits) bytes[at] = byte;
          await writeFile(path, bytes.subarray(0, cut ?? bytes.length));
          try {
            const base = await openBase(folder, { digest: "" });
            for (const name of base.tensors.keys()) base.read(name);
            base.close();
          } catch (error) {
            assert(error instanceof BaseRefused, String((error as Error).stack));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
