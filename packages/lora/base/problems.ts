/** A file that can't be used as a base model, or as its tokenizer: the message says what is wrong and what to do. */
export class BaseRefused extends Error {
  override name = "BaseRefused";
}
