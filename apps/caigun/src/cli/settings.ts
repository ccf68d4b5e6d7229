import type { Input, Reply } from "@caigun/contract";
import { type Api, call } from "./api.ts";
import { apiOf, behindTheKey } from "./installation.ts";
import { print, table } from "./printing.ts";
import { wordedBy } from "./worded-by.ts";

type Shared = { json?: boolean; apiKey?: string };
type Changes = Pick<Input<"changeSettings">, "strictness" | "quality" | "refusal"> & {
  defaultRefusal?: boolean;
  stayLocal?: "yes" | "no" | "true" | "false";
  writer?: NonNullable<Input<"changeSettings">["writer"]> | "default";
};

export async function showSettings({ json, apiKey }: Shared): Promise<void> {
  const api = await apiOf(apiKey);
  await show(api, await call(api, "getSettings"), json);
}

export async function changeSettings({ json, apiKey, ...changes }: Shared & Changes): Promise<void> {
  const { strictness, quality, refusal, defaultRefusal, stayLocal, writer } = changes;
  const body = {
    strictness,
    quality,
    refusal: defaultRefusal ? null : refusal,
    stay_local: stayLocal && (stayLocal === "yes" || stayLocal === "true"),
    writer: writer === "default" ? null : writer,
  };
  const api = await apiOf(apiKey);
  await show(api, await call(api, "changeSettings", { body }), json);
}

async function show(api: Api, settings: Reply<"getSettings">, json: boolean | undefined): Promise<void> {
  const { strictness, quality, refusal, stay_local, writer } = settings;
  const { caller, writers } = await behindTheKey(api.apiKey);
  const worded = wordedBy({
    chosen: caller?.settings.writer ?? null,
    effective: writer,
    stayLocal: stay_local,
    hasAdapter: caller?.model?.adapterDigest != null,
    configured: writers,
  });
  print(json, settings, () =>
    table([
      ["strictness", strictness],
      ["quality", quality],
      ["refusal", refusal ?? "a sentence in the question's language"],
      ["stay local", stay_local ? "yes" : "no"],
      ["writer", worded],
    ]),
  );
}
