import { describe, expect, test } from "vitest";
import { MemoryBucket } from "../../../shared/memory/bucket.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import type { Item } from "../../../shared/ports/table.ts";
import { NamingChance } from "../../sim/dice.ts";
import { Oracle } from "../../sim/oracle.ts";

const KEY = "cool_widgets/1/file";

const watched = () => {
  const clock = new ManualClock();
  const primary = new MemoryBucket({ name: "primary", clock, chance: new NamingChance(1, "s") });
  const replica = new MemoryBucket({ name: "replica", clock, chance: new NamingChance(1, "r") });
  const registry = new MemoryTable({ name: "registry" });
  const verificationState = new MemoryTable({ name: "verification-state" });
  const oracle = new Oracle({ now: () => clock.now(), primary, replica, registry, verificationState });
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
  return { oracle, primary, replica, copy, registry, put };
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

  test("sees S5 and S6 across two writes: done_gen goes back, a live lease is taken", async () => {
    const back = watched();
    back.oracle.replicaRead(KEY, back.copy.versionId);
    await back.put({ gen: 2, claimed_gen: 2, done_gen: 2 });
    await back.put({ gen: 2, claimed_gen: 2, done_gen: 1, due_at: 1, due_pk: "p" });
    expect(back.oracle.violation?.rule).toBe("S5");
    const taken = watched();
    const held = { state: 1, due_at: 1, due_pk: "p", lease_until: Date.UTC(2027, 0, 1) };
    await taken.put({ ...held, attempt_token: "t1" });
    await taken.put({ ...held, attempt_token: "t2" });
    expect(taken.oracle.violation?.rule).toBe("S6");
  });

  test("sees a tainted or held row being purged", async () => {
    const { oracle, registry, put } = watched();
    await put({ state: 5, taint_until: 1, due_at: 1, due_pk: "p" });
    await registry.delete({ key: { pk: "cool_widget#000", sk: KEY } });
    expect(oracle.violation?.rule).toBe("L2");
  });
});
