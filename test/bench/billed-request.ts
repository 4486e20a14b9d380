import type { DynamoMeter } from "./dynamo-meter.ts";
import { callerOf, signedFor, type Exchange } from "./exchange.ts";
import type { Charge } from "./prices.ts";

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

const s3Operation = (method: string, query: URLSearchParams, copies: boolean, hasKey: boolean): string | undefined => {
  if (!hasKey) {
    if (method === "HEAD") return "HeadBucket";
    // Asked once per environment, before it works on a bucket.
    if (query.has("versioning")) return "GetBucketVersioning";
    return query.has("list-type") ? "ListObjectsV2" : undefined;
  }
  switch (method) {
    case "HEAD":
      return "HeadObject";
    case "GET":
      return query.has("tagging") ? "GetObjectTagging" : query.has("attributes") ? "GetObjectAttributes" : "GetObject";
    case "PUT":
      if (query.has("tagging")) return "PutObjectTagging";
      if (query.has("partNumber")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    case "DELETE":
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    default:
      return undefined;
  }
};

const s3 = ({ method, path, headers }: Exchange): Classified => {
  const url = new URL(path, "http://cloud");
  const [bucket = "", ...key] = url.pathname.slice(1).split("/");
  const copies = headers["x-amz-copy-source"] !== undefined;
  const operation = s3Operation(method, url.searchParams, copies, key.join("/") !== "");
  if (operation === undefined) throw new UnknownRequestError(`S3 was asked ${method} ${url.search}`);
  const item =
    method === "DELETE"
      ? "s3_free_request"
      : method === "PUT" || operation === "ListObjectsV2"
        ? "s3_write_request"
        : "s3_read_request";
  return { operation, target: decodeURIComponent(bucket), charges: [{ item, units: 1 }], ...none };
};

/** `AmazonSQS.SendMessageBatch` → `SendMessageBatch`. */
const jsonOperation = ({ headers, path }: Exchange): string => {
  const operation = headers["x-amz-target"]?.split(".").at(-1);
  if (operation === undefined) throw new UnknownRequestError(`a request to ${path} names no operation`);
  return operation;
};

const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const json = (body: Buffer): unknown => (body.length === 0 ? {} : JSON.parse(body.toString("utf8")));

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const sqs = (exchange: Exchange): Classified => {
  const operation = jsonOperation(exchange);
  const asked = object(json(exchange.requestBody));
  const entries = Array.isArray(asked["Entries"]) ? asked["Entries"].map(object) : [asked];
  const bodies = entries.map((entry) => text(entry["MessageBody"]));
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  return {
    operation,
    target: text(asked["QueueUrl"]).split("/").at(-1) || text(asked["QueueName"]),
    charges: [{ item: "sqs_request", units: chunks(bytes) }],
    indexWrites: 0,
    messages: operation.startsWith("SendMessage") ? bodies.length : 0,
  };
};

/** SNS speaks forms: `Action=PublishBatch&PublishBatchRequestEntries.member.1.Message=…`. */
const sns = ({ requestBody }: Exchange): Classified => {
  const form = new URLSearchParams(requestBody.toString("utf8"));
  const operation = form.get("Action");
  if (operation === null) throw new UnknownRequestError("a request to SNS names no action");
  const bodies = [...form].filter(([name]) => name === "Message" || name.endsWith(".Message")).map(([, body]) => body);
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  return {
    operation,
    target: (form.get("TopicArn") ?? "").split(":").at(-1) ?? "",
    charges: [{ item: "sns_request", units: chunks(bytes) }],
    indexWrites: 0,
    messages: bodies.length,
  };
};

const dynamo = (meter: DynamoMeter, exchange: Exchange): Classified => {
  const operation = jsonOperation(exchange);
  const asked = json(exchange.requestBody);
  const units = meter.measure(operation, asked, json(exchange.responseBody), exchange.status);
  const charges: Charge[] = [];
  const writes = units.tableWrites + units.indexWrites;
  if (writes > 0) charges.push({ item: "dynamodb_write_unit", units: writes });
  if (units.reads > 0) charges.push({ item: "dynamodb_read_unit", units: units.reads });
  return {
    operation,
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
