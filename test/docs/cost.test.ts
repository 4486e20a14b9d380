import { describe, expect, test } from "vitest";
import { chargesOf, dollars, PRICES, type UsedCounts } from "../../shared/geo/prices.ts";
import { textOf } from "./support/repository.ts";

const PAGE = textOf("docs/performance.md");
const MILLION = 1e6;

/** What the figures of the bench and the counters may be apart: the bench counts single objects, too. */
const TOLERANCE = 0.1;

const NONE: UsedCounts = { synced: 0, failed: 0, verified: 0, verification_failed: 0, removed: 0, changes: 0 };

/** The cells of a line of the bench's table of requests. */
const measured = (change: string): readonly string[] => {
  const line = PAGE.split("\n").find((one) => one.startsWith(`| ${change} `));
  if (line === undefined) throw new Error(`expected a line of "${change}" in docs/performance.md`);
  return line.split("|").map((cell) => cell.trim());
};

/** Dollars per million, carried by full batches: the requests, and the lower of the two figures behind them. */
const measuredDollars = (change: string): number => {
  const [requests = "", carrying = ""] = measured(change).slice(-3, -1);
  return Number(requests.replace("$", "")) + Number(/^\$([\d.]+)/.exec(carrying)?.[1]);
};

/** What `geo cost` says of a million such changes, both sites together. */
const toldDollars = (primary: Partial<UsedCounts>, secondary: Partial<UsedCounts>): number =>
  MILLION *
  (dollars(chargesOf("primary", { ...NONE, ...primary })) + dollars(chargesOf("secondary", { ...NONE, ...secondary })));

describe("what geo cost tells is what the bench measured", () => {
  test.each([
    ["New", { verified: 1, changes: 1 }, { synced: 1, verified: 1, changes: 2 }],
    ["Overwritten in place", { verified: 1, changes: 1 }, { synced: 1, verified: 1, changes: 2 }],
  ])("of an object: %s", (change, primary, secondary) => {
    const bench = measuredDollars(change);
    expect(Math.abs(toldDollars(primary, secondary) - bench) / bench).toBeLessThan(TOLERANCE);
  });

  test("of an object that is deleted, with what comes when the bench has ended: a look, and the purge of a tombstone", () => {
    const later = MILLION * (PRICES.s3_read_request + 2 * PRICES.dynamodb_write_unit);
    const bench = measuredDollars("Deleted") + later;
    const told = toldDollars({ removed: 1, changes: 1 }, { removed: 1, changes: 2 });
    expect(Math.abs(told - bench) / bench).toBeLessThan(TOLERANCE);
  });

  test("at the prices that the page names", () => {
    const named: readonly (readonly [RegExp, number])[] = [
      [/\| S3: 1 COPY +\| \$([\d.]+)/, PRICES.s3_write_request],
      [/\| S3: 2 HEAD, 1 GET +\| \$([\d.]+)/, PRICES.s3_read_request],
      [/\| SNS +\| \$([\d.]+)/, PRICES.sns_request],
      [/\| SQS +\| \$([\d.]+)/, PRICES.sqs_request],
      [/\| DynamoDB: writes +\| \$([\d.]+)/, PRICES.dynamodb_write_unit],
      [/\| DynamoDB: strong reads +\| \$([\d.]+)/, PRICES.dynamodb_read_unit],
      [/\| Lambda: invocations +\| \$([\d.]+)/, PRICES.lambda_invocation],
    ];
    expect(named.map(([pattern]) => Number(pattern.exec(PAGE)?.[1]))).toEqual(
      named.map(([, price]) => expect.closeTo(price * MILLION, 6) as unknown),
    );
  });
});
