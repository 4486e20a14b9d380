import { describe, expect, test } from "vitest";
import { leaseMs, quarantineMs } from "../../../shared/geo/limits.ts";
import { MemoryBucket } from "../../../shared/memory/bucket.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import type { Item, UpdateRequest } from "../../../shared/ports/table.ts";
import { nextPass, release } from "../../../shared/tables/registry/move-on.ts";
import { takeOver } from "../../../shared/tables/registry/take-over.ts";
import { timeOut } from "../../../shared/tables/registry/time-out.ts";
import { touchAndClaim } from "../../../shared/tables/registry/touch-and-claim.ts";
import { NamingChance } from "../../sim/dice.ts";
import { FUNCTION_TIMEOUT_MS } from "../../sim/faults.ts";
import { Oracle } from "../../sim/oracle.ts";

const KEY = "cool_widgets/1/file";
const REF = { replicableName: "cool_widget", key: KEY };
/** How long leases last in worlds whose sync timeout is longer than a function may run. */
const LEASE_MS = leaseMs(FUNCTION_TIMEOUT_MS);

const watched = () => {
  const clock = new ManualClock();
  const primary = new MemoryBucket({ name: "primary", clock, chance: new NamingChance(1, "s") });
  const replica = new MemoryBucket({ name: "replica", clock, chance: new NamingChance(1, "r") });
  const registry = new MemoryTable({ name: "registry" });
  const verificationState = new MemoryTable({ name: "verification-state" });
  const oracle = new Oracle({
    now: () => clock.now(),
    leaseMs: LEASE_MS,
    primary,
    replica,
    registry,
    verificationState,
  });
  const source = primary.put(KEY, "bytes");
  oracle.sourceChanged(KEY);
  const copy = replica.put(KEY, "bytes");
  oracle.replicaTouched(KEY);
  const settled: Item = {
    state: 2,
    verification_state: 2,
    gen: 1,
    claimed_gen: 1,
    done_gen: 1,
    src_version_id: source.versionId,
    src_etag: source.etag,
    rep_version_id: copy.versionId,
  };
  const put = (change: Readonly<Record<string, Item[string] | undefined>>): Promise<unknown> => {
    const kept = Object.entries({ ...settled, ...change }).filter(([, value]) => value !== undefined);
    return registry.put({ pk: "cool_widget#000", sk: KEY, ...(Object.fromEntries(kept) as Item) });
  };
  return { oracle, clock, primary, replica, copy, registry, put };
};

const withoutCondition = ({ condition: _dropped, ...request }: UpdateRequest): UpdateRequest => ({
  ...request,
  values: Object.fromEntries(Object.entries(request.values ?? {}).filter(([name]) => request.update.includes(name))),
});

/** Two machines whose clocks are ahead by so much, and what they do to one row. */
const contended = (skews: { readonly holder?: number; readonly taker?: number } = {}) => {
  const { oracle, clock, registry } = watched();
  const { holder = 0, taker = 0 } = skews;
  const claim = (token: string, skewMs: number) => {
    const now = clock.now() + skewMs;
    return { ref: REF, token, now, leaseUntil: now + LEASE_MS, revStart: 0, resync: false, hints: 1 } as const;
  };
  const send = (token: string | undefined, skewMs: number, request: UpdateRequest): (() => Promise<unknown>) => {
    const sent = { token, at: clock.now(), skewMs };
    return () => oracle.leases.carryOut(sent, () => registry.update(request));
  };
  const taintUntil = clock.now() + quarantineMs(FUNCTION_TIMEOUT_MS);
  const takenOver = () => takeOver({ ...claim("t2", taker), oldToken: "t1", taintUntil, hints: 1 });
  const failure = { text: "Sync timed out after 120", retryAt: taintUntil, retryCount: 1 };
  const timedOut = () => timeOut({ ref: REF, oldToken: "t1", now: clock.now() + taker, taintUntil, failure });
  const held = () => ({
    ref: REF,
    token: "t1",
    claimedGen: 1,
    now: clock.now(),
    taintUntil: undefined,
    ownTaintUntil: undefined,
    uploadOver: false,
    provenVersion: undefined,
  });
  return {
    oracle,
    clock,
    claims: send("t1", holder, touchAndClaim(claim("t1", holder))),
    claimsAnew: () => send("t1", holder, nextPass(held(), undefined, clock.now() + holder + LEASE_MS))(),
    letsGo: () => send("t1", holder, release(held()))(),
    /** Without the conditions that these writes ship with: nothing refuses them. */
    claimsToo: () => send("t2", taker, withoutCondition(touchAndClaim(claim("t2", taker))))(),
    takesOver: () => send("t2", taker, withoutCondition(takenOver()))(),
    timesOut: () => send(undefined, taker, withoutCondition(timedOut()))(),
    /** As it ships. */
    takesOverAsShipped: () => send("t2", taker, takenOver())(),
  };
};

