import { availableParallelism } from "node:os";
import { getLlama, LlamaChatSession, type LlamaContext, LlamaLogLevel } from "node-llama-cpp";
import { serveParent } from "../../children/serve-parent.ts";
import type { GgufReply, GgufRequest } from "./gguf-messages.ts";

const MOST_TOKENS = 160;
/** Tokens of the prompt and the reply together: what they take in memory grows with it. */
const CONTEXT_TOKENS = 4_096;

/** Its threads wait for each other at every step: one that shares its core with other work makes a reply ten times slower. */
const THREADS = Math.max(1, availableParallelism() - 1);

let loaded: { path: string; context: Promise<LlamaContext> } | undefined;

/** The process that holds one language model and writes with it, one reply at a time. */
serveParent(async (message, report, signal): Promise<GgufReply> => {
  const { modelPath, system, user } = message as GgufRequest;
  // Loading goes on for the next question when nobody waits for this one.
  const context = await Promise.race([contextOf(modelPath), aborted(signal)]);
  signal.throwIfAborted();
  const sequence = context.getSequence();
  try {
    const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: system });
    const { stopReason } = await session.promptWithMeta(user, {
      signal,
      maxTokens: MOST_TOKENS,
      temperature: 0,
      onTextChunk: report,
    });
    return { stopReason };
  } finally {
    sequence.dispose();
  }
});

/** Loaded once; again when that failed, which may have been for want of memory at the time. */
function contextOf(modelPath: string): Promise<LlamaContext> {
  if (loaded?.path === modelPath) return loaded.context;
  const loading = { path: modelPath, context: open(modelPath) };
  loaded = loading;
  loading.context.catch(() => {
    if (loaded === loading) loaded = undefined;
  });
  return loading.context;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function open(modelPath: string): Promise<LlamaContext> {
  // What is built for this machine comes with the library: nothing is compiled, and nothing downloaded.
  const llama = await getLlama({ build: "never", gpu: false, logLevel: LlamaLogLevel.error, maxThreads: THREADS });
  const model = await llama.loadModel({ modelPath });
  return model.createContext({ contextSize: { max: CONTEXT_TOKENS }, sequences: 1, threads: THREADS });
}
