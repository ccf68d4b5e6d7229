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
