import { describe, expect, test } from "vitest";
import { REMOVAL_WINDOW_MS, STANDING_KEPT_MS } from "../../../shared/geo/limits.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE, replicationStateOf } from "../../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import { MemoryBucket } from "../../../shared/memory/bucket.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import type { Item } from "../../../shared/ports/table.ts";
import { changeStanding } from "../../../shared/tables/site/site-record.ts";
import {
  countRemoval,
  openRemovalWindow,
  pauseRemovals,
  releaseRemovals,
  removalGuardKey,
  useRelease,
} from "../../../shared/tables/site/removal-guard-item.ts";
import { touchAndClaim } from "../../../shared/tables/registry/touch-and-claim.ts";
import { Invocation, type Machine } from "../../sim/calls.ts";
import { Claims } from "../../sim/claims.ts";
import { NamingChance } from "../../sim/dice.ts";
import { Faults } from "../../sim/faults.ts";
import { Fence } from "../../sim/fence.ts";
import { guardPolicyOf, isPermit, watchGuard } from "../../sim/guard.ts";
import { Oracle } from "../../sim/oracle.ts";
import { type Knob, planOf } from "../../sim/plan.ts";
import { Readings } from "../../sim/readings.ts";
import { Removals } from "../../sim/removals.ts";
import { Resyncs } from "../../sim/resyncs.ts";
import { registryWriteOf, type RegistryWrite } from "../../sim/steps.ts";
import { Transitions } from "../../sim/transitions.ts";

/** Those who watch one rule each: that they have nothing against what is right, and see what is wrong. */

const KEY = "cool_widgets/1/file";
const TYPE = "cool_widget";
const PROCESS = "worker";

const reports = () => {
  const rules: string[] = [];
  return { rules, report: (rule: string) => void rules.push(rule) };
};

const removals = () => {
  const { rules, report } = reports();
  const watching = new Removals(report);
  watching.claimed(PROCESS, KEY);
  watching.permitted(PROCESS, TYPE);
  return { rules, watching };
};

const guarded = (knobs: readonly Knob[], seed = 1) => {
  const faults = new Faults({ ...planOf(1), knobs, seed }, 0);
  const clock = new ManualClock();
  const siteTable = new MemoryTable({ name: "site" });
  const bucket = new MemoryBucket({ name: "bucket", clock, chance: new NamingChance(1, "x") });
  const registry = new MemoryTable({ name: "registry" });
  const oracle = new Oracle({
    now: () => clock.now(),
    leaseMs: 120_000,
    primary: bucket,
    replica: bucket,
    registry,
    verificationState: new MemoryTable({ name: "verification-state" }),
  });
  const policy = guardPolicyOf(faults);
  const timeline = {
    get now() {
      return clock.now();
    },
  };
  watchGuard({ oracle, faults, timeline, secondarySiteTable: siteTable }, policy);
  const put = (change: Item) =>
    siteTable.put({
      ...removalGuardKey(TYPE),
      window_started_at: clock.now(),
      removals: 1,
      removal_limit: policy.floor,
      ...change,
    });
  return { oracle, siteTable, policy, clock, put };
};

const fenced = () => {
  const { rules, report } = reports();
  const clock = new ManualClock();
  const siteTable = new MemoryTable({ name: "site" });
  const fence = new Fence(report, siteTable);
  const machine: Machine = { name: "consumer1", skewMs: 0 };
  const process = new Invocation("consumer1#1", machine, clock.now());
  const reader = fence.reader(process, siteTable, clock);
  const writes = () => fence.writes(process, KEY, clock.now());
  const become = (epoch: number, role: "primary" | "secondary") =>
    siteTable.update(changeStanding({ role: "secondary", epoch }, role));
  return { rules, clock, fence, machine, process, reader, writes, become, siteTable };
};

