import { describe, expect, test } from "vitest";
import { SOON_MS } from "../../shared/geo/limits.ts";
import { COUNT_METRICS } from "../../shared/geo/metrics.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { AttemptAt, Written } from "../../shared/services/blob-sync/attempt.ts";
import { asked, type Columns, held, putRow, rowNow, STEPPED_KEY, stepOf } from "../support/single-steps.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** What single steps come to, to the value: the moment at which a wait is over, the word that ends an attempt, the metric. */

const FIFTY_SECONDS = 50_000;

const lookAtRow = (world: TwoSites) => stepOf(world, { at: "look_at_row", asked: asked(world, "due") });
const counted = (world: TwoSites, metric: string): readonly number[] => world.telemetry.values(metric, "cool_widget");

describe("a lease", () => {
  test("that ends at this very moment still holds", async () => {
    const world = twoSites();
    const started = { state: REPLICATION_STATE.started, attempt_token: "other" };
    await putRow(world, { ...started, lease_until: world.clock.now() });
    expect(await lookAtRow(world)).toMatchObject({ at: "ended", result: { result: "nothing_due" } });
    expect(await stepOf(world, { at: "claim_seen", asked: asked(world, "hint"), seenGen: 7 })).toEqual({
      at: "ended",
      ref: world.refOf(STEPPED_KEY),
      result: { result: "joined" },
    });
    world.clock.advance(1);
    expect(await lookAtRow(world)).toMatchObject({ at: "time_out" });
    expect(await stepOf(world, { at: "claim_seen", asked: asked(world, "hint"), seenGen: 7 })).toMatchObject({
      at: "take_over",
      asked: { cause: "due" },
    });
  });

  test("that nobody came back to is counted, and its row as tainted, and what it came to is told in full", async () => {
    const world = twoSites();
    await putRow(world, {
      state: REPLICATION_STATE.started,
      attempt_token: "other",
      attempt_started_at: world.clock.now() - 10_000,
      lease_until: world.clock.now() - 1,
    });
    const look = await lookAtRow(world);
    if (look.at !== "time_out") throw new Error(`expected time_out, got ${look.at}`);
    const over = await stepOf(world, look);
    const row = await rowNow(world);
    expect(over).toEqual({
      at: "ended",
      ref: world.refOf(STEPPED_KEY),
      result: {
        result: "failed",
        kind: "sync_timeout",
        text: "Sync timed out after 10",
        retryAt: row.retry_at,
        blocked: false,
      },
    });
    expect(counted(world, COUNT_METRICS.syncTimedOut)).toEqual([1]);
    expect(counted(world, COUNT_METRICS.taintedRow)).toEqual([1]);
  });

  test("that is taken over taints the row, counted once, and not when somebody else was faster", async () => {
    const world = twoSites();
    await putRow(world, { state: REPLICATION_STATE.started, attempt_token: "other", lease_until: 1 });
    const takeOver = { at: "take_over", asked: asked(world, "due"), oldToken: "other" } as const;
    expect(await stepOf(world, takeOver)).toMatchObject({ at: "observe_source" });
    expect(counted(world, COUNT_METRICS.taintedRow)).toEqual([1]);
    await putRow(world, { state: REPLICATION_STATE.started, attempt_token: "a third", lease_until: 1 });
    expect((await stepOf(world, takeOver)).at).not.toBe("observe_source");
    expect(counted(world, COUNT_METRICS.taintedRow)).toEqual([1]);
  });
});

describe("a hint that joins", () => {
  test("is due soon, should its holder never come back", async () => {
    const world = twoSites();
    await putRow(world, {
      state: REPLICATION_STATE.started,
      attempt_token: "other",
      lease_until: Number.MAX_SAFE_INTEGER,
    });
    expect(await stepOf(world, { at: "join", asked: asked(world, "hint") })).toMatchObject({
      at: "ended",
      result: { result: "joined" },
    });
    expect(await rowNow(world)).toMatchObject({ gen: 2, due_at: world.clock.now() + SOON_MS });
  });

  test("is told to claim when the holder has left, and not while there is one", async () => {
    const world = twoSites();
    await putRow(world, {});
    expect(await stepOf(world, { at: "join", asked: asked(world, "hint") })).toMatchObject({
      at: "claim_seen",
      seenGen: 2,
    });
  });
});

