import type { AdapterFacts } from "@caigun/lora";
import type { BaseModel } from "../base-model.ts";

/** What an adapter can be made into; as it is stored it is a GGUF adapter already. */
export type MadeFormat = "peft" | "merged-gguf";

/** What the process that makes a file of an adapter is told. */
export type ExportRequest = {
  format: MadeFormat;
  base: BaseModel;
  /** The stored adapter's file. */
  adapter: string;
  /** A folder of this request's own. */
  folder: string;
  /** The file to write; it lies in `folder`. */
  target: string;
  facts: AdapterFacts;
};