const asked = () => {
  const clock = new ManualClock();
  const registry = new MemoryTable({ name: "registry" });
  const resyncs = new Resyncs(registry, () => clock.now());
  const commit = (change: Item) => registry.put({ ...rowKey({ replicableName: TYPE, key: KEY }), ...change });
  const copy = (version: string) => {
    resyncs.claimed(PROCESS, KEY);
    clock.advance(1_000);
    resyncs.copied(PROCESS, KEY, version);
  };
  return { clock, resyncs, commit, copy };
};

const changed = async (write: RegistryWrite | undefined, before: Item | undefined, after: Item) => {
  const { rules, report } = reports();
  const told: string[] = [];
  const transitions = new Transitions(report, (text) => told.push(text));
  const table = new MemoryTable({ name: "registry" });
  const key = rowKey({ replicableName: TYPE, key: KEY });
  if (before !== undefined) await table.put({ ...key, ...before });
  table.onChange((record) => transitions.changed(record));
  if (write === undefined) await table.put({ ...key, ...after });
  else await transitions.carryOut(write, () => table.put({ ...key, ...after }));
  return { rules, told };
};

const settled = (verification: keyof typeof VERIFICATION_STATE, gen: number): Item => ({
  state: REPLICATION_STATE.synced,
  gen,
  verification_state: VERIFICATION_STATE[verification],
});

const MARKER = { outcome: "absent", deleteMarkerVersionId: "d1" } as const;
const NOTHING = { outcome: "absent" } as const;
const RECORD: Item = { src_version_id: "s1" };

