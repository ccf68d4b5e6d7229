export type { Architecture, Base, BaseTensor, TensorType } from "./base/base.ts";
export { type BaseFiles, baseFilesAt } from "./base/base-files.ts";
export { type OpenBaseOptions, type OpenedBase, openBase } from "./base/open-base.ts";
export { BaseRefused } from "./base/problems.ts";
export { sha256OfFile } from "./base/random-access-file.ts";
export type { Adapter, AdapterTarget } from "./export/adapter.ts";
export type { AdapterFacts } from "./export/card.ts";
export { exportGgufAdapter } from "./export/gguf-adapter.ts";
export { exportGgufModel, type GgufModelOptions } from "./export/gguf-model.ts";
export { exportPeft } from "./export/peft.ts";
export { readGgufAdapter } from "./export/read-gguf-adapter.ts";
export { adapterOf } from "./export/trained.ts";
export { type Tokenizer, tokenizerOf } from "./tokenizer/tokenizer.ts";
export type { CurvePoint } from "./training/checkpoint.ts";
export { TrainingTooLarge } from "./training/graphs.ts";
export type { Sample } from "./training/packing.ts";
export { defaultSettings, type TrainingSettings } from "./training/settings.ts";
export {
  type TrainedAdapter,
  TrainingDiverged,
  type TrainingProgress,
  type TrainingRun,
  trainAdapter,
} from "./training/train.ts";
