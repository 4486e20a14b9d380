import { describe, expect, test } from "vitest";
import {
  leaseMs,
  PRIMARY_CHECKSUM_WAIT_MAX_MS,
  PRIMARY_CHECKSUM_WAIT_MIN_MS,
  quarantineMs,
} from "../../shared/geo/limits.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { verificationStep, verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** When what could not be verified is looked at again: neither at once, which would burn requests, nor ever later. */

const HOUR_MS = 60 * 60 * 1_000;

const KEY = "cool_widgets/42/widget.bin";

/** Geo's wait after a first failure: 16 to 74 seconds. */
const isFirstWait = (world: TwoSites, retryAt: unknown): boolean => {
  const waits = Number(retryAt) - world.clock.now();
  return waits >= 16_000 && waits <= 74_000;
};

const verify = (world: TwoSites, cause: "checksum_succeeded" | "due" = "checksum_succeeded") =>
  verifyReplica(world.secondary, world.refOf(KEY), cause, Infinity);

const rot = (world: TwoSites): void => {
  const { versionId = "" } = world.replicaBucket.current(KEY) ?? {};
  world.replicaBucket.corrupt(KEY, versionId, new TextEncoder().encode("rot"));
};

const replicated = async (options: Parameters<typeof twoSites>[0] = {}): Promise<TwoSites> => {
  const world = twoSites(options);
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  return world;
};

describe("a replica is read again after Geo's first wait", () => {
  test("when it could not be read", async () => {
    const world = await replicated();
    world.replicaFaults.failNext("read", "unavailable");
    const result = await verify(world);
    expect(result).toMatchObject({ result: "failed" });
    expect("retryAt" in result && isFirstWait(world, result.retryAt)).toBe(true);
  });

  test("when it was found to differ", async () => {
    const world = await replicated();
    rot(world);
    const result = await verify(world);
    expect(result).toMatchObject({ result: "mismatched" });
    expect("retryAt" in result && isFirstWait(world, result.retryAt)).toBe(true);
  });

  test("when it was found to differ in the pass that copied it", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const worker = await new Worker(world, KEY).until("read_back");
    rot(world);
    await worker.until("commit_mismatched");
    const { attempt } = worker;
    if (attempt.at !== "commit_mismatched") throw new Error(`expected commit_mismatched, got ${attempt.at}`);
    expect(isFirstWait(world, attempt.mismatch.retryAt)).toBe(true);
  });

  test("when its reader never came back", async () => {
    const world = await replicated({ fusedVerificationBytesMax: 0 });
    await verificationStep(world.secondary, {
      at: "claim",
      ref: world.refOf(KEY),
      token: "dead",
      which: "any",
      stopAt: Infinity,
    });
    // At the very end of its lease it still holds the row.
    world.clock.advance(leaseMs(world.secondary.functionTimeoutMs));
    expect(await verify(world, "due")).toEqual({ result: "not_due" });
    world.clock.advance(1);
    const result = await verify(world, "due");
    expect(result).toMatchObject({ result: "timed_out", text: "Verification timed out after 120" });
    expect("retryAt" in result && isFirstWait(world, result.retryAt)).toBe(true);
  });
});

describe("a replica waits for the primary's digest", () => {
  test.each([
    ["the shortest wait, when it has just come", 0, PRIMARY_CHECKSUM_WAIT_MIN_MS],
    ["as long again as it has waited", HOUR_MS, HOUR_MS],
    ["the longest wait at most", 24 * HOUR_MS, PRIMARY_CHECKSUM_WAIT_MAX_MS],
  ])("%s", async (_, waited, waits) => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    await new Worker(world, KEY).finish();
    expect((await world.row(KEY))?.due_at).toBe(world.clock.now() + PRIMARY_CHECKSUM_WAIT_MIN_MS);
    world.clock.advance(waited);
    expect(await verify(world)).toEqual({ result: "awaiting_primary", dueAt: world.clock.now() + waits });
  });
});

const record = (world: TwoSites) =>
  recordPrimaryChecksum(world.primary, {
    ref: world.refOf(KEY),
    modelRecordId: "42",
    correlationId: "c",
    stopAt: Infinity,
  });

describe("the primary's record", () => {
  test("is computed again after Geo's first wait when the object could not be read", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    world.primaryFaults.failNext("read", "unavailable");
    const result = await record(world);
    expect(result).toMatchObject({ result: "failed" });
    expect("retryAt" in result && isFirstWait(world, result.retryAt)).toBe(true);
  });

  test("of an object that is gone stays as long as a late request could still land, and is forgotten then", async () => {
    const world = await replicated();
    world.primaryBucket.deleteCurrent(KEY);
    expect(await record(world)).toEqual({ result: "forgotten" });
    const due = world.clock.now() + quarantineMs(world.primary.functionTimeoutMs);
    expect((await world.state(KEY))?.due_at).toBe(due);
  });
});
