import { attemptOf, callerOf, signedFor, type WireRequest } from "../support/wire/exchange.ts";
import { operationOf } from "../support/wire/operation.ts";

/** What can be done to a request on its way. */
export type Fault =
  /** Carried out, and the connection is reset before the answer: whoever asked can not know. */
  | { readonly kind: "drop_answer" }
  /** The connection is reset, and nothing was carried out: whoever asked can not know either. */
  | { readonly kind: "reset" }
  /** Carried out, and the answer breaks off in the middle of its body. */
  | { readonly kind: "cut_short" }
  /** Answered with a 503 that means "slow down", and not carried out. */
  | { readonly kind: "slow_down" }
  /** Answered by S3 with an error of its own, and not carried out. */
  | { readonly kind: "refuse"; readonly status: number; readonly code: string; readonly message: string }
  /** Carried out twice, one after the other; the second answer is given. */
  | { readonly kind: "send_twice" }
  /** Carried out later. Milliseconds, at most `DELAY_MS_MAX`. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Not carried out until the test lets it go, whether or not anybody still waits for the answer. */
  | { readonly kind: "hold_request" }
  /** Carried out, and not answered until the test lets it go. */
  | { readonly kind: "hold_answer" };

/** Which requests a rule is about. Whatever is left out says nothing. */
export interface Which {
  /** As in the signature: `s3`, `dynamodb`, `sqs`, `sns`. */
  readonly service?: "s3" | "dynamodb" | "sqs" | "sns";
  /** As the API calls it, for example `CopyObject`. */
  readonly operation?: string;
  readonly method?: string;
  /** Found in the path, as it was sent, with its query. */
  readonly path?: RegExp;
  /** The end of the asking function's name, for example `event-consumer`. */
  readonly caller?: string;
  /** Which try of the SDK's it is, from 1. */
  readonly attempt?: number;
  /** Stands in the path, in a header or in the body: the part of a key that is never encoded. */
  readonly mentions?: string;
}

/** What is to go wrong, and how often. */
export interface FaultRule {
  readonly fault: Fault;
  readonly which: Which;
  /** At most so many requests, 1 to `TIMES_MAX`. Default 1. */
  readonly times?: number;
  /** The share of the requests that are hit once the first one was, 0 to 1. Default 1: all. */
  readonly share?: number;
}

/** More hits than this are no fault any more but an outage. */
export const TIMES_MAX = 500;

/** No request is delayed longer, so that no function comes near its timeout by us alone. Milliseconds. */
export const DELAY_MS_MAX = 10_000;

/** The rule is not one. */
class FaultRuleError extends Error {
  override readonly name = "FaultRuleError";
}

/** @throws {FaultRuleError} when a rule is out of its bounds */
export const checkRule = ({ fault, times = 1, share = 1 }: FaultRule): void => {
  if (!Number.isInteger(times) || times < 1 || times > TIMES_MAX) {
    throw new FaultRuleError(`times is ${times}, expected a whole number from 1 to ${TIMES_MAX}`);
  }
  if (!(share >= 0 && share <= 1)) throw new FaultRuleError(`share is ${share}, expected 0 to 1`);
  if (fault.kind === "delay" && !(fault.ms > 0 && fault.ms <= DELAY_MS_MAX)) {
    throw new FaultRuleError(`a delay is ${fault.ms} ms, expected more than 0 and at most ${DELAY_MS_MAX}`);
  }
};

const mentioned = ({ path, headers, requestBody }: WireRequest, text: string): boolean =>
  path.includes(text) ||
  requestBody.includes(text) ||
  Object.values(headers).some((value) => value?.includes(text) === true);

/** Whether a rule is about a request. */
export const isAbout = (which: Which, request: WireRequest): boolean =>
  (which.service === undefined || which.service === signedFor(request).service) &&
  (which.method === undefined || which.method === request.method) &&
  (which.operation === undefined || which.operation === operationOf(request)) &&
  (which.path === undefined || which.path.test(request.path)) &&
  (which.caller === undefined || callerOf(request).endsWith(`-${which.caller}`)) &&
  (which.attempt === undefined || which.attempt === attemptOf(request)) &&
  (which.mentions === undefined || mentioned(request, which.mentions));
