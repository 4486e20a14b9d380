import { API_BASE } from "./navigation.ts";
import { signOut, token } from "./session.ts";

/** Calls of this site's own API; no other address is ever asked, and the page's policy would not allow it. */

/** As long as API Gateway waits for a function, and a second. */
const TIMEOUT_MS = 30_000;

/** A call that did not give what was asked for: what happened, and what to do about it. */
export class CallProblem extends Error {
  readonly advice: string;
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, advice: string, status?: number) {
    super(message);
    this.name = "CallProblem";
    this.advice = advice;
    this.status = status;
  }
}

const UNREACHABLE =
  "Check that you are online and that this site's API answers, then try again. Nothing is lost meanwhile: the site goes on by itself.";

const ADVICE: Readonly<Record<number, string>> = {
  401: "Sign in with a token of this site: geo token create makes one.",
  403: "The token is unknown here, has expired, was revoked, or may only read. Changes and lists of objects take a token of the scope admin_geo.",
  404: "It may have gone since you came here. Go back to the list and look again.",
  409: "Something speaks against it at the moment; the message says what.",
  413: "Send less at once.",
  429: "Too many calls in a short time. Wait some seconds and try again.",
  503: "A part of the site did not answer. Wait some seconds and try again.",
};

const messageOf = (answer: unknown, status: number): string => {
  const { message } =
    typeof answer === "object" && answer !== null && "message" in answer ? answer : { message: undefined };
  if (typeof message === "string") return message;
  return message === undefined ? `The API answered with status ${status}.` : JSON.stringify(message);
};

interface Answer {
  readonly json: unknown;
  /** 200, or what else tells that it went well. */
  readonly status: number;
  readonly headers: Headers;
}

/**
 * Calls the API with the token of whoever looks. When the site takes it no more, it is forgotten and asked for again.
 * @param path behind the address of the API: `api/v4/geo_sites`
 * @param isTrial whether the call only tries the token, which is then kept whatever comes of it. Default: false
 * @throws {CallProblem}
 */
export const call = async (
  method: "GET" | "POST" | "PUT",
  path: string,
  {
    body,
    signal,
    as = token.peek(),
    isTrial = false,
  }: {
    readonly body?: unknown;
    readonly signal?: AbortSignal;
    readonly as?: string | undefined;
    readonly isTrial?: boolean;
  } = {},
): Promise<Answer> => {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, API_BASE), {
      method,
      headers: {
        ...(as === undefined ? {} : { "PRIVATE-TOKEN": as }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new CallProblem(
      timeout.aborted ? "The API did not answer within 30 seconds." : "The API can not be reached.",
      UNREACHABLE,
    );
  }
  const json = parsed(text);
  if (!response.ok) {
    const { status } = response;
    if (!isTrial && isRefusal(status) && as !== undefined && as === token.peek() && (await isTakenNoMore(as))) {
      signOut("This site does not take the token any more: it has expired or was revoked. Enter another one.");
    }
    const advice =
      ADVICE[status] ??
      (status >= 500 ? "Try again; if it stays so, the site's runbook has a section on status-api." : "");
    throw new CallProblem(messageOf(json, status), advice, status);
  }
  if (json === undefined) {
    throw new CallProblem(
      "The answer is not that of a Geo API.",
      "Check that the page was opened at a site's own address.",
    );
  }
  return { json, status: response.status, headers: response.headers };
};

const isRefusal = (status: number): boolean => status === 401 || status === 403;

/** Whether a token opens nothing at all: a call may also be refused to one that may only read, which is still good for the rest. */
const isTakenNoMore = async (as: string): Promise<boolean> => {
  try {
    await call("GET", "api/v4/geo_sites?per_page=1", { as, isTrial: true });
    return false;
  } catch (error) {
    return error instanceof CallProblem && error.status !== undefined && isRefusal(error.status);
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const NOT_FOR_THIS_TOKEN = new CallProblem(
  "Objects are shown to administrators only.",
  "This token may read the status of sites. Sign in with one of the scope admin_geo to see and change objects.",
  403,
);

/**
 * Asks in GraphQL, and has what stands under `geoNode`, or under the mutation's name.
 * @throws {CallProblem} also for what stands in `errors`
 */
export const graphql = async <Data>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  pick: (data: Readonly<Record<string, Data | null>>) => Data | null | undefined,
  signal?: AbortSignal,
): Promise<Data> => {
  const { json } = await call("POST", "api/graphql", { body: { query, variables }, ...(signal && { signal }) });
  // Of the API's own schema (docs/api/schema.graphql), which the query names each field of.
  const { data, errors } = json as {
    readonly data?: Readonly<Record<string, Data | null>> | null;
    readonly errors?: readonly { readonly message: string }[];
  };
  if (errors !== undefined && errors.length > 0) {
    throw new CallProblem(
      errors.map(({ message }) => message).join(" "),
      "Change what is asked for, or try again in a moment.",
    );
  }
  const found = data === undefined || data === null ? undefined : pick(data);
  if (found === undefined || found === null) throw NOT_FOR_THIS_TOKEN;
  return found;
};
