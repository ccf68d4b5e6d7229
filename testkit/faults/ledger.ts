import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openIndex, probeIndex } from "@caigun/passages";
import type { Product } from "./product.ts";

export type Train = {
  title: string;
  text: string;
  /** What is trained, where it is not only found in the text. */
  modelName?: "gpt2";
  /** Sent with the request, so that it can be sent again. */
  idempotencyKey: string;
  /** There when the reply was received. */
  accepted?: { id: string; event_id: string };
  deleted?: boolean;
};
type Talk = { uid: string; text: string; reply?: { text: string; message_id: string } };

const API = "/api/external/chatbot";
/** How late the server may tell that a job's time is over: it looks every five seconds. */
const EXPIRY_SLACK_MS = 8_000;
/** From a fault to the end of the training that it hit: a lease's end, and several tries. */
const TRAINING_END_LIMIT_MS = 180_000;

/** All that was asked of a product and what it acknowledged, and whether it still stands by that. */
export class Ledger {
  readonly trains: Train[] = [];
  readonly talks: Talk[] = [];
  #product: Product;
  #wrongReplies: string[] = [];

  constructor(product: Product) {
    this.#product = product;
  }

  /** Sends a text. Resolves with undefined where no 200 came back: then the product has promised nothing. */
  async train(train: Train): Promise<Train["accepted"]> {
    if (!this.trains.includes(train)) this.trains.push(train);
    const { title, text, modelName } = train;
    const response = await this.#product.server
      .call(`${API}/train`, {
        method: "POST",
        apiKey: this.#product.apiKey,
        headers: { "idempotency-key": train.idempotencyKey },
        json: { title, text, model_name: modelName },
      })
      .catch(() => undefined);
    if (response?.status !== 200) return this.#noteRefusal(response);
    const accepted = (await response.json().catch(() => undefined)) as Train["accepted"];
    if (accepted) train.accepted = accepted;
    return accepted;
  }

  /** Says something in a conversation. Resolves with undefined where no whole reply came back. */
  async talk(uid: string, text: string): Promise<Talk["reply"]> {
    const talk: Talk = { uid, text };
    this.talks.push(talk);
    const response = await this.#product.server
      .call(`${API}/conversation`, {
        method: "POST",
        apiKey: this.#product.apiKey,
        headers: { uid },
        json: { text },
      })
      .catch(() => undefined);
    if (response?.status !== 200) return this.#noteRefusal(response);
    const reply = (await response.json().catch(() => undefined)) as Talk["reply"];
    if (reply) talk.reply = reply;
    return reply;
  }

