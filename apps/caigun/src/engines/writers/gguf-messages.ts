import type { Prompt } from "./prompt.ts";

export type GgufRequest = { modelPath: string } & Prompt;
/** Pieces are reported as progress while it writes. */
export type GgufReply = { stopReason: string };
