export type { Architecture, Base, BaseTensor, TensorType } from "./base/base.ts";
