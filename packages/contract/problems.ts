/** Every way in which a call can fail: a stable code, its HTTP status, and a sentence that tells the caller what to do. */
export const problems = {
  validation_failed: [400, "Correct the fields named in `errors` and send the request again."],
  invalid_characters: [
    400,
    "Remove the NUL characters and unpaired surrogates from the text; it must be valid Unicode.",
  ],
  malformed_json: [400, "The body is not valid JSON. Send a JSON object, encoded as UTF-8."],
  malformed_form: [
    400,
    "The form in the body cannot be read. Send multipart/form-data or application/x-www-form-urlencoded, as UTF-8.",
  ],
  unsupported_media_type: [
    400,
    "Send the body as application/json, multipart/form-data or application/x-www-form-urlencoded, in UTF-8 and without Content-Encoding.",
  ],
  body_too_large: [400, "The body is larger than this server accepts. Send less in one request."],
  text_too_large: [
    400,
    "The text is larger than this server accepts. Split it and train on the parts, or raise the server's limit.",
  ],
  request_timeout: [400, "The request did not arrive in time. Send it again over a faster connection."],
  malformed_request: [
    400,
    "The request is not valid HTTP/1.1. Check the request line, the headers and the body's framing.",
  ],
  headers_too_large: [400, "The request line and headers are too large. Send long values in the body."],
  unsupported_expectation: [400, "Remove the Expect header, or send `Expect: 100-continue`."],
  invalid_idempotency_key: [400, "Send an Idempotency-Key of 1 to 255 visible ASCII characters."],
  idempotency_key_reused: [
    400,
    "This Idempotency-Key was used for another request in the last 24 hours. Repeat that request unchanged, or use a new key.",
  ],
  no_model: [
    400,
    "The chatbot has no model that is ready. Train one with POST /api/external/chatbot/train and wait until it is ready.",
  ],
  model_not_ready: [400, "This model is not ready, so it cannot answer. Choose one whose status is `ready`."],
  not_running: [400, "The training of this model has already ended, so there is nothing to cancel."],
  writer_not_configured: [
    400,
    "This server has not been told how to reach that writer. Set its variables where the server runs, or choose another.",
  ],
  missing_api_key: [401, "Send the chatbot's API key in the `api-key` header."],
  invalid_api_key: [401, "The API key is unknown or revoked. Check it for typos, or create a new one."],
  invalid_access_token: [
    401,
    "The caigunn-access-token is not valid. Leave the header out: this call needs the API key alone.",
  ],
  not_found: [404, "There is nothing at this path. See /openapi.json for the calls that exist."],
  model_not_found: [
    404,
    "The chatbot has no model with this id. List its models with GET /api/external/chatbot/models.",
  ],
  no_adapter: [
    404,
    'This model has no adapter: only those trained with model_name "gpt2" have one. Train such a model, or take another.',
  ],
  event_not_found: [404, "The chatbot has no event with this id. Use the `event_id` that the training's reply gave."],
  training_data_not_found: [404, "The chatbot has no training data with this id, or it was deleted."],
  unanswered_not_found: [
    404,
    "The chatbot has no unanswered question with this id. List them with GET /api/external/chatbot/unanswered.",
  ],
  method_not_allowed: [405, "This path does not take this method. Use one of those in the Allow header."],
  not_acceptable: [406, "This call replies with application/json. Accept it, or leave the Accept header out."],
  model_deleted: [410, "This model was deleted. List the remaining ones with GET /api/external/chatbot/models."],
  rate_limited: [429, "Too many requests. Wait for as many seconds as Retry-After says, then go on more slowly."],
  internal_error: [500, "Something went wrong on the server. Try again; if it happens again, report the request_id."],
  unavailable: [
    503,
    "A part of the server cannot be reached at the moment. Try again in as many seconds as Retry-After says.",
  ],
  base_missing: [
    503,
    "The weights that this model was trained on are not on the server. Have them fetched with `npx caigun pull`, then try again.",
  ],
  overloaded: [503, "The server has more work than it can hold. Try again in as many seconds as Retry-After says."],
  shutting_down: [503, "The server is shutting down. Try again in as many seconds as Retry-After says."],
} as const satisfies Record<string, readonly [status: ProblemStatus, detail: string]>;

/** The statuses that a failed call can have; no others leave the server under /api. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 406 | 410 | 429 | 500 | 503;

export type ProblemCode = keyof typeof problems;

/** One thing that is wrong with one field of a request. */
export interface FieldProblem {
  /** Where it stands: the part of the request, then the field, e.g. `["body", "title"]`. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  /** The rule that was broken: a JSON Schema keyword, e.g. `required`, `type`, `enum`. */
  readonly type: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldProblem[];
  /** How long the caller should wait before trying again. Sent as Retry-After with 429 and 503. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A failure that the caller is told about. Anything else that is thrown becomes `internal_error`, its message kept to the log. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: ProblemStatus;
  readonly errors: readonly FieldProblem[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  /** `detail` must be a sentence that says what to do; by default the catalogue's. */
  constructor(code: ProblemCode, detail?: string, options: ProblemOptions = {}) {
    super(detail ?? problems[code][1], options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Problem";
    this.code = code;
    this.status = problems[code][0];
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
