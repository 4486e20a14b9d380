/**
 * Every error of the product. The code is stable and leads to a heading of docs/errors.md; the message names what was
 * expected and what came, and never a secret.
 */

/**
 * What happens next, by code.
 * - `again`: the same call may succeed later; nothing needs to be done by hand
 * - `stop`: nothing will change until somebody changes the input or the configuration
 */
export const ERROR_CODES = {
  GEO_TABLE_UNAVAILABLE: "again",
  GEO_TABLE_REQUEST: "stop",
  GEO_STORE_UNAVAILABLE: "again",
  GEO_QUEUE_UNAVAILABLE: "again",
  GEO_WORKFLOW_UNAVAILABLE: "again",
  GEO_WORKFLOW_REQUEST: "stop",
  GEO_OUT_OF_TIME: "again",
  GEO_BUCKET_NOT_VERSIONED: "stop",
  GEO_UNKNOWN_STATE: "stop",
  GEO_UNREADABLE_ROW: "stop",
  GEO_INVALID_CONFIG: "stop",
  GEO_INVALID_ENVIRONMENT: "stop",
  GEO_INVALID_REPLICABLE: "stop",
  GEO_UNSUPPORTED_EVENT: "stop",
  GEO_INVALID_KEY: "stop",
  GEO_INVALID_TOKEN_REQUEST: "stop",
  GEO_DESTROY_REFUSED: "stop",
  GEO_API_UNREACHABLE: "again",
  GEO_API_REFUSED: "stop",
} as const;
export type GeoErrorCode = keyof typeof ERROR_CODES;

/** The base of every error that the product throws. */
export class GeoError extends Error {
  readonly code: GeoErrorCode;
  readonly next: (typeof ERROR_CODES)[GeoErrorCode];

  constructor(code: GeoErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "GeoError";
    this.code = code;
    this.next = ERROR_CODES[code];
  }
}

/** What there is to say about something that was thrown, which need not be an error. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** A table did not answer: the call may or may not have had its effect. */
export class TableUnavailableError extends GeoError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super("GEO_TABLE_UNAVAILABLE", message, options);
    this.name = "TableUnavailableError";
  }
}

/** The table understood the call and will never accept it: an expression, a key or an item breaks a rule of DynamoDB. */
export class TableRequestError extends GeoError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super("GEO_TABLE_REQUEST", message, options);
    this.name = "TableRequestError";
  }
}

/** A bucket did not answer a listing, or stopped in the middle of a body: what came before is valid, nothing was changed. */
export class StoreUnavailableError extends GeoError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super("GEO_STORE_UNAVAILABLE", message, options);
    this.name = "StoreUnavailableError";
  }
}

/** Step Functions did not answer, or has no such machine: a start may or may not have had its effect. */
export class WorkflowUnavailableError extends GeoError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super("GEO_WORKFLOW_UNAVAILABLE", message, options);
    this.name = "WorkflowUnavailableError";
  }
}
