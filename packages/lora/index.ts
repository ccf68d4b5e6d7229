export type { Architecture, Base, BaseTensor, TensorType } from "./base/base.ts";
export { type OpenBaseOptions, type OpenedBase, openBase } from "./base/open-base.ts";
export { BaseRefused } from "./base/problems.ts";