const synced: Columns = { state: REPLICATION_STATE.synced, done_gen: 1, claimed_gen: 1 };

const cleared = async (world: TwoSites, columns: Columns) => {
  await putRow(world, { ...synced, taint_until: world.clock.now() - 1, ...columns });
  const row = await rowNow(world);
  return stepOf(world, { at: "clear_taint", asked: asked(world, "due"), row });
};

describe("a quarantine", () => {
  test("is over at its very end, and not before", async () => {
    const world = twoSites();
    await putRow(world, { ...synced, taint_until: world.clock.now() + 1, due_at: 1 });
    expect((await lookAtRow(world)).at).not.toBe("recheck");
    world.clock.advance(1);
    expect(await lookAtRow(world)).toMatchObject({ at: "recheck" });
  });

  test("does not come before a hint", async () => {
    const world = twoSites();
    await putRow(world, { ...synced, gen: 2, taint_until: world.clock.now() - 1 });
    expect(await lookAtRow(world)).toMatchObject({ at: "claim_seen", seenGen: 2 });
  });

  test("of a replica that is as recorded ends there, and of a tombstone in its purge, due at once", async () => {
    const world = twoSites();
    expect(await cleared(world, { verification_state: VERIFICATION_STATE.succeeded })).toEqual({
      at: "ended",
      ref: world.refOf(STEPPED_KEY),
      result: { result: "rechecked" },
    });
    expect(await cleared(world, { state: REPLICATION_STATE.absent, gen: 1 })).toEqual({
      at: "purge",
      ref: world.refOf(STEPPED_KEY),
      gen: 1,
      result: { result: "rechecked" },
    });
    expect(await rowNow(world)).toMatchObject({ due_at: world.clock.now() });
  });

  test("of a failed row leaves it due, whatever its verification says", async () => {
    const world = twoSites();
    await cleared(world, { state: REPLICATION_STATE.failed, verification_state: VERIFICATION_STATE.succeeded });
    expect(await rowNow(world)).toMatchObject({ due_at: world.clock.now() });
  });

  test("of a replica that is not as recorded has the row claimed at the generation that was counted", async () => {
    const world = twoSites();
    await putRow(world, { ...synced, taint_until: world.clock.now() - 1, rep_version_id: "recorded" });
    const row = await rowNow(world);
    expect(await stepOf(world, { at: "count_suspicion", asked: asked(world, "due"), row })).toEqual({
      at: "claim_seen",
      asked: asked(world, "due"),
      seenGen: 2,
    });
    expect(counted(world, COUNT_METRICS.recheckRepaired)).toEqual([1]);
  });

  test("of a row that records nothing is over when there is nothing, and not when something landed", async () => {
    const world = twoSites();
    await putRow(world, { ...synced, state: REPLICATION_STATE.absent, taint_until: world.clock.now() - 1 });
    const recheck = { at: "recheck", asked: asked(world, "due"), row: await rowNow(world) } as const;
    expect(await stepOf(world, recheck)).toMatchObject({ at: "clear_taint" });
    world.replicaBucket.put(STEPPED_KEY, "landed late");
    expect(await stepOf(world, recheck)).toMatchObject({ at: "count_suspicion" });
  });
});

const release = (mine: AttemptAt<"release">["held"], dueAt: number): AttemptAt<"release"> => ({
  at: "release",
  held: mine,
  later: { dueAt, result: { result: "handed_over" } },
});

const failing = (mine: AttemptAt<"fail">["held"]): AttemptAt<"fail"> => ({
  at: "fail",
  held: mine,
  kind: "unavailable",
  detail: "503",
});

