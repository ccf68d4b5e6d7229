/**
 * PostgreSQL's text holds neither NUL nor lone surrogates, and callers send both. Such a code unit is stored as
 * U+001A SUBSTITUTE and its four hexadecimal digits; U+001A itself likewise, so that the way back is exact.
 */
const SUBSTITUTE = "\u001a";
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for.
const UNSTORABLE = /[\0\u001a]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const ESCAPED = /\u001a([0-9a-f]{4})/g;

export function toStoredText(text: string): string {
  if (text.isWellFormed() && !text.includes("\0") && !text.includes(SUBSTITUTE)) return text;
  return text.replace(UNSTORABLE, (unit) => SUBSTITUTE + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function fromStoredText(stored: string): string {
  if (!stored.includes(SUBSTITUTE)) return stored;
  return stored.replace(ESCAPED, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
