import { expect, test } from "vitest";
import { leaseMs, quarantineMs } from "../../shared/geo/limits.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { countSuspicion } from "../../shared/tables/registry/recheck.ts";
import { sentTwice } from "../support/sent-twice.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const HOUR_MS = 60 * 60_000;

/** The world as one worker sees it whose table loses an answer. */
const losing = (
  world: TwoSites,
  picks: (request: UpdateRequest) => boolean,
  meanwhile?: () => Promise<unknown>,
): TwoSites => ({
  ...world,
  secondary: { ...world.secondary, registry: sentTwice(world.registry, picks, meanwhile) },
});

const sets = (column: string) => (request: UpdateRequest) => Object.values(request.names ?? {}).includes(column);

const commits = sets("done_gen");

const takesOver = (request: UpdateRequest) => request.values?.[":old_token"] !== undefined;

/** A row that nobody holds and whose hint has not been followed. */
const leavePending = async (world: TwoSites): Promise<void> => {
  const worker = await new Worker(world, KEY).until("copy");
  world.clock.advance(world.secondary.functionTimeoutMs);
  expect(await worker.finish()).toEqual({ result: "left_pending" });
};

test.each([
  ["the claim", (request: UpdateRequest) => request.update.includes("claimed_gen = ")],
  ["the commit", commits],
])("R14: %s of a new object whose answer is lost costs nothing but the second request", async (_what, picks) => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "content");
  expect(await new Worker(losing(world, picks), KEY).finish()).toMatchObject({ result: "synced", how: "copied" });
  expect(await world.row(KEY)).toMatchObject({ state: "synced", gen: 1, done_gen: 1 });
  expect(await world.row(KEY)).not.toHaveProperty("taint_until");
});

test("R14: a claim that a hint joins before it is heard of is still the claimant's", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "content");
  const worker = new Worker(
    losing(
      world,
      (request) => request.update.includes("claimed_gen = "),
      () => new Worker(world, KEY).finish(),
    ),
    KEY,
  );
  expect(await worker.finish()).toMatchObject({ result: "synced" });
  expect(await world.row(KEY)).toMatchObject({ state: "synced", gen: 2, done_gen: 2 });
});

test("R14: a commit that somebody writes over before it is heard of says so in the row, and all is looked at again", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "old");
  const worker = new Worker(
    losing(world, commits, async () => {
      world.primaryBucket.put(KEY, "new");
      await new Worker(world, KEY).until("copy");
    }),
    KEY,
  );
  expect(await worker.finish()).toEqual({ result: "lost_lease" });
  expect(await world.row(KEY)).toHaveProperty("taint_until");
  await world.live(
    leaseMs(world.secondary.functionTimeoutMs) + quarantineMs(world.secondary.functionTimeoutMs) + HOUR_MS,
  );
  expect(world.replicaText(KEY)).toBe("new");
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  expect(await world.row(KEY)).not.toHaveProperty("taint_until");
});

test("R14: a row that is taken over is not left alone until its lease is over, though a hint joined before it was heard of", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "content");
  await leavePending(world);
  const worker = await new Worker(
    losing(world, takesOver, () => new Worker(world, KEY).finish()),
    KEY,
    "due",
  ).until("claim_seen");
  await new Worker(world, KEY, "due").until("copy");
  world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1);
  await worker.until("take_over");
  // So late that it lets go at once, which only whoever knows that it holds the row can do.
  expect(await worker.finish()).toEqual({ result: "left_pending" });
  expect(await world.row(KEY)).toMatchObject({ state: "pending", due_at: world.clock.now() });
  expect(await world.row(KEY)).not.toHaveProperty("attempt_token");
});

test("R14: a suspicion that comes between the two sendings of a verification's claim stays in the due index", async () => {
  const world = twoSites({ fusedVerificationBytesMax: 0 });
  world.primaryBucket.put(KEY, "content");
  await new Worker(world, KEY).finish();
  await world.loseMessages();
  const { secondary } = losing(world, sets("v_token"), async () => {
    const row = await world.row(KEY);
    if (row === undefined) throw new Error("expected a row");
    await world.registry.update(countSuspicion(world.refOf(KEY), row, world.clock.now()));
  });
  await verifyReplica(secondary, world.refOf(KEY), "due", Infinity);
  expect(await world.row(KEY)).toMatchObject({ gen: 2, done_gen: 1 });
  expect(await world.row(KEY)).toHaveProperty("due_at");
});

test("R14: the primary reads an object that it said it would read, though it was told that it had not said so", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "content", { checksum: "none" });
  await world.loseMessages();
  const request = { ref: world.refOf(KEY), modelRecordId: "42/widget.bin", correlationId: "c", stopAt: Infinity };
  const verificationState = sentTwice(world.verificationState, sets("verification_started_at"), async () => {
    expect(await recordPrimaryChecksum(world.primary, request)).toEqual({ result: "left_to_others" });
  });
  expect(await recordPrimaryChecksum({ ...world.primary, verificationState }, request)).toMatchObject({
    result: "computed",
  });
  expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
});
