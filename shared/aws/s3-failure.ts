import type { StoreFailure } from "../ports/object-store.ts";

/** What the SDK's errors have in common, as far as it is there. Error names alone prove nothing: HEAD has none. */
interface SdkError {
  readonly name: string;
  readonly message: string;
  /** Absent when no answer came. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Which condition was false, in S3's own words, when it says so. */
  readonly condition: string | undefined;
  /** Of the socket, for example `ECONNREFUSED`. */
  readonly socketCode: string | undefined;
}

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Reads whatever was thrown; never throws itself. */
export const readSdkError = (error: unknown): SdkError => {
  const status = property(property(error, "$metadata"), "httpStatusCode");
  const headers = property(property(error, "$response"), "headers");
  return {
    name: text(property(error, "name")) ?? "Error",
    message: text(property(error, "message")) ?? String(error),
    status: typeof status === "number" ? status : undefined,
    headers: (headers ?? {}) as SdkError["headers"],
    condition: text(property(error, "Condition")),
    socketCode: text(property(error, "code")),
  };
};

/** Codes of sockets that were never connected: nothing can have been sent. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

/** The SDK's own words for a connection that did not come about in time; its name and code are those of any timeout. */
const NO_CONNECTION_IN_TIME = /did not establish a connection/;

/** True when the request certainly never left this machine. */
export const wasNeverSent = ({ socketCode, name, message }: SdkError): boolean =>
  NEVER_CONNECTED.has(socketCode ?? "") ||
  name === "CredentialsProviderError" ||
  (name === "TimeoutError" && NO_CONNECTION_IN_TIME.test(message));

const kindOf = ({ name, message, status }: SdkError): StoreFailure["kind"] => {
  if (status === undefined) return "unavailable";
  if (status === 503 || status === 429) return "throttled";
  if (status >= 500) return "unavailable";
  if (name.startsWith("KMS.")) return "kms";
  if (name === "InvalidObjectState") return "archived";
  if (name === "EntityTooLarge" || /copy source is larger than the maximum allowable size/.test(message)) {
    return "too_large";
  }
  // Some KMS refusals arrive as a plain AccessDenied that names the action.
  if (status === 403) return /\bkms:/i.test(message) ? "kms" : "forbidden";
  return "rejected";
};

/** The class of a refusal, by its status first. */
export const storeFailure = (error: SdkError): StoreFailure => ({
  kind: kindOf(error),
  detail: `${error.status ?? "no answer"} ${error.name}: ${error.message}`,
});
