import assert from "node:assert/strict";
import { isAbsolute, resolve } from "node:path";
import { describe, it } from "node:test";
import { baseOptionsOf } from "./assembly/foundation.ts";
import { BadSetting, readConfig } from "./config.ts";

describe("the settings in the environment", () => {
  it("need nothing to be set", () => {
    const config = readConfig({});
    assert.equal(config.host, "127.0.0.1");
    assert.equal(config.port, 8000);
    assert(isAbsolute(config.home) && config.home.endsWith(".caigun"));
    assert.equal(config.databaseUrl, undefined);
    assert.equal(config.rateLimitPerMinute, 6000);
  });

  it("take an empty variable for one that is not set", () => {
    assert.deepEqual(readConfig({ PORT: "", CAIGUN_HOME: " ", DATABASE_URL: "" }), readConfig({}));
  });

  it("take a base of gpt2 for a path where it looks like one, else for a name", () => {
    assert.deepEqual(readConfig({}).gpt2Sampling, { temperature: 0, topP: 1 });
    assert.equal(readConfig({ CAIGUN_GPT2_TEMPERATURE: "0.7" }).gpt2Sampling.temperature, 0.7);
    for (const wrong of ["hot", "-1", "3", "NaN"])
      assert.throws(() => readConfig({ CAIGUN_GPT2_TEMPERATURE: wrong }), /write a number from 0 to 2/);
    assert.deepEqual(readConfig({ CAIGUN_GPT2_BASE: "gpt2" }).gpt2Base, { name: "gpt2" });
    for (const path of ["./gpt2", "model.gguf", "/models/gpt2"])
      assert.deepEqual(readConfig({ CAIGUN_GPT2_BASE: path }).gpt2Base, { path: resolve(path) });
    assert.throws(
      () => baseOptionsOf(readConfig({ CAIGUN_GPT2_BASE: "gpt3" })),
      /write one of gpt2, .* such as \.\/gpt3/,
    );
    const options = baseOptionsOf(readConfig({ CAIGUN_GPT2_BASE: "gpt2", CAIGUN_STRICT_ENGINES: "1" }));
    assert.deepEqual([options.choice, options.strict], [{ name: "gpt2" }, true]);
  });

  it("say which variable can't be used, and never show what may hold a password", () => {
    const refused: [name: string, value: string][] = [
      ["PORT", "http"],
      ["PORT", "65536"],
      ["CAIGUN_LOG_LEVEL", "loud"],
      ["CAIGUN_RATE_LIMIT_PER_MINUTE", "-1"],
      ["DATABASE_URL", "mysql://me:secret@host/db"],
      ["CAIGUN_ENCRYPTION_KEY", "secret"],
      ["CAIGUN_OPENAI_BASE_URL", "host/v1?key=secret"],
      ["CAIGUN_OPENAI_API_KEY", "secret"],
      ["CAIGUN_OPENAI_BASE_URL", "http://me:secret@host/v1"],
      ["CAIGUN_GOOGLE_BASE_URL", "https://secret@host/"],
      ["CAIGUN_HUGGING_FACE_URL", "https://:secret@host/"],
    ];
    for (const [name, value] of refused) {
      assert.throws(
        () => readConfig({ [name]: value }),
        (error: Error) =>
          error instanceof BadSetting && error.message.includes(name) && !error.message.includes("secret"),
      );
    }
  });

  it("name the writing engines that have all they need", () => {
    assert.deepEqual(readConfig({ GOOGLE_API_KEY: "k", OPENAI_API_KEY: "k" }).writers, {});
    assert.deepEqual(readConfig({ CAIGUN_GOOGLE_API_KEY: "k", CAIGUN_GOOGLE_MODEL: "gemini-x" }).writers, {
      google: { apiKey: "k", model: "gemini-x" },
    });
    const openai = { CAIGUN_OPENAI_BASE_URL: "http://127.0.0.1:9/v1", CAIGUN_OPENAI_MODEL: "m" };
    assert.deepEqual(readConfig(openai).writers, { openai: { baseUrl: "http://127.0.0.1:9/v1", model: "m" } });
    assert.deepEqual(readConfig({ CAIGUN_GGUF: "/models/small.gguf" }).writers, {
      gguf: { path: "/models/small.gguf" },
    });
    assert.throws(() => readConfig({ CAIGUN_OPENAI_BASE_URL: "http://127.0.0.1:9/v1" }), /CAIGUN_OPENAI_MODEL/);
  });
});
