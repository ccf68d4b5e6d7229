import { setTimeout as delay } from "node:timers/promises";
import type { FitName } from "@caigun/reading";
import { Child, ChildEnded } from "../../children/child.ts";
import type { Embedding } from "../embedding.ts";
import type { AskReply, AskRequest } from "./messages.ts";

export type AnsweringOptions = {
  /** The most child processes at a time; each is started when the others have enough to do. */
  children: number;
  heapMiB: number;
  /** For one question, its waiting included, ms. */
  timeoutMs: number;
  /** Questions that may wait at a time; more are refused with Overloaded. */
  maxWaiting: number;
  /** Which learned weights answer. */
  fit: FitName;
  embedding: Embedding;
};

/** More questions wait than could be answered in time. */
export class Overloaded extends Error {
  override name = "Overloaded";
}

/** Questions a child may have before another child is started: below this a second process would only cost memory. */
const ENOUGH_TO_DO = 4;
/** The last child that ends is replaced after this long, ms: one that can't start must not keep a core busy. */
const REPLACE_MS = 250;

/** Child processes that hold indexes open and answer from them. */
export class Answering {
  #options: AnsweringOptions;
  #children: Child[] = [];
  #closed = false;

  constructor(options: AnsweringOptions) {
    this.#options = options;
    this.#start();
  }

  /** Whether a process is there to answer. */
  get isAlive(): boolean {
    return this.#children.some((child) => !child.hasEnded);
  }

  get waiting(): number {
    return this.#children.reduce((sum, child) => sum + child.waiting, 0);
  }

  /**
   * Throws Overloaded, ChildTimedOut, or ChildRefused (the index can't be read). A question whose process ends under it
   * is asked once more: another question may have been what ended it.
   */
  async ask(question: Omit<AskRequest, "fit" | "encoders">, signal: AbortSignal): Promise<AskReply> {
    const { fit, embedding } = this.#options;
    const request = { ...question, fit, encoders: embedding.everyPresent() };
    if (this.waiting >= this.#options.maxWaiting)
      throw new Overloaded(`${this.waiting} questions wait for an answer already.`);
    const reply = await this.#askOnce(request, signal).catch((error: unknown) => {
      if (!(error instanceof ChildEnded) || this.#closed) throw error;
      return this.#askOnce(request, signal);
    });
    // Trained elsewhere, or before the weights were lost: the questions to come will find them.
    if (reply.lacksEncoder !== undefined) embedding.bring(reply.lacksEncoder);
    return reply;
  }

  async #askOnce(request: AskRequest, signal: AbortSignal): Promise<AskReply> {
    signal.throwIfAborted();
    // The signal is not handed to the child: one caller's hanging up must not end a process that answers others.
    return this.#choose(request.key).request<AskReply>(request, { timeoutMs: this.#options.timeoutMs });
  }

  /** The child that has most likely opened this index, unless it has much to do and another has less. */
  #choose(key: string): Child {
    this.#children = this.#children.filter((child) => !child.hasEnded);
    if (this.#children.length === 0) return this.#start();
    const usual = this.#children[Number.parseInt(key.slice(0, 8), 16) % this.#children.length]!;
    if (usual.waiting < ENOUGH_TO_DO) return usual;
    if (this.#children.length < this.#options.children) return this.#start();
    return this.#children.reduce((least, child) => (child.waiting < least.waiting ? child : least), usual);
  }

  #start(): Child {
    const child = new Child({
      module: new URL("./answer-child.ts", import.meta.url),
      name: "answering",
      heapMiB: this.#options.heapMiB,
    });
    this.#children.push(child);
    void this.#replace(child);
    return child;
  }

  /** A server without a process to answer is not ready, and nobody would send it the question that starts one. */
  async #replace(child: Child): Promise<void> {
    await child.ended;
    for (;;) {
      await delay(REPLACE_MS, undefined, { ref: false });
      if (this.#closed || this.isAlive) return;
      try {
        this.#start();
        return;
      } catch {
        // The system has no memory or no process to give (fork throws then): it may have some later.
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const child of this.#children) child.kill();
    await Promise.all(this.#children.map((child) => child.ended));
  }
}