describe("who watches claims", () => {
  const ref = { replicableName: TYPE, key: KEY };
  const claim = touchAndClaim({ ref, token: "t1", now: 1, leaseUntil: 2, revStart: 1, resync: false });
  const nextPass = { key: rowKey(ref), update: "SET claimed_gen = gen", values: { ":token": "t1" } };

  test("hears of a claim, of one that is sent again before its process has looked, and of a next pass", () => {
    const claims = new Claims();
    expect(claims.heardOf(PROCESS, claim)).toBe("t1");
    expect(claims.heardOf(PROCESS, claim)).toBe("t1");
    claims.looked(PROCESS, KEY);
    expect(claims.heardOf(PROCESS, nextPass)).toBe("t1");
  });

  test("does not hear of a claim that arrives again when its process has gone on, nor of what is none", () => {
    const claims = new Claims();
    claims.heardOf(PROCESS, claim);
    claims.looked(PROCESS, KEY);
    expect(claims.heardOf(PROCESS, claim)).toBeUndefined();
    expect(claims.heardOf("another", claim)).toBe("t1");
    expect(claims.heardOf(PROCESS, { key: rowKey(ref), update: "SET gen = gen + :one" })).toBeUndefined();
  });
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe("who watches readings (S2)", () => {
  test("sees who calls a replica verified that they have not read, or have read as other bytes", () => {
    const { rules, report } = reports();
    const clock = new ManualClock();
    const replica = new MemoryBucket({ name: "replica", clock, chance: new NamingChance(1, "r") });
    const primary = new MemoryBucket({ name: "primary", clock, chance: new NamingChance(1, "s") });
    const [source, copy] = [primary.put(KEY, "bytes"), replica.put(KEY, "bytes")];
    const readings = new Readings(report, (versionId) => primary.version(KEY, versionId));
    const row: Item = { src_version_id: source.versionId, rep_version_id: copy.versionId };
    readings.read(PROCESS, copy.versionId, 0, bytes("bytes"));
    readings.verified(PROCESS, row);
    expect(rules).toEqual([]);
    readings.verified("another", row);
    expect(rules).toEqual(["S2"]);
    readings.read(PROCESS, copy.versionId, 0, bytes("rot"));
    readings.verified(PROCESS, row);
    expect(rules).toEqual(["S2", "S2"]);
  });

  test("puts together what was read in stretches, and sees where one is missing", () => {
    const { rules, report } = reports();
    const clock = new ManualClock();
    const primary = new MemoryBucket({ name: "primary", clock, chance: new NamingChance(1, "s") });
    const source = primary.put(KEY, "bytes");
    const readings = new Readings(report, (versionId) => primary.version(KEY, versionId));
    const row: Item = { src_version_id: source.versionId, rep_version_id: "r" };
    readings.read(PROCESS, "r", 0, bytes("by"));
    readings.read(PROCESS, "r", 2, bytes("tes"));
    readings.verified(PROCESS, row);
    expect(rules).toEqual([]);
    readings.read(PROCESS, "r", 0, bytes("by"));
    readings.verified(PROCESS, row);
    expect(rules).toEqual(["S2"]);
  });
});

describe("who watches removals (R29)", () => {
  test.each([
    ["a marker", MARKER, "unasked"],
    ["no record", NOTHING, undefined],
    ["a tombstone", NOTHING, { ...RECORD, state: REPLICATION_STATE.absent }],
    ["a record that names no version", NOTHING, { verification_state: 3 }],
  ] as const)("takes %s for a second witness", (_name, outcome, record) => {
    const { rules, watching } = removals();
    watching.looked(PROCESS, KEY, outcome);
    if (record !== "unasked") watching.readRecord(PROCESS, KEY, record);
    watching.removes(PROCESS, KEY, TYPE);
    expect(rules).toEqual([]);
  });

  test("sees a removal on one witness: nobody was asked, the record names the object, or the marker is from before", () => {
    const unasked = removals();
    unasked.watching.looked(PROCESS, KEY, NOTHING);
    unasked.watching.removes(PROCESS, KEY, TYPE);
    expect(unasked.rules).toEqual(["R29"]);
    const named = removals();
    named.watching.looked(PROCESS, KEY, NOTHING);
    named.watching.readRecord(PROCESS, KEY, RECORD);
    named.watching.removes(PROCESS, KEY, TYPE);
    expect(named.rules).toEqual(["R29"]);
    const before = removals();
    before.watching.looked(PROCESS, KEY, MARKER);
    before.watching.claimed(PROCESS, KEY);
    before.watching.removes(PROCESS, KEY, TYPE);
    expect(before.rules).toEqual(["R29"]);
  });

  test("sees a removal without a permit, one permit for each", () => {
    const { rules, watching } = removals();
    watching.looked(PROCESS, KEY, MARKER);
    watching.removes(PROCESS, KEY, TYPE);
    watching.removes(PROCESS, KEY, TYPE);
    expect(rules).toEqual(["R29"]);
  });
});

describe("who watches the guard (R29)", () => {
  test("has nothing against an hour that fills up, a pause, a release that is used, and the next hour", async () => {
    const { oracle, siteTable, policy, clock } = guarded(["guard"]);
    const start = clock.now();
    await siteTable.update(openRemovalWindow(TYPE, undefined, start, policy.floor));
    for (let more = 1; more < policy.floor; more += 1) await siteTable.update(countRemoval(TYPE, start));
    const seen = { replicableName: TYPE, windowStartedAt: start, removals: policy.floor, limit: policy.floor };
    expect((await siteTable.update(pauseRemovals(TYPE, seen, start))).outcome).toBe("written");
    await siteTable.update(releaseRemovals(TYPE, 1, start + 1_000));
    expect((await siteTable.update(useRelease(TYPE, start))).outcome).toBe("written");
    clock.advance(2 * REMOVAL_WINDOW_MS);
    expect((await siteTable.update(openRemovalWindow(TYPE, seen, clock.now(), policy.floor))).outcome).toBe("written");
    expect(oracle.violation).toBeUndefined();
  });

  test("sees more than the limit, another limit, an hour that comes early, and a removal while they are held back", async () => {
    const tooMany = guarded(["guard"]);
    await tooMany.put({ removals: tooMany.policy.floor + 1 });
    expect(tooMany.oracle.violation?.rule).toBe("R29");
    const other = guarded(["guard"]);
    await other.put({ removal_limit: other.policy.floor + 1 });
    expect(other.oracle.violation?.rule).toBe("R29");
    const early = guarded(["guard"]);
    await early.put({});
    early.clock.advance(REMOVAL_WINDOW_MS - 1);
    await early.put({});
    expect(early.oracle.violation?.detail).toContain("before the last one is over");
    const paused = guarded([]);
    await paused.put({});
    expect(paused.oracle.violation).toBeUndefined();
    await paused.put({ paused_at: 1 });
    expect(paused.oracle.violation?.detail).toContain("far below its limit");
    const throughPause = guarded(["guard"], 5);
    await throughPause.put({ paused_at: 1 });
    throughPause.clock.advance(REMOVAL_WINDOW_MS);
    await throughPause.put({ paused_at: 1 });
    expect(throughPause.oracle.violation?.detail).toContain("held back");
    const onRelease = guarded(["guard"]);
    await onRelease.put({ release_only_until: onRelease.clock.now() + 2 * REMOVAL_WINDOW_MS });
    onRelease.clock.advance(REMOVAL_WINDOW_MS);
    await onRelease.put({});
    expect(onRelease.oracle.violation?.detail).toContain("only a release counts");
  });

  test("knows a permit from a pause", () => {
    const seen = { replicableName: TYPE, windowStartedAt: 0, removals: 1, limit: 1 };
    expect([countRemoval(TYPE, 0), openRemovalWindow(TYPE, seen, 0, 1), useRelease(TYPE, 0)].map(isPermit)).toEqual([
      true,
      true,
      true,
    ]);
    expect(isPermit(pauseRemovals(TYPE, seen, 0))).toBe(false);
    expect(isPermit(changeStanding({ role: "secondary", epoch: 0 }, "primary"))).toBe(false);
  });
});

describe("who watches the fence (S7)", () => {
  test("lets a worker write that has read the standing in time, or does not know better for ten seconds", async () => {
    const { rules, clock, fence, process, reader, writes, become } = fenced();
    await reader.read();
    fence.claimed(process.name, KEY);
    await become(0, "primary");
    clock.advance(STANDING_KEPT_MS - 1);
    writes();
    expect(rules).toEqual([]);
  });

  test("sees a write on knowledge that is too old, one against better knowledge, and one of another epoch", async () => {
    const old = fenced();
    await old.reader.read();
    await old.become(0, "primary");
    old.clock.advance(STANDING_KEPT_MS);
    old.writes();
    expect(old.rules).toEqual(["S7"]);
    const knowing = fenced();
    await knowing.become(0, "primary");
    await knowing.reader.read();
    knowing.writes();
    expect(knowing.rules).toEqual(["S7"]);
    const epochs = fenced();
    epochs.fence.claimed(epochs.process.name, KEY);
    await epochs.become(0, "secondary");
    await epochs.reader.read();
    epochs.writes();
    expect(epochs.rules).toEqual(["S7"]);
  });

  test("keeps what a machine knows from one process to the next, until one of them had to be ended", async () => {
    const { fence, clock, machine, process, reader, siteTable, become } = fenced();
    await reader.read();
    await become(0, "primary");
    const second = new Invocation("consumer1#2", machine, clock.now());
    expect(await fence.reader(second, siteTable, clock).read()).toMatchObject({ role: "secondary" });
    second.dead = true;
    const third = new Invocation("consumer1#3", machine, clock.now());
    expect(await fence.reader(third, siteTable, clock).read()).toMatchObject({ role: "primary" });
    expect(process.dead).toBe(false);
  });
});

describe("who watches resyncs (F18)", () => {
  test("is content once a row names a copy by somebody who claimed it after the request", async () => {
    const { resyncs, commit, copy } = asked();
    resyncs.asked(KEY);
    copy("r2");
    expect(resyncs.unheard).toEqual([KEY]);
    await commit({ state: REPLICATION_STATE.synced, rep_version_id: "r2" });
    expect(resyncs.unheard).toEqual([]);
  });

  test("is not content with a copy that was claimed before, nor with a row that names an older version", async () => {
    const { clock, resyncs, commit, copy } = asked();
    copy("r1");
    clock.advance(1);
    resyncs.asked(KEY);
    await commit({ state: REPLICATION_STATE.synced, rep_version_id: "r1" });
    expect(resyncs.unheard).toEqual([KEY]);
    await commit({ state: REPLICATION_STATE.synced, rep_version_id: "never copied" });
    expect(resyncs.unheard).toEqual([KEY]);
  });

  test("forgets what was asked of an object that is gone, and of a registry that was restored", async () => {
    const gone = asked();
    gone.resyncs.asked(KEY);
    await gone.commit({ state: REPLICATION_STATE.absent });
    expect(gone.resyncs.unheard).toEqual([]);
    const restored = asked();
    restored.resyncs.asked(KEY);
    restored.resyncs.restored();
    expect(restored.resyncs.unheard).toEqual([]);
  });
});

describe("who watches the two states of a row (F9, F10)", () => {
  const { pending, started, synced, failed } = REPLICATION_STATE;

  test("has nothing against what the tables allow", async () => {
    const claim = await changed({ step: "sync touch_and_claim", replication: "start" }, undefined, { state: started });
    expect(claim.rules).toEqual([]);
    const commit = { step: "sync commit_synced", replication: "sync", verification: "settle_pending" } as const;
    expect((await changed(commit, { state: started }, { state: synced, gen: 1 })).rules).toEqual([]);
  });

  test.each([
    ["by no step", undefined, { state: pending }, { state: started }],
    ["synced from failed", { step: "sync commit_synced", replication: "sync" }, { state: failed }, { state: synced }],
    ["pending by a failure", { step: "sync fail", replication: "fail" }, { state: started }, { state: pending }],
    ["by a join, which says nothing of it", { step: "sync join" }, { state: started }, { state: pending }],
  ] as const)("sees a state changed %s", async (_how, write, before, after) => {
    expect((await changed(write, before, after)).rules).toEqual(["F10"]);
  });

  test("sees succeeded without started, and a verification changed by the way", async () => {
    const succeed = { step: "verify commit", verification: "succeed" } as const;
    expect((await changed(succeed, settled("failed", 1), settled("succeeded", 2))).rules).toEqual(["F9"]);
    expect((await changed(succeed, settled("started", 1), settled("succeeded", 2))).rules).toEqual([]);
    const join = { step: "sync join" } as const;
    expect((await changed(join, settled("succeeded", 1), settled("pending", 2))).rules).toEqual(["F9"]);
  });

  test("tells of timeouts by Geo's words, and sees other words (F20)", async () => {
    const timeOut = { step: "sync time_out", replication: "time_out" } as const;
    const right = { state: failed, last_sync_failure: "Sync timed out after 120" };
    expect(await changed(timeOut, { state: started }, right)).toEqual({ rules: [], told: ["told sync timed out"] });
    const wrong = { state: failed, last_sync_failure: "Sync timed out after a while" };
    expect((await changed(timeOut, { state: started }, wrong)).rules).toEqual(["F20"]);
  });

  test("knows no step for a write that no step makes", () => {
    const claim = { ref: { replicableName: TYPE, key: KEY }, token: "t", now: 1, leaseUntil: 2, revStart: 1 };
    expect(registryWriteOf(touchAndClaim({ ...claim, resync: true }))?.step).toBe("sync touch_and_claim");
    expect(registryWriteOf({ key: { pk: "a", sk: "b" }, update: "SET a = :a", condition: "b = :b" })).toBeUndefined();
    expect(replicationStateOf(started)).toBe("started");
  });
});
