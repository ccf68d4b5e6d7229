import type { Route } from "@caigun/contract";

/** `{id}` of the route table as the router writes it. */
export function routerPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ":$1");
}

export function allPaths(route: Route): readonly string[] {
  return [route.path, ...(route.aliases ?? [])];
}

/** Knows the methods of every path, for the Allow header of a 405. */
export class MethodTable {
  readonly #paths: { readonly pattern: RegExp; readonly method: string }[] = [];

  add(path: string, method: string): void {
    const pattern = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+");
    this.#paths.push({ pattern: new RegExp(`^${pattern}$`), method });
  }

  /** The methods of a path, empty where there is none. */
  methodsOf(pathname: string): string[] {
    return [...new Set(this.#paths.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method))].sort();
  }
}
