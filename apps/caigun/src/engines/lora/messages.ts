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
  /** What the training shall take; more, up to the next, only where a base needs more. */
  memoryBytes: number;
  mostMemoryBytes: number;
  /** What it might take if nothing else ran on this machine. */
  machineMemoryBytes: number;
};

export type LearnProgress = Learning;
/** What was written. `facts` lacks what only the base's manifest knows. */
export type LearnReply = { bytes: number; facts: AdapterFacts };

/** How the next token is chosen: the likeliest with a temperature of 0, else by chance among those that make up `topP`. */
export type Sampling = { temperature: number; topP: number };

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
  sampling: Sampling;
};

export type TalkReply = { stopReason: string };
