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