describe("the oracle", () => {
  test("has nothing against a settled row whose replica was read", async () => {
    const { oracle, copy, put } = watched();
    oracle.replicaRead(KEY, copy.versionId);
    await put({});
    expect(oracle.violation).toBeUndefined();
  });

  test.each([
    ["S1", { rep_version_id: "never" }],
    ["S1", { src_version_id: "never" }],
    ["S1", { src_etag: '"other"' }],
    ["S5", { done_gen: 2 }],
    ["S5", { claimed_gen: 2, done_gen: 1 }],
    ["L2", { gen: 2 }],
    ["L2", { state: 3 }],
    ["L2", { taint_until: 1 }],
    ["L2", { attempt_token: "t" }],
    ["L2", { verification_state: 0 }],
    ["L2", { due_at: 1 }],
  ])("sees %s broken by %j", async (rule, change) => {
    const { oracle, copy, put } = watched();
    oracle.replicaRead(KEY, copy.versionId);
    await put(change);
    expect(oracle.violation?.rule).toBe(rule);
  });

  test("sees S2: verified without a reading, or on a reading of other bytes", async () => {
    const unread = watched();
    await unread.put({});
    expect(unread.oracle.violation?.rule).toBe("S2");
    const rotten = watched();
    rotten.replica.corrupt(KEY, rotten.copy.versionId, new TextEncoder().encode("rotte"));
    rotten.oracle.replicaRead(KEY, rotten.copy.versionId);
    await rotten.put({});
    expect(rotten.oracle.violation?.rule).toBe("S2");
  });

  test("sees S3: a version of the replica is gone", () => {
    const { oracle, replica, copy } = watched();
    replica.deleteVersion(KEY, copy.versionId);
    oracle.checkNothingDestroyed();
    expect(oracle.violation?.rule).toBe("S3");
  });

  test("sees S4: a removal by whoever was not told after their claim that the primary holds nothing", () => {
    const told = watched().oracle;
    told.claimed("worker", KEY, "t1", "first");
    told.looked("worker", KEY, true);
    told.removes("worker", KEY);
    expect(told.violation).toBeUndefined();
    const early = watched().oracle;
    early.looked("worker", KEY, true);
    early.claimed("worker", KEY, "t1", "first");
    early.removes("worker", KEY);
    expect(early.violation?.rule).toBe("S4");
    const outdated = watched().oracle;
    outdated.claimed("worker", KEY, "t1", "first");
    outdated.looked("worker", KEY, true);
    outdated.looked("worker", KEY, false);
    outdated.removes("worker", KEY);
    expect(outdated.violation?.rule).toBe("S4");
  });

  test("sees S5 across two writes: done_gen goes back", async () => {
    const back = watched();
    back.oracle.replicaRead(KEY, back.copy.versionId);
    await back.put({ gen: 2, claimed_gen: 2, done_gen: 2 });
    await back.put({ gen: 2, claimed_gen: 2, done_gen: 1, due_at: 1, due_pk: "p" });
    expect(back.oracle.violation?.rule).toBe("S5");
  });

  test.each(["claimsToo", "takesOver", "timesOut"] as const)(
    "sees S6: somebody %s one millisecond before the lease is over, and nothing once it is",
    async (does) => {
      const early = contended();
      await early.claims();
      early.clock.advance(LEASE_MS - 1);
      await early[does]();
      expect(early.oracle.violation?.rule).toBe("S6");
      const late = contended();
      await late.claims();
      late.clock.advance(LEASE_MS + 1);
      await late[does]();
      expect(late.oracle.violation).toBeUndefined();
    },
  );

  test("sees S6 of a lease that another pass has renewed, and nothing when its holder lets go", async () => {
    const renewed = contended();
    await renewed.claims();
    renewed.clock.advance(LEASE_MS / 2);
    await renewed.claimsAnew();
    renewed.clock.advance(LEASE_MS / 2 + 1);
    await renewed.timesOut();
    expect(renewed.oracle.violation?.rule).toBe("S6");
    const left = contended();
    await left.claims();
    await left.letsGo();
    await left.claimsToo();
    expect(left.oracle.violation).toBeUndefined();
  });

  test.each([
    ["the taker's is ahead", { taker: 60_000 }, LEASE_MS - 60_000],
    ["the holder's is behind", { holder: -60_000 }, LEASE_MS - 60_000],
    ["both are ahead by the same", { holder: 60_000, taker: 60_000 }, LEASE_MS],
    ["the holder's is ahead", { holder: 60_000 }, LEASE_MS + 60_000],
  ])("lets a row be taken as early as two clocks allow, and sees S6 before that: %s", async (_, skews, overAfterMs) => {
    const early = contended(skews);
    await early.claims();
    early.clock.advance(overAfterMs - 1);
    await early.takesOver();
    expect(early.oracle.violation?.rule).toBe("S6");
    const late = contended(skews);
    await late.claims();
    late.clock.advance(overAfterMs + 1);
    expect(await late.takesOverAsShipped()).toMatchObject({ outcome: "written" });
    expect(late.oracle.violation).toBeUndefined();
  });

  test("sees a tainted or held row being purged", async () => {
    const { oracle, registry, put } = watched();
    await put({ state: 5, taint_until: 1, due_at: 1, due_pk: "p" });
    await registry.delete({ key: { pk: "cool_widget#000", sk: KEY } });
    expect(oracle.violation?.rule).toBe("L2");
  });
});
