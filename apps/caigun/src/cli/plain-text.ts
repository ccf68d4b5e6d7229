import { readFile } from "node:fs/promises";
import { CommandFailed, exitCodes } from "./failures.ts";

/** What files of documents, pictures and archives begin with. Some are text by their bytes, and none is by what it says. */
const kinds: readonly (readonly [beginning: string, kind: string])[] = [
  ["%PDF-", "a PDF file"],
  ["%!PS", "a PostScript file"],
  ["{\\rtf", "an RTF document"],
  ["PK\x03\x04", "a zip archive, as .docx, .xlsx, .odt and .epub files are"],
  ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an older Office document, such as .doc or .xls"],
  ["\x89PNG\r\n", "a picture (PNG)"],
  ["\xff\xd8\xff", "a picture (JPEG)"],
  ["GIF87a", "a picture (GIF)"],
  ["GIF89a", "a picture (GIF)"],
  ["\x1f\x8b", "a gzip archive"],
  ["SQLite format 3\0", "an SQLite database"],
];

const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/** The text of a file of plain text in UTF-8. Throws CommandFailed, with what to do, for another file. */
export async function readPlainText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailed(`${path} can't be read (${error.code}).`, exitCodes.usage);
  });
  const kind = kindOf(bytes);
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

/** What else than plain text a file is, where its first bytes say so. */
function kindOf(bytes: Buffer): string | undefined {
  const beginning = bytes.toString("latin1", 0, 64);
  const start = beginning.startsWith(BYTE_ORDER_MARK) ? beginning.slice(BYTE_ORDER_MARK.length) : beginning;
  return kinds.find(([first]) => start.startsWith(first))?.[1];
}
