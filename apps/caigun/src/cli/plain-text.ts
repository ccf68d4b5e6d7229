import { readFile } from "node:fs/promises";
import { fileKind } from "@caigun/text";
import { CommandFailed, exitCodes } from "./failures.ts";

/** The text of a file of plain text in UTF-8. Throws CommandFailed, with what to do, for another file. */
export async function readPlainText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailed(`${path} can't be read (${error.code}).`, exitCodes.usage);
  });
  const kind = fileKind(bytes.toString("latin1", 0, 64));
  if (kind)
    throw new CommandFailed(
      `${path} is ${kind}. Save what it says as plain text in UTF-8, and train on that.`,
      exitCodes.usage,
    );
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CommandFailed(
      `${path} is not text in UTF-8. Save it as plain text in UTF-8 and try again.`,
      exitCodes.usage,
    );
  }
}
