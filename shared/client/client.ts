import type * as z from "zod/mini";
import { GeoError } from "../geo/errors.ts";
import { type SiteStatusAnswer, SiteStatusContract, SiteStatusesContract } from "./contract.ts";

/** How long a call may take, in milliseconds, unless somebody asks otherwise: what API Gateway waits, and a second. */
const TIMEOUT_DEFAULT_MS = 30_000;

/** How much of an answer that can not be used is shown. */
const SHOWN_LENGTH_MAX = 200;

/** Which API, and who calls. */
export interface GeoClientOptions {
  /** Where the site's API is, stage included: `https://…amazonaws.com/geo`. A slash at the end is fine. */
  readonly url: string;
  readonly token: string;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** Default: the runtime's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Why a call did not give what was asked for.
 * - `unreachable`: no answer, or none in time
 * - `unauthorized`: no token was sent (401); `forbidden`: it is not good, or not good for this (403)
 * - `not_found`, `throttled`: 404, 429; `failed`: any other status
 * - `unexpected`: an answer that is not what this client knows: another version, or something that is no Geo API
 */
export type CallFailure =
  "unreachable" | "unauthorized" | "forbidden" | "not_found" | "throttled" | "failed" | "unexpected";

/** A call of the API that failed. The message says what to do, and never holds the token. */
export class GeoApiError extends GeoError {
  readonly reason: CallFailure;
  /** The HTTP status; absent when there was no answer. */
  readonly status: number | undefined;

  constructor(reason: CallFailure, message: string, options?: { readonly status?: number; readonly cause?: unknown }) {
    super(reason === "unreachable" ? "GEO_API_UNREACHABLE" : "GEO_API_REFUSED", message, { cause: options?.cause });
    this.name = "GeoApiError";
    this.reason = reason;
    this.status = options?.status;
  }
}

const ADVICE: Readonly<Record<number, readonly [CallFailure, string]>> = {
  401: [
    "unauthorized",
    "the API got no token; expected one in the PRIVATE-TOKEN header (make one with: geo token create)",
  ],
  403: ["forbidden", "the token is unknown, expired, revoked, or its scope does not allow this (see: geo token list)"],
  404: ["not_found", "there is nothing at this address; check the API's URL (stage included) and the site's id"],
  429: ["throttled", "too many requests; try again later"],
};

const messageOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  // `fetch failed` says nothing; its cause says which connection was refused.
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
};

const shorten = (text: string): string =>
  text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A typed client of one site's API: what the command line, the tests and the demo use. */
export interface GeoClient {
  /** Statuses of all sites that this site knows. */
  siteStatuses(): Promise<readonly SiteStatusAnswer[]>;
  /** One of them, by `geo_node_id`. */
  siteStatus(id: number): Promise<SiteStatusAnswer>;
}

/** What a header may carry; anything else the runtime would refuse with the token in its message. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** Makes a client. Every method throws `GeoApiError` when it has not got its answer, and so does a token that can be none. */
export const geoClient = (options: GeoClientOptions): GeoClient => {
  const { token, timeoutMs = TIMEOUT_DEFAULT_MS } = options;
  const send = options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));
  if (!SENDABLE.test(token)) {
    throw new GeoApiError(
      "unauthorized",
      "the token is empty or has characters that no token has, a space or a line break",
    );
  }
  const base = options.url.replace(/\/+$/, "");

  const exchange = async (url: string): Promise<{ readonly status: number; readonly body: string }> => {
    try {
      const headers = { "PRIVATE-TOKEN": token, accept: "application/json" };
      // A redirect would carry the token to wherever it points.
      const response = await send(url, { headers, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
      return { status: response.status, body: await response.text() };
    } catch (cause) {
      throw new GeoApiError("unreachable", `${url} can not be reached: ${messageOf(cause)}`, { cause });
    }
  };

  const get = async <Contract extends z.ZodMiniType>(path: string, contract: Contract): Promise<z.output<Contract>> => {
    const url = `${base}${path}`;
    const { status, body } = await exchange(url);
    if (status !== 200) {
      const [reason, advice] = ADVICE[status] ?? (["failed", "expected 200"] as const);
      throw new GeoApiError(reason, `${url} answered ${status}: ${advice}. It said: ${shorten(body)}`, { status });
    }
    const parsed = contract.safeParse(parseJson(body));
    if (parsed.success) return parsed.data;
    const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole answer").join(", ");
    throw new GeoApiError("unexpected", `${url} answered something else than expected (${fields}): ${shorten(body)}`, {
      status,
    });
  };

  return {
    siteStatuses: () => get("/api/v4/geo_sites/status", SiteStatusesContract),
    siteStatus: (id) => get(`/api/v4/geo_sites/${id}/status`, SiteStatusContract),
  };
};
