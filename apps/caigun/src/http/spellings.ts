/** The path and query that a request line means, whichever of the accepted spellings it uses. */
export function plainUrl(url: string): string {
  return repairQuery(url.startsWith("/") ? url : originForm(url));
}

/** A client that takes us for a proxy writes the whole address; RFC 9112 wants that understood. */
function originForm(url: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(url);
  if (!match) return url;
  const rest = match[1] ?? "";
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * The published samples write `/conversation&nickname=X`, without the `?`: the first `&` of a path under /api begins the
 * query. Any other address is left as it is.
 */
export function repairQuery(url: string): string {
  if (!url.startsWith("/api/")) return url;
  const ampersand = url.indexOf("&");
  if (ampersand < 0) return url;
  const question = url.indexOf("?");
  if (question < 0) return `${url.slice(0, ampersand)}?${url.slice(ampersand + 1)}`;
  if (question < ampersand) return url;
  return `${url.slice(0, ampersand)}?${url.slice(ampersand + 1, question)}&${url.slice(question + 1)}`;
}
