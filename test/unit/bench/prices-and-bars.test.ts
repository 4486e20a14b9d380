import { describe, expect, it } from "vitest";
import { newObjectBars } from "../../bench/bars.ts";
import type { BilledRequest } from "../../bench/billed-request.ts";
import { estimateCharges } from "../../bench/estimate.ts";
import { tally } from "../../bench/ledger.ts";
import { percentiles } from "../../bench/percentiles.ts";
import { type Charge, dollars } from "../../../shared/geo/prices.ts";

const OBJECTS = 100;
const PLACES = { primaryBucket: "source", replicaBucket: "replica" };
const WIRING = {
  announcementsTopic: "announcements",
  eventsQueue: "events",
  verificationQueue: "verification",
  replicaBucket: "replica",
};

const request = (
  service: BilledRequest["service"],
  operation: string,
  target: string,
  charge: Charge,
  messages = 0,
): BilledRequest => ({
  caller: "consumer",
  service,
  operation,
  target,
  charges: [charge],
  indexWrites: 0,
  messages,
  refused: false,
});

const times = (count: number, one: BilledRequest): readonly BilledRequest[] => Array.from({ length: count }, () => one);

const HEAD = request("s3", "HeadObject", "source", { item: "s3_read_request", units: 1 });
const HEAD_OF_REPLICA = { ...HEAD, target: "replica" };
const COPY = request("s3", "CopyObject", "replica", { item: "s3_write_request", units: 1 });
const GET = request("s3", "GetObject", "replica", { item: "s3_read_request", units: 1 });
const WRITE = request("dynamodb", "UpdateItem", "registry", { item: "dynamodb_write_unit", units: 2 });
const READ_FOR_DRIFT = {
  ...request("dynamodb", "GetItem", "registry", { item: "dynamodb_read_unit", units: 1 }),
  caller: "s3-geo-ireland-replica-drift",
};
const SEND = request("sqs", "SendMessageBatch", "events", { item: "sqs_request", units: 1 }, 1);

const AS_PROMISED = [
  ...times(2 * OBJECTS, HEAD),
  ...times(OBJECTS, COPY),
  ...times(OBJECTS, GET),
  ...times(3 * OBJECTS, WRITE),
  ...times(OBJECTS / 10, SEND),
  ...times(OBJECTS, READ_FOR_DRIFT),
];

const exceeded = (requests: readonly BilledRequest[]): readonly string[] =>
  newObjectBars(tally(requests), OBJECTS, PLACES).flatMap(({ name, ok }) => (ok ? [] : [name]));

describe("the bars of a new object", () => {
  it("hold for what is promised", () => {
    expect(exceeded(AS_PROMISED)).toEqual([]);
  });

  it("hold when one object in a hundred was looked at twice", () => {
    expect(exceeded([...AS_PROMISED, HEAD])).toEqual([]);
  });

  it.each([
    ["looks at the source", HEAD],
    ["copies", COPY],
    ["reads of the replica", GET],
    ["looks at a replica that was never written", HEAD_OF_REPLICA],
    ["DynamoDB write units", WRITE],
    ["rows read to know our own copy", READ_FOR_DRIFT],
    ["other requests to S3", { ...HEAD, operation: "GetObjectTagging" }],
  ])("are exceeded by one more of the %s for each", (name, one) => {
    const names = exceeded([...AS_PROMISED, ...times(OBJECTS, one)]);
    expect(names).toEqual([expect.stringContaining(name)]);
  });

  it("are exceeded when requests are refused, whatever they cost", () => {
    const refused = { ...WRITE, charges: [], refused: true };
    expect(exceeded([...AS_PROMISED, ...times(OBJECTS, refused)])).toEqual([expect.stringContaining("refused")]);
  });

  it("are exceeded when messages are not packed and sent more than once", () => {
    expect(exceeded([...AS_PROMISED, ...times(OBJECTS, SEND)])).toEqual([expect.stringContaining("sends")]);
  });
});

const units = (charges: readonly Charge[] | undefined, item: Charge["item"]): number =>
  charges?.find((charge) => charge.item === item)?.units ?? Number.NaN;

describe("the price of a million new objects", () => {
  it("is five dollars for the copies, four tenths for each look, and five eighths for each write unit, an eighth for each read", () => {
    const charges = tally(AS_PROMISED).flatMap((line) => line.charges);
    expect((dollars(charges) / OBJECTS) * 1e6).toBeCloseTo(5 + 3 * 0.4 + 6 * 0.625 + 0.125 + 0.1 * 0.4, 6);
  });

  it("is higher for carrying each by itself than for carrying full batches", () => {
    const lines = tally(AS_PROMISED);
    const [busy, idle] = (["busy", "idle"] as const).map((load) => estimateCharges(lines, OBJECTS, WIRING, load));
    // Two deliveries and a report of the copy each, and a receive and a delete for ten of 100 + 100 + 10 + 100 messages.
    expect(units(busy, "sqs_request")).toBe(200 + 100 + 2 * 31);
    // Ten of them in an invocation, and a hundred reports of copies.
    expect(units(busy, "lambda_invocation")).toBe(21 + 1);
    // Alone, each also has a send of its own, of which ten were counted.
    expect(units(idle, "sqs_request")).toBe(200 + 100 + 2 * 400 + 90);
    expect(units(idle, "lambda_invocation")).toBe(400);
    expect(units(idle, "lambda_gb_second")).toBeGreaterThan(units(busy, "lambda_gb_second"));
  });
});

const sqs = (requests: readonly BilledRequest[]): number =>
  units(estimateCharges(tally(requests), OBJECTS, WIRING, "busy"), "sqs_request");

describe("the report of a replica's change", () => {
  it("is charged for copies and delete markers in the bucket of replicas, and for nothing that S3 refused", () => {
    const none = sqs([]);
    const marker = { ...COPY, operation: "DeleteObject" };
    expect(sqs([COPY, marker]) - none).toBeCloseTo(2 * 1.2, 6);
    for (const silent of [HEAD, GET, { ...COPY, target: "source" }, { ...COPY, refused: true }]) {
      expect(sqs([silent])).toBe(none);
    }
  });
});

describe("percentiles", () => {
  it("are values that were measured", () => {
    expect(percentiles([30, 10, 20])).toEqual({ p50: 20, p99: 30, max: 30 });
    expect(percentiles(Array.from({ length: 200 }, (_, index) => index + 1))).toEqual({ p50: 100, p99: 198, max: 200 });
  });

  it("of nothing are nothing", () => {
    expect(percentiles([]).p50).toBeNaN();
  });
});