describe("letting go", () => {
  test("for later waits as long as was said, unless a hint joined: that one is due now", async () => {
    const world = twoSites();
    const later = world.clock.now() + FIFTY_SECONDS;
    expect(await stepOf(world, release(await held(world), later))).toEqual({
      at: "ended",
      ref: world.refOf(STEPPED_KEY),
      result: { result: "handed_over" },
    });
    expect(await rowNow(world)).toMatchObject({ due_at: later });
    const joined = await held(world, { gen: 2 });
    expect(await stepOf(world, release(joined, later))).toMatchObject({
      at: "reschedule",
      ref: world.refOf(STEPPED_KEY),
      dueAt: world.clock.now(),
      result: { result: "handed_over" },
    });
  });

  test("because the time is over is no word about a hint: the row is due anyway", async () => {
    const world = twoSites();
    const joined = await held(world, { gen: 2 });
    expect(await stepOf(world, { at: "release", held: joined })).toEqual({
      at: "ended",
      ref: world.refOf(STEPPED_KEY),
      result: { result: "left_pending" },
    });
  });

  test("after a failure waits for the retry, unless a hint joined: that one is due now", async () => {
    const world = twoSites();
    expect(await stepOf(world, failing(await held(world)))).toMatchObject({
      at: "ended",
      result: { result: "failed", kind: "unavailable", blocked: false, retryAt: (await rowNow(world)).retry_at },
    });
    expect(await stepOf(world, failing(await held(world, { gen: 2 })))).toMatchObject({
      at: "reschedule",
      dueAt: world.clock.now(),
    });
    expect(counted(world, COUNT_METRICS.missingOnPrimary)).toEqual([]);
    expect(world.telemetry.values(COUNT_METRICS.missingOnPrimary)).toEqual([]);
  });

  test("having written to S3 taints the row until a request can not land any more, and has it looked at soon", async () => {
    const world = twoSites();
    const mine = await held(world);
    expect(await stepOf(world, { at: "taint", ref: mine.ref })).toMatchObject({ result: { result: "lost_lease" } });
    const row = await rowNow(world);
    expect(row.taint_until).toBeGreaterThan(world.clock.now() + SOON_MS);
    expect(row.due_at).toBe(world.clock.now() + SOON_MS);
    expect(counted(world, COUNT_METRICS.taintedRow)).toEqual([1]);
  });
});

const touched = async (world: TwoSites, changes: Partial<AttemptAt<"commit_synced">["held"]> = {}) => {
  const source = world.primaryBucket.put(STEPPED_KEY, "one");
  const mine = { ...(await held(world)), ...changes };
  await putRow(world, { state: REPLICATION_STATE.started, attempt_token: "mine", claimed_gen: 1, gen: 2 });
  const seen = await world.secondary.primary.head(STEPPED_KEY);
  if (seen.outcome !== "present") throw new Error(`${source.versionId} is ${seen.outcome}`);
  const written: Written = { source: seen.facts, replica: { versionId: "r", etag: '"e"' }, how: "unchanged" };
  return stepOf(world, { at: "commit_synced", held: mine, written, verdict: { verdict: "switched_off" } });
};

describe("a commit that is refused because the key was touched", () => {
  test("looks again while there is time, knowing that the row named that replica before", async () => {
    const world = twoSites();
    expect(await touched(world, { stopAt: world.clock.now() + 1 })).toMatchObject({
      at: "next_pass",
      outcome: { namedBefore: true },
    });
  });

  test("leaves the row to the sweep at the very end of its time", async () => {
    const world = twoSites();
    expect(await touched(world, { stopAt: world.clock.now() })).toMatchObject({ at: "leave_pending" });
  });
});

describe("a write whose end nobody saw", () => {
  test("is counted, and its row as tainted", async () => {
    const world = twoSites();
    world.primaryBucket.put(STEPPED_KEY, "one");
    await world.loseMessages();
    world.replicaFaults.loseNextAnswer("copy", "never");
    await new Worker(world, STEPPED_KEY).finish();
    expect(counted(world, COUNT_METRICS.unknownOutcome)).toEqual([1]);
    expect(counted(world, COUNT_METRICS.taintedRow)).toEqual([1]);
  });
});