  /** A fault of the machine is no reason for any other refusal than one that says when to come back. */
  async #noteRefusal(response: Response | undefined): Promise<undefined> {
    if (!response || (response.status === 503 && response.headers.has("retry-after"))) return;
    this.#wrongReplies.push(`A request was answered with ${response.status}: ${await response.text()}`);
  }

  async delete(train: Train): Promise<void> {
    const response = await this.#call(`/models/${train.accepted!.id}`, { method: "DELETE" });
    if (response.status === 200) train.deleted = true;
  }

  /** What of all that was acknowledged does not hold, a sentence each. The product must be up. */
  async check(): Promise<string[]> {
    return [
      ...this.#wrongReplies.splice(0),
      ...(await this.#lostTrains()),
      ...(await this.#lostReplies()),
      ...(await this.#undoneDeletions()),
      ...(await this.#rowsWithoutBytes()),
      ...(await this.#unfitModels()),
      ...(await this.#overdueJobs()),
    ];
  }

  async #lostTrains(): Promise<string[]> {
    const lost: string[] = [];
    for (const { title, text, accepted, deleted } of this.trains) {
      const rows = await this.#product.query<{ id: string; event: string | null; data: string | null }>(
        `select model.id, event.id as event, held.training_data_id as data from model
          left join event on event.model_id = model.id
          left join model_training_data held on held.model_id = model.id where model.title = $1`,
        [title],
      );
      if (rows.length > 1) lost.push(`"${title}" was trained ${rows.length} times, though sent under one key.`);
      const row = rows[0];
      // Nothing was promised, so nothing may be there; but what is there has to be whole.
      if (!accepted && !row) continue;
      if (accepted && row?.id !== accepted.id) lost.push(`The model of "${title}", which was acknowledged, is gone.`);
      if (accepted && row?.event !== accepted.event_id) lost.push(`The event of "${title}" is gone.`);
      if (deleted || !row) continue;
      if (!row.event || !row.data) {
        lost.push(`The model of "${title}" stands without its event or its text.`);
        continue;
      }
      const response = await this.#call(`/training_data/${row.data}/text`);
      const { text: kept } = (await response.json()) as { text?: string };
      if (kept !== text) lost.push(`The text of "${title}" can't be read back (status ${response.status}).`);
    }
    return lost;
  }

  async #lostReplies(): Promise<string[]> {
    const lost: string[] = [];
    const kept = new Map<string, string>();
    for (const uid of new Set(this.talks.map((talk) => talk.uid))) {
      const response = await this.#call("/messages?limit=100", { headers: { uid } });
      const { messages = [] } = (await response.json()) as { messages?: { id: string; send: string }[] };
      for (const { id, send } of messages) kept.set(id, send);
    }
    for (const { text, reply } of this.talks) {
      if (reply && kept.get(reply.message_id) !== reply.text)
        lost.push(`The reply to "${text}" is not in the messages.`);
    }
    return lost;
  }

  async #undoneDeletions(): Promise<string[]> {
    const undone: string[] = [];
    for (const { title, accepted } of this.trains.filter(({ deleted }) => deleted)) {
      const { status } = await this.#call(`/models/${accepted!.id}`);
      if (status !== 410) undone.push(`"${title}" was deleted, and asking for it gives ${status}.`);
    }
    return undone;
  }

  async #rowsWithoutBytes(): Promise<string[]> {
    const rows = await this.#product.query<{ id: string; digest: string }>(
      "select id, blob_digest as digest from training_data where deleted_at is null",
    );
    const lost = await Promise.all(
      rows.map(async ({ id, digest }) =>
        (await digestOfBlob(this.#product.home, digest)) === digest
          ? []
          : [`The row of training data ${id} refers to bytes that are not there.`],
      ),
    );
    return lost.flat();
  }

  /** Models that are said to be ready and whose index does not hold their texts. */
  async #unfitModels(): Promise<string[]> {
    const { home } = this.#product;
    const rows = await this.#product.query<{
      title: string;
      artifact: string;
      adapter: string | null;
      engine: string;
      ids: string[];
      digests: string[];
    }>(
      `select model.title, model.artifact_digest as artifact, model.adapter_digest as adapter, model.engine, array_agg(data.id::text) as ids,
          array_agg(data.blob_digest) as digests
        from model join model_training_data held on held.model_id = model.id
        join training_data data on data.id = held.training_data_id and data.deleted_at is null
        where model.state = 'ready' and model.deleted_at is null group by model.id`,
    );
    const unfit: string[] = [];
    for (const { title, artifact, adapter, engine, ids, digests } of rows) {
      if ((await digestOfBlob(home, artifact)) !== artifact) {
        unfit.push(`The model "${title}" is ready, and its index is not in the blob store.`);
        continue;
      }
      if (engine === "lora" && (adapter === null || (await digestOfBlob(home, adapter)) !== adapter))
        unfit.push(`The model "${title}" is ready, and its adapter is not in the blob store.`);
      const texts = await Promise.all(digests.map((digest) => readFile(blobPath(home, digest), "utf8")));
      const index = openIndex(blobPath(home, artifact));
      const probe = probeIndex(
        index,
        ids.map((id, at) => ({ id, text: texts[at]! })),
      );
      index.close();
      if (!probe.ok) unfit.push(`The model "${title}" is ready and fails its probe: ${probe.cause}`);
    }
    return unfit;
  }

  async #overdueJobs(): Promise<string[]> {
    const rows = await this.#product.query<{ id: string }>(
      "select id from event where ended_at is null and deadline < now() - $1 * interval '1 millisecond'",
      [EXPIRY_SLACK_MS],
    );
    return rows.map(({ id }) => `The training ${id} has not ended by its deadline.`);
  }

  #call(path: string, options: Parameters<Product["server"]["call"]>[1] = {}) {
    return this.#product.server.call(API + path, { apiKey: this.#product.apiKey, ...options });
  }
}

/** Waits for the end of a model's training, and says how it ended. */
export async function endOf(product: Product, modelId: string): Promise<string> {
  const end = performance.now() + TRAINING_END_LIMIT_MS;
  for (;;) {
    const [row] = await product.query<{ state: string }>("select state from model where id = $1", [modelId]);
    if (!row) return "gone";
    if (row.state !== "queued" && row.state !== "training") return row.state;
    if (performance.now() > end) return `${row.state} still, after ${TRAINING_END_LIMIT_MS / 1000} s`;
    await delay(50);
  }
}

const blobPath = (home: string, digest: string) => join(home, "blobs", digest.slice(0, 2), digest);

async function digestOfBlob(home: string, digest: string): Promise<string | undefined> {
  const bytes = await readFile(blobPath(home, digest)).catch(() => undefined);
  return bytes && createHash("sha256").update(bytes).digest("hex");
}
