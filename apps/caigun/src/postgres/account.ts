import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

/** The user and group that PostgreSQL runs as where this process is root, as which it refuses to run. */
export type SystemAccount = { uid: number; gid: number };

const PREFERRED = "postgres";
const LAST_RESORT = "nobody";

/** Undefined where this process is not root: PostgreSQL then runs as this process's own user. */
export function systemAccountFor(folder: string): SystemAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return ownerOfData(folder) ?? lookUp(PREFERRED) ?? create(PREFERRED) ?? lookUp(LAST_RESORT) ?? fail();
}

/** Data that was made as another user (before somebody became root) can be served only as that user. */
function ownerOfData(folder: string): SystemAccount | undefined {
  const data = join(folder, "data");
  if (!existsSync(data)) return undefined;
  const { uid, gid } = statSync(data);
  return uid === 0 ? undefined : { uid, gid };
}

function lookUp(name: string): SystemAccount | undefined {
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
  try {
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined; // id fails for a name that nobody has.
  }
}

function create(name: string): SystemAccount | undefined {
  const options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"];
  try {
    execFileSync("useradd", [...options, "--shell", "/usr/sbin/nologin", name], { stdio: "ignore" });
  } catch {
    return undefined; // No useradd here, or the user list is read-only.
  }
  return lookUp(name);
}

function fail(): never {
  throw new Error(
    `PostgreSQL refuses to run as root, and there is neither a user "${PREFERRED}" nor "${LAST_RESORT}". Create one of them, or start CaiGun as a normal user.`,
  );
}
