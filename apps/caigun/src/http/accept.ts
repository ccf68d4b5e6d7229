/**
 * Chooses the media type of a reply by the request's Accept header (RFC 9110, 12.5.1): the offered type with the highest
 * quality, of equal ones the one that the header names first. Undefined where it accepts none of those offered.
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === "" || accept === "*/*") return offered[0];
  if (accept === offered[0]) return accept;
  const ranges = accept.split(",").map(readRange);
  let best: { type: string; quality: number; place: number } | undefined;
  for (const type of offered) {
    const match = mostSpecific(ranges, type);
    if (match === undefined || match.quality === 0) continue;
    // A wildcard says nothing about which of ours is wanted, so it stands behind every named type.
    const place = match.specificity === 2 ? match.place : ranges.length;
    if (best === undefined || match.quality > best.quality || (match.quality === best.quality && place < best.place)) {
      best = { type, quality: match.quality, place };
    }
  }
  return best?.type;
}

interface Range {
  readonly type: string;
  readonly quality: number;
  readonly place: number;
  readonly specificity: number;
}

function readRange(text: string, place: number): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = q === undefined ? 1 : Number(q.slice(2));
  return {
    type,
    quality: Number.isNaN(quality) ? 1 : Math.min(Math.max(quality, 0), 1),
    place,
    specificity: type === "*/*" ? 0 : type.endsWith("/*") ? 1 : 2,
  };
}

function mostSpecific(ranges: readonly Range[], type: string): Range | undefined {
  const family = `${type.slice(0, type.indexOf("/"))}/*`;
  let best: Range | undefined;
  for (const range of ranges) {
    if (range.type !== type && range.type !== family && range.type !== "*/*") continue;
    if (best === undefined || range.specificity > best.specificity) best = range;
  }
  return best;
}
