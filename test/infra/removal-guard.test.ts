import { describe, expect, it } from "vitest";
import * as z from "zod";

import example from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { defineGeoConfig, type GeoConfigInput } from "../../shared/config/geo-config.ts";
import { GUARDED_RETRY_MIN_MS, GUARDED_RETRY_SPREAD_MS } from "../../shared/geo/limits.ts";
import { METRIC_DIMENSIONS, METRICS } from "../../shared/geo/metrics.ts";
import { RETRY_CAP_MISSING_SECONDS, retryDelayMs } from "../../shared/geo/retry.ts";
import type { MemoryTelemetry } from "../../shared/memory/telemetry.ts";
import { twoSites } from "../support/two-sites.ts";
import { ofType, synthesize } from "./support/templates.ts";

const SITES = [
  { name: "virginia", role: "primary", region: "us-east-1" },
  { name: "ireland", role: "secondary", region: "eu-west-1" },
] as const;

/** The environment of the event-consumer that a configuration makes. */
const variablesOf = (change: Partial<GeoConfigInput>): unknown => {
  const config = defineGeoConfig({ account: "111122223333", sites: [...SITES], ...change });
  const consumer = synthesize(config)
    .flatMap(({ template }) => ofType(template, "AWS::Lambda::Function"))
    .find(({ Properties }) => String(Properties.FunctionName).endsWith("-event-consumer"));
  return z.object({ Variables: z.unknown() }).parse(consumer?.Properties.Environment).Variables;
};

describe("the event-consumer is told", () => {
  it("when to hold removals back, what to wait for, and whether and how to copy, as configured", () => {
    expect(
      variablesOf({
        removalGuard: { floor: 7, percent: 0.125, most: 1_000_000_000 },
        largeObjects: { singleCopyBytes: 104_857_600, partBytes: 8_388_608, workflowBytes: 1_000_000_000 },
        sites: [SITES[0], { ...SITES[1], syncTimeoutSeconds: 30, syncObjectStorage: false }],
      }),
    ).toMatchObject({
      REMOVAL_GUARD_FLOOR: "7",
      REMOVAL_GUARD_PERCENT: "0.125",
      REMOVAL_GUARD_MOST: "1000000000",
      SYNC_TIMEOUT_SECONDS: "30",
      SYNC_OBJECT_STORAGE: "false",
      SINGLE_COPY_BYTES: "104857600",
      PART_BYTES: "8388608",
      LARGE_COPY_BYTES: "1000000000",
    });
  });

  it("what is usual where nothing is configured", () => {
    expect(variablesOf({})).toMatchObject({
      REMOVAL_GUARD_FLOOR: "100",
      REMOVAL_GUARD_PERCENT: "5",
      REMOVAL_GUARD_MOST: "10000",
      SYNC_TIMEOUT_SECONDS: "28800",
      SYNC_OBJECT_STORAGE: "true",
      SINGLE_COPY_BYTES: "5000000000",
      PART_BYTES: "67108864",
      LARGE_COPY_BYTES: "100000000000",
    });
  });
});

const alarmsOn = (metricName: string, config = example) =>
  synthesize(config)
    .flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"))
    .filter(({ Properties }) => Properties.MetricName === metricName)
    .map(({ Properties }) => Properties);

/** What was counted of a metric without naming a type. */
const forTheSite = (telemetry: MemoryTelemetry, metric: string): readonly number[] => telemetry.values(metric, "");

describe("rows that wait for somebody", () => {
  const secondaries = example.secondaries.map(({ name }) => name).sort();

  it.each([METRICS.removalHeldBack, METRICS.missingOnPrimary])("raise an alarm on %s at each secondary", (metric) => {
    const alarms = alarmsOn(metric);
    expect(alarms.map(({ Dimensions }) => Dimensions)).toEqual(
      secondaries.map((name) => [{ Name: METRIC_DIMENSIONS.site, Value: name }]),
    );
    for (const alarm of alarms) {
      expect(alarm).toMatchObject({
        Namespace: "S3Geo",
        Statistic: "Sum",
        Threshold: 1,
        EvaluationPeriods: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
      });
    }
  });

  it.each([1, 60])("keep it up from one try to the next, with a sweep every %i minutes", (scheduleSweepMinutes) => {
    const config = defineGeoConfig({ account: "111122223333", sites: [...SITES], scheduleSweepMinutes });
    const periodOf = (metric: string) => alarmsOn(metric, config).map(({ Period }) => Number(Period));
    const sweepSeconds = scheduleSweepMinutes * 60;
    const heldBackSeconds = (GUARDED_RETRY_MIN_MS + GUARDED_RETRY_SPREAD_MS) / 1_000 + sweepSeconds;
    const missingSeconds = retryDelayMs(1_000, () => 0.999, RETRY_CAP_MISSING_SECONDS) / 1_000 + sweepSeconds;
    const [heldBack = 0] = periodOf(METRICS.removalHeldBack);
    const [missing = 0] = periodOf(METRICS.missingOnPrimary);
    expect(heldBack).toBeGreaterThan(heldBackSeconds);
    expect(missing).toBeGreaterThan(missingSeconds);
    for (const period of [heldBack, missing]) {
      expect(period % 60, "CloudWatch's periods are whole minutes").toBe(0);
      expect(period, "and a day at most").toBeLessThanOrEqual(86_400);
    }
  });

  it("are counted for the site as a whole, which is what the alarms watch", async () => {
    const heldBack = twoSites({ removalGuard: { floor: 1, percent: 0, most: 1 } });
    const keys = ["cool_widgets/1/a", "cool_widgets/2/b"];
    for (const key of keys) heldBack.primaryBucket.put(key, "x");
    await heldBack.settle();
    for (const key of keys) heldBack.primaryBucket.deleteCurrent(key);
    await heldBack.settle();
    expect(forTheSite(heldBack.telemetry, METRICS.removalHeldBack)).toEqual([1]);

    const missing = twoSites();
    const { versionId } = missing.primaryBucket.put("cool_widgets/1/a", "x");
    await missing.settle();
    missing.primaryBucket.deleteVersion("cool_widgets/1/a", versionId);
    // The primary's own function has not heard of it yet.
    await missing.publish();
    missing.queues.checksum.live.import([]);
    await missing.settle();
    expect(forTheSite(missing.telemetry, METRICS.missingOnPrimary)).toEqual([1]);
  });
});

describe("the dashboard", () => {
  const bodies = synthesize(example).flatMap(({ template }) =>
    ofType(template, "AWS::CloudWatch::Dashboard").map(({ Properties }) => ({
      name: String(Properties.DashboardName),
      text: JSON.stringify(Properties.DashboardBody),
    })),
  );

  it("of a secondary draws what should be zero", () => {
    for (const { text } of bodies.filter(({ name }) => !["s3-geo-virginia", "s3-geo"].includes(name))) {
      for (const metric of [
        METRICS.removalHeldBack,
        METRICS.missingOnPrimary,
        METRICS.syncTimedOut,
        METRICS.verificationTimedOut,
        METRICS.driftFound,
      ]) {
        // By its name in a search over types, or as a metric of the site.
        expect(text).toMatch(new RegExp(`(?:MetricName=|S3Geo\\W+)\\W*${metric}\\W`));
      }
    }
  });

  it("of a primary draws the one of these that it has", () => {
    const [primary] = bodies.filter(({ name }) => name === "s3-geo-virginia");
    expect(primary?.text).toContain(METRICS.verificationTimedOut);
    expect(primary?.text).not.toContain(METRICS.removalHeldBack);
  });
});
