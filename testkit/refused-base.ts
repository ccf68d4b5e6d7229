import assert from "node:assert/strict";
import { BaseRefused, openBase } from "@caigun/lora";

/** Why a base model is refused. Fails where it is opened. */
export async function refusal(path: string): Promise<string> {
  const error = await openBase(path, { digest: "" }).then(
    (base) => base.close(),
    (reason) => reason,
  );
  assert(error instanceof BaseRefused, `${path} was not refused: ${error}`);
  return error.message;
}
