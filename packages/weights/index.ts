export { type FetchOptions, fetchWeights, findWeights, type WeightsFiles } from "./fetch.ts";
export { manifest, type WeightsName, weightsNames } from "./manifest.ts";
export { WeightsNotWritten, WeightsRefused, WeightsUnavailable } from "./problems.ts";
export type { FetchProgress } from "./progress.ts";
