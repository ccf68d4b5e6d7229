import { type AdapterFacts, type Evaluation, type Input, type Model, Problem, type Reply } from "@caigun/contract";
import {
  cancelEvent,
  deleteModel as deleteStoredModel,
  findModel,
  listModels as listStoredModels,
  pinModel as pinStoredModel,
  type Model as StoredModel,
} from "../store/index.ts";
import type { Caller } from "./caller.ts";
import type { House } from "./house.ts";

export async function listModels({ store }: House, caller: Caller): Promise<Reply<"listModels">> {
  const models = await listStoredModels(store.db, caller.chatbotId);
  return { models: models.map((model) => asModel(model, caller)) };
}

export async function getModel(house: House, caller: Caller, { id }: Input<"getModel">): Promise<Reply<"getModel">> {
  return asModel(await liveModel(house, caller, id), caller);
}

/** Takes effect at once: the model answers nothing from now on, and a training of it is stopped. */
export async function deleteModel(
  house: House,
  caller: Caller,
  { id }: Input<"deleteModel">,
): Promise<Reply<"deleteModel">> {
  await liveModel(house, caller, id);
  await deleteStoredModel(house.store.db, caller.chatbotId, id);
  return { detail: "Delete model successfully" };
}

export async function cancelTraining(
  house: House,
  caller: Caller,
  { id }: Input<"cancelTraining">,
): Promise<Reply<"cancelTraining">> {
  const { eventId } = await liveModel(house, caller, id);
  if (!eventId || !(await cancelEvent(house.store.db, caller.chatbotId, eventId))) throw new Problem("not_running");
  return getModel(house, caller, { id });
}

/** Has one model answer from now on, or with null the latest that is ready. */
export async function pinModel(house: House, caller: Caller, { id }: Input<"pinModel">): Promise<Reply<"pinModel">> {
  if (id !== null) {
    const model = await liveModel(house, caller, id);
    if (model.state !== "ready") throw new Problem("model_not_ready");
  }
  // The model may have been deleted since it was looked at.
  if (!(await pinStoredModel(house.store.db, caller.chatbotId, id))) throw new Problem("model_not_found");
  return { detail: "Update successfully" };
}

export async function liveModel({ store }: House, { chatbotId }: Caller, id: string): Promise<StoredModel> {
  const model = await findModel(store.db, chatbotId, id);
  if (!model) throw new Problem("model_not_found");
  if (model.deletedAt) throw new Problem("model_deleted");
  return model;
}

function asModel(model: StoredModel, { model: current }: Caller): Model {
  return {
    title: model.title,
    id: model.id,
    updated_at: model.updatedAt,
    created_at: model.createdAt,
    model_name: model.modelName,
    training_data_type: model.trainingDataType,
    status: model.state,
    // Once the training has ended there is no stage it is in; a failure names its own.
    stage: model.state === "queued" || model.state === "training" ? model.stage : null,
    progress: model.progress ?? 0,
    event_id: model.eventId,
    deadline: model.deadline,
    engine: model.engine,
    base: model.base,
    retrieval: model.retrieval,
    failure: model.failure,
    is_current: model.id === current?.id,
    evaluation: model.evaluation as Evaluation | null,
    adapter: model.adapter as AdapterFacts | null,
  };
}
