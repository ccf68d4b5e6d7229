/** No source could give the file: the message says what each one answered, and what to do. */
export class WeightsUnavailable extends Error {
  override name = "WeightsUnavailable";
}

/** A file that a person named is not the one that was asked for. */
export class WeightsRefused extends Error {
  override name = "WeightsRefused";
}
