import { describe, expect, test } from "vitest";
import {
  DUE_INDEX,
  executionArn,
  executionName,
  feedNames,
  functionName,
  installationNames,
  primaryNames,
  registryPattern,
  secondaryNames,
  SITE_TABLE_PARTITIONS,
  siteNames,
  stackNames,
} from "../../../shared/geo/physical-names.ts";

const installation = { name: "s3-geo", account: "111122223333" };
const site = { name: "ireland", region: "eu-west-1" };

/** Whoever renames one of these makes a new one beside it, and leaves behind what the old one held. */
describe("what a deployment is called stays as it is:", () => {
  test("the registries of all secondaries, as a pattern", () => {
    expect(registryPattern(installation)).toBe("s3-geo-*-registry");
  });

  test("a primary's resources", () => {
    expect(primaryNames(installation, site)).toEqual({
      bucket: "s3-geo-ireland-111122223333-eu-west-1",
      bucketEventsTopic: "s3-geo-ireland-bucket-events",
      geoEventsTopic: "s3-geo-ireland-geo-events",
      checksumQueue: "s3-geo-ireland-checksum",
      checksumDeadLetterQueue: "s3-geo-ireland-checksum-dead-letters",
      verificationStateTable: "s3-geo-ireland-verification-state",
      verificationBackfill: "s3-geo-ireland-verification-backfill",
      verificationBackfillDeadLetterQueue: "s3-geo-ireland-verification-backfill-dead-letters",
      siteTable: "s3-geo-ireland-site",
      manifestBucket: "s3-geo-ireland-manifests-111122223333-eu-west-1",
      batchDestroy: "s3-geo-ireland-batch-destroy",
    });
  });

  test("a secondary's resources", () => {
    expect(secondaryNames(installation, site)).toEqual({
      bucket: "s3-geo-ireland-111122223333-eu-west-1",
      eventsQueue: "s3-geo-ireland-geo-events",
      eventsDeadLetterQueue: "s3-geo-ireland-geo-events-dead-letters",
      verificationQueue: "s3-geo-ireland-verification",
      verificationDeadLetterQueue: "s3-geo-ireland-verification-dead-letters",
      driftQueue: "s3-geo-ireland-replica-drift",
      driftDeadLetterQueue: "s3-geo-ireland-replica-drift-dead-letters",
      backfillQueue: "s3-geo-ireland-backfill",
      backfillDeadLetterQueue: "s3-geo-ireland-backfill-dead-letters",
      registryConsistency: "s3-geo-ireland-registry-consistency",
      registryConsistencyDeadLetterQueue: "s3-geo-ireland-registry-consistency-dead-letters",
      largeCopy: "s3-geo-ireland-large-copy",
      largeCopyDeadLetterQueue: "s3-geo-ireland-large-copy-dead-letters",
      registryTable: "s3-geo-ireland-registry",
      siteTable: "s3-geo-ireland-site",
    });
  });

  test("what carries the primary's changes to a secondary", () => {
    expect(feedNames(installation, site)).toEqual({
      ingestQueue: "s3-geo-ireland-ingest",
      ingestDeadLetterQueue: "s3-geo-ireland-ingest-dead-letters",
    });
  });

  test("what every site has", () => {
    expect(siteNames(installation, site)).toEqual({
      retrySweep: "s3-geo-ireland-retry-sweep",
      retrySweepDeadLetterQueue: "s3-geo-ireland-retry-sweep-dead-letters",
      siteStatus: "s3-geo-ireland-site-status",
      siteStatusDeadLetterQueue: "s3-geo-ireland-site-status-dead-letters",
      countersDeadLetterQueue: "s3-geo-ireland-counters-dead-letters",
      counterAudit: "s3-geo-ireland-counter-audit",
      counterAuditDeadLetterQueue: "s3-geo-ireland-counter-audit-dead-letters",
      bulkUpdate: "s3-geo-ireland-bulk-update",
      api: "s3-geo-ireland-api",
      dashboard: "s3-geo-ireland",
    });
    expect(functionName(installation, site, "event-consumer")).toBe("s3-geo-ireland-event-consumer");
  });

  test("what there is once", () => {
    expect(installationNames(installation)).toEqual({ overview: "s3-geo" });
  });

  test("stacks", () => {
    expect(stackNames(installation, site)).toEqual({
      storage: "s3-geo-ireland-storage",
      site: "s3-geo-ireland",
      feed: "s3-geo-ireland-feed",
    });
  });

  test("the index of rows that are due, and the parts of a site's own table", () => {
    expect(DUE_INDEX).toBe("due");
    expect(SITE_TABLE_PARTITIONS).toEqual({
      counter: "counter",
      rollUp: "roll_up",
      counterAudit: "counter_audit",
      token: "token",
      cursorKey: "cursor_key",
      removalGuard: "removal_guard",
      consistency: "consistency",
      site: "site",
      bulkUpdate: "bulk_update",
      idempotency: "idempotency",
      secondary: "secondary",
      knownSite: "known_site",
      status: "status",
      destroy: "destroy",
      destroyParent: "destroy_parent",
      destroyRelease: "destroy_release",
      destroySlice: "destroy_slice",
      destroyVersions: "destroy_versions",
      retrySweep: "retry_sweep",
      usage: "usage",
    });
  });
});

test("a bucket's name has account and region in it, since it is global to all of AWS", () => {
  const elsewhere = { ...installation, account: "444455556666" };
  expect(primaryNames(elsewhere, site).bucket).not.toBe(primaryNames(installation, site).bucket);
  expect(primaryNames(installation, { ...site, region: "eu-west-2" }).bucket).not.toBe(
    primaryNames(installation, site).bucket,
  );
});

describe("an execution of a state machine", () => {
  test("is named by what distinguishes it", () => {
    expect(executionName("resync", 7, "a_B-9")).toBe("resync-7-a_B-9");
    expect(executionName("x".repeat(80))).toHaveLength(80);
  });

  test.each(["", "a b", "a/b", "ä", "a:b", "x".repeat(81), "a\n"])("can not be named %j", (name) => {
    expect(() => executionName(name)).toThrow(
      new RangeError(
        `Expected 1 to 80 letters, digits, hyphens and underscores for an execution's name, got "${name}"`,
      ),
    );
  });

  test("has an ARN that follows from its machine's", () => {
    expect(executionArn("arn:aws:states:eu-west-1:111122223333:stateMachine:s3-geo-ireland-bulk-update", "one")).toBe(
      "arn:aws:states:eu-west-1:111122223333:execution:s3-geo-ireland-bulk-update:one",
    );
  });
});
