import type { Input, Reply } from "@caigun/contract";
import { call } from "./api.ts";
import { apiOf } from "./installation.ts";
import { print, table } from "./printing.ts";

type Shared = { json?: boolean; apiKey?: string };
type Changes = Pick<Input<"changeSettings">, "strictness" | "quality" | "refusal"> & {
  defaultRefusal?: boolean;
  stayLocal?: "true" | "false";
  writer?: NonNullable<Input<"changeSettings">["writer"]> | "default";
};

export async function showSettings({ json, apiKey }: Shared): Promise<void> {
  show(await call(await apiOf(apiKey), "getSettings"), json);
}

export async function changeSettings({ json, apiKey, ...changes }: Shared & Changes): Promise<void> {
  const { strictness, quality, refusal, defaultRefusal, stayLocal, writer } = changes;
  const body = {
    strictness,
    quality,
    refusal: defaultRefusal ? null : refusal,
    stay_local: stayLocal && stayLocal === "true",
    writer: writer === "default" ? null : writer,
  };
  show(await call(await apiOf(apiKey), "changeSettings", { body }), json);
}

function show(settings: Reply<"getSettings">, json: boolean | undefined): void {
  const { strictness, quality, refusal, stay_local, writer } = settings;
  print(json, settings, () =>
    table([
      ["strictness", strictness],
      ["quality", quality],
      ["refusal", refusal ?? "a sentence in the question's language"],
      ["stay local", stay_local ? "yes" : "no"],
      ["writer", writer],
    ]),
  );
}
