import { callerOf, signedFor, type Exchange } from "../support/wire/exchange.ts";
import { operationOf, placeOf } from "../support/wire/operation.ts";
import type { DynamoMeter } from "./dynamo-meter.ts";
import type { Charge } from "../../shared/geo/prices.ts";

export type Service = "s3" | "sqs" | "sns" | "dynamodb";

/** What one request is, and what it is charged. */
export interface BilledRequest {
  /** Name of the function that made it. */
  readonly caller: string;
  readonly service: Service;
  /** As the API calls it, for example `HeadObject`. */
  readonly operation: string;
  /** The bucket, queue, topic or table. */
  readonly target: string;
  readonly charges: readonly Charge[];
  /** Write units of the request that went into the index; they are among the charges. */
  readonly indexWrites: number;
  /** Messages that it carried. */
  readonly messages: number;
  /** Whether the cloud refused it: a condition that was false, a key that is not there, or a request that is wrong. */
  readonly refused: boolean;
}

/** A request that the bench does not know: it has to learn it before its figures can be believed. */
class UnknownRequestError extends Error {
  override readonly name = "UnknownRequestError";
}

/** SQS and SNS charge for every 64 KB begun. */
const CHUNK_BYTES = 64 * 1_024;
const chunks = (bytes: number): number => Math.max(1, Math.ceil(bytes / CHUNK_BYTES));

const none = { indexWrites: 0, messages: 0 } as const;

type Classified = Omit<BilledRequest, "caller" | "service" | "refused">;

const namedOperation = (exchange: Exchange): string => {
  const known = operationOf(exchange);
  if (known === undefined) {
    throw new UnknownRequestError(`${signedFor(exchange).service} was asked ${exchange.method} ${exchange.path}`);
  }
  return known;
};

/** S3 charges for listings what it charges for writes. */
const LISTINGS: ReadonlySet<string> = new Set(["ListObjectsV2", "ListParts", "ListMultipartUploads"]);

const s3 = (exchange: Exchange): Classified => {
  const { method } = exchange;
  const asked = namedOperation(exchange);
  const item =
    method === "DELETE"
      ? "s3_free_request"
      : method === "PUT" || method === "POST" || LISTINGS.has(asked)
        ? "s3_write_request"
        : "s3_read_request";
  return { operation: asked, target: placeOf(exchange).bucket, charges: [{ item, units: 1 }], ...none };
};

const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const json = (body: Buffer): unknown => (body.length === 0 ? {} : JSON.parse(body.toString("utf8")));

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const sqs = (exchange: Exchange): Classified => {
  const name = namedOperation(exchange);
  const asked = object(json(exchange.requestBody));
  const entries = Array.isArray(asked["Entries"]) ? asked["Entries"].map(object) : [asked];
  const bodies = entries.map((entry) => text(entry["MessageBody"]));
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  return {
    operation: name,
    target: text(asked["QueueUrl"]).split("/").at(-1) || text(asked["QueueName"]),
    charges: [{ item: "sqs_request", units: chunks(bytes) }],
    indexWrites: 0,
    messages: name.startsWith("SendMessage") ? bodies.length : 0,
  };
};

/** SNS speaks forms: `Action=PublishBatch&PublishBatchRequestEntries.member.1.Message=…`. */
const sns = (exchange: Exchange): Classified => {
  const form = new URLSearchParams(exchange.requestBody.toString("utf8"));
  const bodies = [...form].filter(([name]) => name === "Message" || name.endsWith(".Message")).map(([, body]) => body);
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  return {
    operation: namedOperation(exchange),
    target: (form.get("TopicArn") ?? "").split(":").at(-1) ?? "",
    charges: [{ item: "sns_request", units: chunks(bytes) }],
    indexWrites: 0,
    messages: bodies.length,
  };
};

const dynamo = (meter: DynamoMeter, exchange: Exchange): Classified => {
  const name = namedOperation(exchange);
  const asked = json(exchange.requestBody);
  const units = meter.measure(name, asked, json(exchange.responseBody), exchange.status);
  const charges: Charge[] = [];
  const writes = units.tableWrites + units.indexWrites;
  if (writes > 0) charges.push({ item: "dynamodb_write_unit", units: writes });
  if (units.reads > 0) charges.push({ item: "dynamodb_read_unit", units: units.reads });
  return {
    operation: name,
    target: text(object(asked)["TableName"]),
    charges,
    indexWrites: units.indexWrites,
    messages: 0,
  };
};

/**
 * Says what a request is and what AWS charges for it. Every request counts, also one that failed: AWS charges for those,
 * too, with the exception of some that it refuses itself.
 *
 * @throws {UnknownRequestError} for a request to a service or of a kind that is not known here
 */
export const billedRequest = (meter: DynamoMeter, exchange: Exchange): BilledRequest => {
  const caller = callerOf(exchange);
  const { service } = signedFor(exchange);
  const refused = exchange.status >= 400;
  switch (service) {
    case "s3":
      return { caller, service, refused, ...s3(exchange) };
    case "sqs":
      return { caller, service, refused, ...sqs(exchange) };
    case "sns":
      return { caller, service, refused, ...sns(exchange) };
    case "dynamodb":
      return { caller, service, refused, ...dynamo(meter, exchange) };
    default:
      throw new UnknownRequestError(`${caller} asked the service ${service}: ${exchange.method} ${exchange.path}`);
  }
};
