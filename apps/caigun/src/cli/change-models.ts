import { type Api, call } from "./api.ts";
import { hint } from "./hints.ts";
import { apiOf } from "./installation.ts";
import { modelIdOf } from "./model-ids.ts";
import { print } from "./printing.ts";

type Options = { json?: boolean; apiKey?: string };

/** Has one model answer from now on; `latest`: always the latest that is ready. */
export async function useModel(model: string, { json, apiKey }: Options): Promise<void> {
  const api = await apiOf(apiKey);
  const id = model === "latest" ? null : await modelIdOf(api, model);
  const { detail } = await call(api, "pinModel", { body: { id } });
  const current = await currentOf(api);
  print(json, { detail, model_id: id, current_model_id: current?.id ?? null }, () => [
    whatAnswers(current, apiKey),
    id === null
      ? "A model that becomes ready later takes its place."
      : `A model that becomes ready later does not take its place; ${hint("models use latest", apiKey)} lets it.`,
  ]);
}

export async function cancelTraining(model: string, { json, apiKey }: Options): Promise<void> {
  const api = await apiOf(apiKey);
  const id = await modelIdOf(api, model);
  const cancelled = await call(api, "cancelTraining", { params: { id } });
  print(json, cancelled, () => [`The training of model ${id} "${cancelled.title}" was cancelled.`]);
}

export async function deleteModel(model: string, { json, apiKey }: Options): Promise<void> {
  const api = await apiOf(apiKey);
  const id = await modelIdOf(api, model);
  const { detail } = await call(api, "deleteModel", { params: { id } });
  const current = await currentOf(api);
  print(json, { detail, model_id: id, current_model_id: current?.id ?? null }, () => [
    `Model ${id} is deleted, and with it the text that it was trained on.`,
    whatAnswers(current, apiKey),
  ]);
}

async function currentOf(api: Api): Promise<{ id: string; title: string } | undefined> {
  return (await call(api, "listModels")).models.find(({ is_current }) => is_current);
}

function whatAnswers(current: { id: string; title: string } | undefined, apiKey: string | undefined): string {
  return current
    ? `Model ${current.id} "${current.title}" answers now.`
    : `No model is ready: the chatbot can't answer until one is, and ${hint("train FILE --title TITLE", apiKey)} trains one.`;
}
