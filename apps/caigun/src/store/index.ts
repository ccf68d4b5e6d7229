export * from "./accounts.ts";
export * from "./api-keys.ts";
export * from "./blob-references.ts";
export * from "./chatbots.ts";
export * from "./conversations.ts";
export * from "./events.ts";
export * from "./idempotency.ts";
export { type AccountId, type ChatbotId, newId } from "./ids.ts";
export * from "./installation.ts";
export { migrate } from "./migrate.ts";
export {
  type CurrentModel,
  currentModel,
  deleteModel,
  findModel,
  insertModel,
  listModels,
  type Model,
  modelDocuments,
  type NewModel,
  previousEvaluation,
} from "./models.ts";
export { inTransaction, openStore, type Store } from "./open.ts";
export type { Db, EventState, Failure, JsonObject, ModelState, TrainingDataType } from "./schema.ts";
export * from "./settings.ts";
export * from "./talk-context.ts";
export {
  deleteTrainingData,
  findTrainingData,
  insertTrainingData,
  listTrainingData,
  type NewTrainingData,
  type TrainingData,
} from "./training-data.ts";
export * from "./unanswered.ts";
export { isDatabaseUnavailable } from "./unavailable.ts";
