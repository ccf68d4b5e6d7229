import { type ChildProcess, fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { constants, getPriority, setPriority } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export type ChildOptions = {
  /** The module the child runs; it calls `serveParent` (serve-parent.ts). */
  module: URL;
  /** A short name for logs and error sentences. */
  name: string;
  /** The most memory its JavaScript heap may take, MiB; beyond it the child ends and its requests fail. */
  heapMiB: number;
  /** Its work takes minutes and nobody waits for each moment of it: what people wait for goes first on a busy processor. */
  inBackground?: boolean;
};

export type RequestOptions = {
  /** The child is killed, and the request fails with ChildTimedOut, when no reply came after this long. */
  timeoutMs: number;
  /** The request fails with the signal's reason when it aborts. */
  signal?: AbortSignal;
  /** What becomes of the child then: it is killed, unless it is told to stop this request alone and live on. */
  onAbort?: "kill" | "cancel";
  /** A child that was told to stop is killed when it has not after this long, ms, of which it worked on nothing older. */
  cancelWithinMs?: number;
  onProgress?: (progress: unknown) => void;
};

const CANCEL_WITHIN_MS = 10_000;

/** The child ended before it replied: killed, out of memory, or crashed in native code. Trying again may help. */
export class ChildEnded extends Error {
  override name = "ChildEnded";
}

export class ChildTimedOut extends Error {
  override name = "ChildTimedOut";
}

/** An error of the child's own: its name and message, and its code where it has one (Node's, or SQLite's number). */
export type Refusal = { name: string; message: string; code?: string; errcode?: number };

/** The child refused the request: an error of its own, by name. Trying the same again gives the same. */
export class ChildRefused extends Error {
  override name = "ChildRefused";
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

type Pending = {
  resolve: (reply: unknown) => void;
  reject: (error: Error) => void;
  onProgress: ((progress: unknown) => void) | undefined;
  release: () => void;
};

export type FromChild =
  | { id: number; reply: unknown }
  | { id: number; progress: unknown }
  | { id: number; error: Refusal };
export type ToChild = { id: number; request: unknown } | { id: number; cancel: true };

/**
 * A process of its own for work that blocks, may crash, or may have to be stopped: it gets no environment but
 * where this process keeps compiled code, so no secret reaches it, and it ends by itself when its parent is gone.
 */
export class Child {
  readonly pid: number;
  readonly ended: Promise<void>;
  #process: ChildProcess;
  #name: string;
  #pending = new Map<number, Pending>();
  /** The requests that the child has not replied to, in the order in which it works on them, also when nobody waits. */
  #unanswered = new Map<number, { cancelWithinMs: number }>();
  #stuck: { id: number; timer: NodeJS.Timeout } | undefined;
  #nextId = 1;
  #hasEnded = false;

  constructor({ module, name, heapMiB, inBackground = false }: ChildOptions) {
    this.#name = name;
    this.#process = fork(fileURLToPath(module), [], {
      env: compileCache(),
      // Its standard error is the parent's: what a crash prints is all that remains of it.
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: ["--disable-warning=ExperimentalWarning", `--max-old-space-size=${heapMiB}`],
    });
    this.pid = this.#process.pid ?? -1;
    if (inBackground) yieldToOthers(this.pid);
    this.#process.on("message", (message) => this.#receive(message as FromChild));
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#hasEnded) return;
        this.#hasEnded = true;
        this.#unanswered.clear();
        this.#watchOldest();
        const error = new ChildEnded(`The ${name} process ended: ${how}.`);
        for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
        resolve();
      };
      this.#process.once("exit", (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
      this.#process.once("error", (error) => end(error.message));
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** How many requests have no reply yet. */
  get waiting(): number {
    return this.#pending.size;
  }

  request<Reply>(
    request: unknown,
    { timeoutMs, signal, onAbort = "kill", cancelWithinMs = CANCEL_WITHIN_MS, onProgress }: RequestOptions,
  ): Promise<Reply> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#hasEnded) return Promise.reject(new ChildEnded(`The ${this.#name} process has ended.`));
    const id = this.#nextId++;
    return new Promise<Reply>((resolve, reject) => {
      const stop = (error: Error) => {
        this.#settle(id)?.reject(error);
        this.kill();
      };
      const timer = setTimeout(
        () => stop(new ChildTimedOut(`The ${this.#name} process gave no reply within ${timeoutMs / 1000} s.`)),
        timeoutMs,
      );
      const abort = () => {
        if (onAbort === "kill") return stop(signal?.reason as Error);
        this.#settle(id)?.reject(signal?.reason as Error);
        this.#process.send({ id, cancel: true } satisfies ToChild, () => {});
        this.#watchOldest();
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#unanswered.set(id, { cancelWithinMs });
      this.#pending.set(id, {
        resolve: resolve as (reply: unknown) => void,
        reject,
        onProgress,
        release: () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
        },
      });
      this.#process.send({ id, request } satisfies ToChild, (error) => {
        if (error)
          this.#settle(id)?.reject(new ChildEnded(`The ${this.#name} process can't be reached: ${error.message}.`));
      });
    });
  }

  /** Ends it at once; what it was doing is lost. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.release();
    return pending;
  }

  /** Kills the child where it works on a request that was cancelled, and goes on for too long: the others wait for it. */
  #watchOldest(): void {
    const [oldest] = this.#unanswered;
    const cancelled = oldest && !this.#pending.has(oldest[0]) ? oldest : undefined;
    if (this.#stuck?.id === cancelled?.[0]) return;
    clearTimeout(this.#stuck?.timer);
    this.#stuck = undefined;
    if (!cancelled) return;
    const [id, { cancelWithinMs }] = cancelled;
    this.#stuck = { id, timer: setTimeout(() => this.kill(), cancelWithinMs) };
  }

  #receive(message: FromChild): void {
    if ("progress" in message) {
      this.#pending.get(message.id)?.onProgress?.(message.progress);
      return;
    }
    this.#unanswered.delete(message.id);
    this.#watchOldest();
    if ("error" in message) this.#settle(message.id)?.reject(new ChildRefused(message.error));
    else this.#settle(message.id)?.resolve(message.reply);
  }
}

/** Of a process that has just begun, so that all threads it will have inherit it. */
function yieldToOthers(pid: number): void {
  try {
    setPriority(pid, Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
  } catch {
    // It could not be started, or has ended: whoever asks it for something is told.
  }
}

/** Compiled code that is found need not be compiled: that is most of what starting a child costs. */
function compileCache(): Record<string, string> {
  const ofThisVersion = getCompileCacheDir();
  return ofThisVersion ? { NODE_COMPILE_CACHE: dirname(ofThisVersion) } : {};
}
