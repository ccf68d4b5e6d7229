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

/** As they are where bytes that are no UTF-8 became U+FFFD, which is how programs read a file as text. */
const asText = kinds.map(
  ([first, kind]) => [new TextDecoder().decode(Uint8Array.from(first, (byte) => byte.charCodeAt(0))), kind] as const,
);

/** U+FEFF in a text, or its three bytes in UTF-8 as Latin-1. */
const BYTE_ORDER_MARK = /^(\ufeff|\xef\xbb\xbf)/;

/**
 * What else than plain text a file is, where its first bytes say so: given as Latin-1, or as the text that they were read
 * as. White space before a PDF's or an RTF's beginning counts for nothing, as it does for programs that open them.
 */
export function fileKind(beginning: string): string | undefined {
  const start = beginning.replace(BYTE_ORDER_MARK, "").trimStart();
  return [...kinds, ...asText].find(([first]) => start.startsWith(first))?.[1];
}
