import type { AdapterFacts, Learning } from "@caigun/contract";
import type { BaseModel } from "../base-model.ts";

/** What the process that trains is told. */
export type LearnRequest = {
  base: BaseModel;
  /** The finished index of the same training: its passages are what is learned. */
  index: string;
  /** A folder of this attempt's own. */
  folder: string;
  /** Where the state is kept, and where an earlier attempt may have left it. */
  checkpoint: string;
  /** The file to write: an adapter in GGUF. */
  target: string;
  threads: number;
  memoryBytes: number;
};

export type LearnProgress = Learning;
/** What was written. `facts` lacks what only the base's manifest knows. */
export type LearnReply = { bytes: number; facts: AdapterFacts };

/** What the process that writes is told. */
export type TalkRequest = {
  base: BaseModel["files"];
  /** SHA-256 of the base's model file: the adapter fits no other. */
  baseDigest: string;
  /** Where a base that llama.cpp can't open is kept as one that it can. */
  folder: string;
  /** The adapter's file. */
  adapter: string;
  question: string;
  /** The best first. */
  passages: readonly string[];
};

export type TalkReply = { stopReason: string };
