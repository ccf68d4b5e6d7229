export { type FetchOptions, type FetchProgress, fetchWeights, findWeights, type WeightsFiles } from "./fetch.ts";
export { manifest, type WeightsName, weightsNames } from "./manifest.ts";
export { WeightsRefused, WeightsUnavailable } from "./problems.ts";
