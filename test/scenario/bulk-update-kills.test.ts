import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegistryRow } from "../../shared/geo/registry-row.ts";
import { accepted, bulkUpdating, type BulkUpdating, Killed } from "../support/bulk-updating.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const KEYS = Array.from({ length: 6 }, (_, id) => `cool_widgets/${id}/widget.bin`);
const TYPE = { replicable_name: "cool_widget" } as const;

type Wish = Parameters<BulkUpdating["ask"]>[0];

/** What became of each object before anybody asked for anything. */
type Fate = "copied" | "not copied" | "not read";

const worldOf = async (fates: readonly Fate[]): Promise<TwoSites> => {
  const world = twoSites();
  for (const [index, fate] of fates.entries()) {
    if (fate === "not copied") world.replicaFaults.failNext("copy", "forbidden");
    // By whoever copied it, and then by whoever verifies it: the copy stands.
    for (const _reader of fate === "not read" ? ["copier", "verifier"] : []) {
      world.replicaFaults.failNext("read", "unavailable");
    }
    world.primaryBucket.put(KEYS[index] ?? "", `text ${index}`);
    await world.settle();
  }
  // Nothing is due yet, and a second has passed.
  world.clock.advance(2_000);
  return world;
};

const isFailedCopy = (row: RegistryRow): boolean => row.state === "failed";
const isSynced = (row: RegistryRow): boolean => row.state === "synced";
const isUnread = (row: RegistryRow): boolean => isSynced(row) && row.verification_state === "failed";

/** A request, and which rows it selects; said here again, in few words. */
const WISHES: readonly (readonly [Wish, (row: RegistryRow) => boolean])[] = [
  [{ action: "resync", ...TYPE }, () => true],
  [{ action: "resync", ...TYPE, replication_state: "failed" }, isFailedCopy],
  [{ action: "reverify", ...TYPE }, isSynced],
  [{ action: "retry_now", ...TYPE }, (row) => isFailedCopy(row) || isUnread(row)],
  [{ action: "retry_now", ...TYPE, failure: "kms" }, () => false],
  [{ action: "resync", ...TYPE, keys: KEYS.slice(0, 2) }, ({ sk }) => KEYS.slice(0, 2).includes(sk)],
];

const rowsOf = async (world: TwoSites): Promise<readonly RegistryRow[]> =>
  (await Promise.all(KEYS.map((key) => world.row(key)))).filter((row) => row !== undefined);

test("the objects of these tests are as they are said to be", async () => {
  const rows = await rowsOf(await worldOf(["copied", "not copied", "not read"]));
  expect(rows.map((row) => [row.state, row.verification_state])).toEqual([
    ["synced", "succeeded"],
    ["failed", "pending"],
    ["synced", "failed"],
  ]);
});

/** Asks until somebody answers: whoever is killed while asking is asked again by the operator. */
const askUntilAnswered = async (bulk: BulkUpdating, wish: Wish) => {
  for (;;) {
    try {
      return accepted(await bulk.ask(wish));
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }
};

/** What is done to a selected row at the very least: it was tried, or read, after it was asked for. */
const isDone = (wish: Wish, before: RegistryRow, after: RegistryRow | undefined, versions: number): boolean => {
  if (wish.action === "resync") return versions >= (before.rep_version_id === undefined ? 1 : 2);
  return after !== undefined && after.rev > before.rev && after.verification_state === "succeeded";
};

const settlesWell = async (
  world: TwoSites,
  wish: Wish,
  selects: (row: RegistryRow) => boolean,
  before: readonly RegistryRow[],
) => {
  const wrong: string[] = [];
  for (const row of before) {
    const after = await world.row(row.sk);
    const versions = world.replicaBucket.versions(row.sk).length;
    if (!selects(row)) {
      if (after?.rev !== row.rev) wrong.push(`${row.sk} was not selected, and was changed`);
    } else if (!isDone(wish, row, after, versions)) wrong.push(`${row.sk} was selected, and nothing was done`);
    else if (after?.state !== "synced" || after.verification_state !== "succeeded")
      wrong.push(`${row.sk} did not settle`);
  }
  return wrong;
};

const FATES: readonly Fate[] = ["copied", "not copied", "not read", "copied", "not copied"];

describe("a worker that is killed in any of its calls, before or after that has its effect, is followed by another:", () => {
  test.each(WISHES.filter(([wish]) => "keys" in wish || "replication_state" in wish || wish.action === "retry_now"))(
    "%j (F77, F103)",
    async (wish, selects) => {
      let killed = 0;
      for (const effect of ["lost", "done"] as const) {
        for (let call = 1; ; call += 1) {
          const world = await worldOf(FATES);
          const bulk = bulkUpdating(world);
          const before = await rowsOf(world);
          bulk.mortal.killAt(call, effect);
          const { answer } = await askUntilAnswered(bulk, wish);
          await bulk.run();
          const { made } = bulk.mortal;
          expect((await bulk.update(answer.id)).state).toBe("succeeded");
          await world.settle();
          expect({ call, effect, wrong: await settlesWell(world, wish, selects, before) }).toEqual({
            call,
            effect,
            wrong: [],
          });
          if (made < call) break;
          killed += 1;
        }
      }
      expect(killed).toBeGreaterThan(20);
    },
  );

  test("at the primary, where records are marked before they are named (L2)", async () => {
    for (const effect of ["lost", "done"] as const) {
      for (let call = 1; ; call += 1) {
        const world = await worldOf(["copied", "copied", "copied"]);
        const asked = world.clock.now();
        const bulk = bulkUpdating(world, { role: "primary" });
        const wish = { action: "checksum", ...TYPE, keys: KEYS.slice(0, 2) } as const;
        bulk.mortal.killAt(call, effect);
        await askUntilAnswered(bulk, wish);
        await bulk.run();
        const { made } = bulk.mortal;
        await world.settle();
        await world.live(6 * 60_000);
        const states = await Promise.all(KEYS.slice(0, 3).map((key) => world.state(key)));
        expect(states.map((state) => [state?.verification_state, (state?.verified_at ?? 0) >= asked])).toEqual([
          ["succeeded", true],
          ["succeeded", true],
          ["succeeded", false],
        ]);
        if (made < call) break;
      }
    }
  });
});

test("whatever fails before, whoever is killed, and however often the same is asked for: every selected row is changed and settles, and no other one (F77)", async () => {
  const fate = fc.constantFrom<Fate>("copied", "not copied", "not read");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { minLength: 1, maxLength: KEYS.length }),
      fc.nat(WISHES.length - 1),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 1_500 }), fc.constantFrom("lost", "done")), { maxLength: 4 }),
      fc.nat(2),
      async (fates, which, kills, again) => {
        const [wish, selects] = WISHES[which] ?? [{ action: "resync" }, () => true];
        const world = await worldOf(fates);
        const bulk = bulkUpdating(world, { sliceMs: 1_000, callMs: 1 });
        const before = await rowsOf(world);
        let id = "";
        for (const [call, effect] of kills) {
          bulk.mortal.killAt(call, effect);
          id = (await askUntilAnswered(bulk, wish)).answer.id;
          await bulk.run();
        }
        for (let times = 0; times <= again; times += 1) id = (await askUntilAnswered(bulk, wish)).answer.id;
        await bulk.run();
        expect((await bulk.update(id)).state).toBe("succeeded");
        await world.settle();
        expect(await settlesWell(world, wish, selects, before)).toEqual([]);
      },
    ),
    { numRuns: 40 }, // it prints its seed when it fails
  );
});
