import { expect, test } from "vitest";
import type { RowChange } from "../../shared/geo/counters.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE, type VerificationState } from "../../shared/geo/verification-state.ts";
import { SeededChance } from "../../shared/memory/chance.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { countRows, findRows } from "../../shared/services/find-rows/find-rows.ts";
import { REGISTRY_ROWS, type RowKind, STATE_ROWS } from "../../shared/services/find-rows/row-kind.ts";
import type { RowFilter, SearchedRows } from "../../shared/services/find-rows/row-search.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** Searches a table of the world; what is in it is counted before each search. */
const searching = <Row>(kind: RowKind<Row>, rows: MemoryTable, siteTable: MemoryTable, { telemetry }: TwoSites) => {
  let changes: RowChange[] = [];
  rows.onChange(({ sequenceNumber, before, after }) => {
    const images = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    changes.push({ sequenceNumber: String(sequenceNumber), ...images });
  });
  const searched: SearchedRows<Row> = { kind, rows, siteTable, telemetry };
  return {
    /** The keys that are found, page by page, and how many there are by the counters. */
    find: async (filter: Omit<RowFilter, "replicableName">) => {
      const counted = changes;
      changes = [];
      await countChanges(siteTable, { table: kind.table, shard: "rows", changes: counted });
      const whole = { replicableName: "cool_widget", ...filter };
      const page = { size: 7, order: { by: "id", descending: false }, backwards: false } as const;
      const keys: string[] = [];
      let found = await findRows(searched, { filter: whole, page });
      while ("rows" in found) {
        keys.push(...found.rows.map(({ place }) => place.key ?? ""));
        if (!found.more || found.reached === undefined) break;
        found = await findRows(searched, { filter: whole, page: { ...page, from: found.reached } });
      }
      return { keys: keys.toSorted(), count: await countRows(searched, whole) };
    },
    /** What a look at every item of the table says. */
    scan: (filter: Omit<RowFilter, "replicableName">): readonly string[] => {
      const state = filter.replicationState && REPLICATION_STATE[filter.replicationState];
      const verification = filter.verificationState && VERIFICATION_STATE[filter.verificationState];
      return rows
        .items()
        .filter((item) => item["state"] !== REPLICATION_STATE.absent)
        .filter((item) => state === undefined || item["state"] === state)
        .filter((item) => verification === undefined || (item["verification_state"] ?? 0) === verification)
        .map(({ sk }) => sk)
        .toSorted();
    },
  };
};

const VERIFICATION_STATES = Object.keys(VERIFICATION_STATE) as VerificationState[];
const REPLICATION_STATES = (Object.keys(REPLICATION_STATE) as ReplicationState[]).filter((state) => state !== "absent");

const keyOf = (number: number): string => `cool_widgets/${number}/widget.bin`;

/** Objects, some of which fail, in every state that there is: on their way, failed, verified, waiting, and gone. */
const busyWorld = async (seed: number) => {
  const chance = new SeededChance(seed);
  const world = twoSites({ seed, fusedVerificationBytesMax: 0 });
  const registry = searching(REGISTRY_ROWS, world.registry, world.siteTable, world);
  const states = searching(STATE_ROWS, world.verificationState, world.primarySiteTable, world);
  for (let number = 1; number <= 40; number += 1) {
    world.primaryBucket.put(keyOf(number), `content ${number}`);
    if (chance.random() < 0.3) world.replicaFaults.failNext("copy", "forbidden");
    if (chance.random() < 0.2) world.primaryFaults.failNext("head", "unavailable");
    if (chance.random() < 0.2) world.replicaFaults.failNext("read", "unavailable");
    if (number % 10 === 0) await world.settle();
  }
  for (const number of [3, 13]) world.primaryBucket.put(keyOf(number), "again");
  for (const number of [5, 15]) world.replicaBucket.put(keyOf(number), "by somebody else");
  await world.loseMessages();
  // Two are taken by somebody who dies at once.
  for (const number of [3, 41]) {
    world.primaryBucket.put(keyOf(number), "taken");
    await new Worker(world, keyOf(number)).step();
  }
  return { world, registry, states };
};

test.each([1, 2, 3])(
  "what the finder finds by any state is what is there, while objects are on their way: seed %i (F72)",
  async (seed) => {
    const { world, registry, states } = await busyWorld(seed);
    for (let minutes = 0; minutes < 4; minutes += 1) {
      for (const replicationState of [undefined, ...REPLICATION_STATES]) {
        for (const verificationState of [undefined, ...VERIFICATION_STATES]) {
          const filter = {
            ...(replicationState === undefined ? {} : { replicationState }),
            ...(verificationState === undefined ? {} : { verificationState }),
          };
          const there = registry.scan(filter);
          expect(await registry.find(filter)).toEqual({ keys: there, count: there.length });
          if (replicationState !== undefined) continue;
          const recorded = states.scan(filter);
          expect(await states.find(filter)).toEqual({ keys: recorded, count: recorded.length });
        }
      }
      await world.live(60_000);
    }
    expect(registry.scan({}).length).toBeGreaterThan(30);
  },
);

test("the world of these tests has objects in every state", async () => {
  const seen = new Set<string>();
  for (const seed of [1, 2, 3]) {
    const { registry, states } = await busyWorld(seed);
    for (const state of REPLICATION_STATES) if (registry.scan({ replicationState: state }).length > 0) seen.add(state);
    for (const state of VERIFICATION_STATES) {
      if (registry.scan({ verificationState: state }).length > 0) seen.add(`verification ${state}`);
      if (states.scan({ verificationState: state }).length > 0) seen.add(`record ${state}`);
    }
  }
  expect([...seen]).toEqual(
    expect.arrayContaining(["started", "synced", "failed", "verification succeeded", "verification failed"]),
  );
  expect([...seen]).toEqual(expect.arrayContaining(["record succeeded", "record failed"]));
});
