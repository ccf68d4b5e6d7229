/** One source did not give a file. Its message is for whoever runs the machine: it names addresses, and maybe folders. */
export class SourceFailed extends Error {
  override name = "SourceFailed";
  /** Whether it had begun to, or asked to be asked again later: the next try goes on from what has come. */
  readonly mayPass: boolean;

  constructor(message: string, { mayPass, cause }: { mayPass: boolean; cause?: unknown }) {
    super(message, { cause });
    this.mayPass = mayPass;
  }
}

/** No source could give the file: the message says what each one answered, and what to do. */
export class WeightsUnavailable extends Error {
  override name = "WeightsUnavailable";
  /** The same for whoever may not know this machine: without what the sources answered, which has their addresses. */
  readonly told: string;
  /** Whether one of the sources may give it when it is asked again soon. */
  readonly mayPass: boolean;

  constructor(message: string, { told, mayPass, cause }: { told: string; mayPass: boolean; cause?: unknown }) {
    super(message, { cause });
    this.told = told;
    this.mayPass = mayPass;
  }
}

/** A file that a person named is not the one that was asked for. */
export class WeightsRefused extends Error {
  override name = "WeightsRefused";
}

/** This machine's disk does not take a model's files: no source could help. */
export class WeightsNotWritten extends Error {
  override name = "WeightsNotWritten";
  /** Node's, such as ENOSPC. */
  readonly code: string;
  /** Why, for whoever may not know this machine: without its folders. */
  readonly told: string;

  constructor(model: string, folder: string, cause: NodeJS.ErrnoException & { code: string }) {
    const because = reasons[cause.code] ?? `its disk says ${cause.code}`;
    super(`${model} can't be written to ${folder}: ${because}. See to that, then try again.`, { cause });
    this.code = cause.code;
    this.told = `${model} can't be written to this machine: ${because}.`;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk's quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "its folder may not be written",
  EPERM: "its folder may not be written",
  EFBIG: "files may not be that large",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EIO: "the disk failed to read or write",
};

/**
 * The error of the disk that `folder` is on, behind what was thrown while a file was brought there; undefined where there
 * is none. What goes wrong with a connection is deeper: it is the cause of fetch's TypeError, or of what pip said.
 */
export function diskErrorBehind(
  error: unknown,
  folder: string,
): (NodeJS.ErrnoException & { code: string }) | undefined {
  const thrown = error instanceof SourceFailed || error instanceof WeightsRefused ? error.cause : error;
  if (!(thrown instanceof Error) || !hasCode(thrown) || !(thrown.code in reasons)) return undefined;
  // What may not be read is what a person named, and what may not be written is below the folder.
  const isPermission = thrown.code === "EACCES" || thrown.code === "EPERM";
  return isPermission && !thrown.path?.startsWith(folder) ? undefined : thrown;
}

const hasCode = (error: NodeJS.ErrnoException): error is NodeJS.ErrnoException & { code: string } =>
  error.code !== undefined;
