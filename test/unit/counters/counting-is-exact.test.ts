import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { bucketOf, lagOf } from "../../../shared/geo/lag-histogram.ts";
import { granuleOf } from "../../../shared/geo/waiting-ages.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { filledPartitions, type KnownPartitions } from "../../../shared/services/filled-partitions.ts";
import { sumCounters } from "../../../shared/services/roll-up.ts";
import { listCounters } from "../../../shared/tables/site/list-counters.ts";

/** Storms that are run. `S3_GEO_COUNT_STORMS=10000` before a release: some minutes. */
const STORMS = Number(process.env["S3_GEO_COUNT_STORMS"] ?? 500);

const TIMEOUT_MS = 60_000 + 100 * STORMS;

const WRITES_MAX = 40;
const HOUR_MS = 60 * 60 * 1_000;
const EPOCH = Date.UTC(2026, 0, 1);

/** One write to the counted table, so many milliseconds after the one before it. */
interface Write {
  readonly row: number;
  readonly after: number;
  /** The shard that the row's changes stand in is closed first, and its child goes on. */
  readonly splits: boolean;
  readonly change:
    | {
        readonly state: number;
        readonly verification: number;
        readonly bytes: number;
        readonly version: number;
        readonly unproven: boolean;
        /** How long ago it was first heard of. */
        readonly waited: number;
      }
    | "purged";
}

/** What a stream may do to a consumer with the next records of a shard. */
interface Delivery {
  readonly lineage: number;
  /** New records in the batch. */
  readonly fresh: number;
  /** Records that were delivered before and come again in front of them. */
  readonly again: number;
  /** `before`: the request never arrives. `after`: it arrives and the answer is lost. Both look the same to the function. */
  readonly crash: "no" | "before" | "after";
  /** Which of the invocation's requests that happens to. */
  readonly crashAt: number;
  /** Two invocations have the batch at the same time: one was given up on and still runs. */
  readonly twice: boolean;
  /** A process that has worked before, and remembers which partitions are filled. */
  readonly warm: boolean;
}

const LINEAGES = 3;
const ROWS = ["cool_widget#0aa", "cool_widget#0ab", "cool_widget#fff", "upload#0aa", "upload#0aa"].map((pk, row) => ({
  pk,
  sk: `object-${row}`,
}));

const write: fc.Arbitrary<Write> = fc.record({
  row: fc.nat({ max: ROWS.length - 1 }),
  // All within a day: a stream does not deliver again what is older, and its mark may be forgotten.
  after: fc.oneof(fc.nat({ max: 60_000 }), fc.nat({ max: Math.floor((24 * HOUR_MS) / WRITES_MAX) })),
  splits: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  change: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        state: fc.constantFrom(0, 1, 2, 2, 3, 5),
        verification: fc.constantFrom(0, 1, 2, 2, 3, 4),
        bytes: fc.nat({ max: 1e12 }),
        version: fc.nat({ max: 3 }),
        unproven: fc.boolean(),
        waited: fc.oneof(fc.nat({ max: HOUR_MS }), fc.nat({ max: 100 * 24 * HOUR_MS })),
      }),
    },
    { weight: 1, arbitrary: fc.constant("purged" as const) },
  ),
});

const delivery: fc.Arbitrary<Delivery> = fc.record({
  lineage: fc.nat({ max: LINEAGES - 1 }),
  fresh: fc.nat({ max: 4 }),
  again: fc.nat({ max: 4 }),
  crash: fc.constantFrom("no", "no", "before", "after"),
  crashAt: fc.nat({ max: 5 }),
  twice: fc.boolean(),
  warm: fc.boolean(),
});

interface Recorded {
  readonly shard: string;
  readonly change: RowChange;
}

/** A table whose stream is kept: each partition's changes in order, in shards that are closed and go on in others. */
const streamedTable = () => {
  const table = new MemoryTable({ name: "registry" });
  const generations = Array.from({ length: LINEAGES }, () => 0);
  const lineages: Recorded[][] = generations.map(() => []);
  let now = EPOCH;
  table.onChange(({ sequenceNumber, key, before, after }) => {
    const lineage = ROWS.findIndex(({ pk }) => pk === key.pk) % LINEAGES;
    lineages[lineage]?.push({
      shard: `shard-${lineage}-${generations[lineage] ?? 0}`,
      change: {
        // Longer than a double holds, as the real ones are.
        sequenceNumber: String(10n ** 30n + BigInt(sequenceNumber)),
        changedAt: now,
        ...(before && { before }),
        ...(after && { after }),
      },
    });
  });
  const apply = async ({ row, after, splits, change }: Write): Promise<void> => {
    now += after;
    const key = ROWS[row] ?? { pk: "", sk: "" };
    const lineage = ROWS.findIndex(({ pk }) => pk === key.pk) % LINEAGES;
    if (splits) generations[lineage] = (generations[lineage] ?? 0) + 1;
    if (change === "purged") {
      await table.delete({ key });
      return;
    }
    await table.put({
      ...key,
      state: change.state,
      verification_state: change.verification,
      src_size: change.bytes,
      src_version_id: `v${change.version}`,
      ...(change.unproven ? { unproven: true } : {}),
      waiting_since: now - change.waited,
      src_last_modified: now - 2 * change.waited,
      last_event_at: now - change.waited,
      attempt_started_at: now - Math.floor(change.waited / 2),
      last_synced_at: now - Math.floor(change.waited / 4),
      verified_at: now,
    });
  };
  return { table, lineages, apply };
};

type Numbers = Readonly<Record<string, number>>;

const add = (sums: Record<string, number>, name: string, number: number): void => {
  sums[name] = (sums[name] ?? 0) + number;
};

const withoutZeros = (sums: Numbers): Numbers =>
  Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));

/** What every number of a type is by a look at all rows, and at all changes once for what is about changes. */
const recounted = (table: MemoryTable, changes: readonly RowChange[], type: string, clock: number): Numbers => {
  const sums: Record<string, number> = {};
  for (const item of table.items()) {
    if (!item.pk.startsWith(`${type}#`) || item["state"] === 5) continue;
    const cell = `${Number(item["state"])}#${Number(item["verification_state"])}`;
    add(sums, `rows ${cell}`, 1);
    add(sums, `bytes ${cell}`, Number(item["src_size"]));
    if (item["state"] !== 2) add(sums, `waiting ${granuleOf(Number(item["waiting_since"]), clock)}`, 1);
  }
  for (const { before, after } of changes) {
    if (String((after ?? before)?.["pk"]).startsWith(`${type}#`)) {
      for (const [part, ms] of Object.entries(lagOf(before, after) ?? {})) {
        add(sums, `lag ${part} ${bucketOf(ms)}`, 1);
        add(sums, `lag ${part} ms`, ms);
      }
    }
  }
  return withoutZeros(sums);
};

/** The same numbers, from the counters. */
const counted = async (
  site: MemoryTable,
  type: string,
): Promise<{ readonly numbers: Numbers; readonly clock: number }> => {
  const counters = (await listCounters(site, "registry")).filter(({ replicableName }) => replicableName === type);
  const { cells, waiting, lag, lagMs } = sumCounters(counters, type);
  const sums: Record<string, number> = {};
  for (const { state, verificationState, rows, bytes } of cells) {
    add(sums, `rows ${String(state)}#${verificationState}`, rows);
    add(sums, `bytes ${String(state)}#${verificationState}`, bytes);
  }
  for (const [granule, rows] of waiting) add(sums, `waiting ${granule}`, rows);
  for (const [part, buckets] of Object.entries(lag)) {
    for (const [bucket, count] of buckets) add(sums, `lag ${part} ${bucket}`, count);
  }
  for (const [part, ms] of Object.entries(lagMs)) add(sums, `lag ${part} ms`, ms);
  return { numbers: withoutZeros(sums), clock: Math.max(0, ...counters.map(({ clock }) => clock ?? 0)) };
};

/** The next batch of a lineage: records of one shard, those that come again in front. */
const batchOf = (records: readonly Recorded[], from: number, fresh: number, again: number): readonly Recorded[] => {
  const shard = (records[from] ?? records[from - 1])?.shard;
  return records.slice(Math.max(0, from - again), from + fresh).filter((record) => record.shard === shard);
};

const deliver = async (site: MemoryTable, batch: readonly Recorded[], known?: KnownPartitions): Promise<void> => {
  const shard = batch[0]?.shard;
  if (shard === undefined) return;
  await countChanges(site, { table: "registry", shard, changes: batch.map(({ change }) => change) }, known);
};

const crashing = (kind: "before" | "after", at: number) => {
  let requests = 0;
  return {
    [kind]: () => {
      requests += 1;
      if (requests === at + 1) throw new TableUnavailableError("the connection was reset");
    },
  };
};

test(
  `numbers of every kind equal a full recount after any redelivery, split, overlap and crash`,
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: WRITES_MAX }),
        fc.array(delivery, { maxLength: 60 }),
        async (writes, deliveries) => {
          const { table, lineages, apply } = streamedTable();
          const site = new MemoryTable({ name: "site" });
          for (const each of writes) await apply(each);

          const known: KnownPartitions = new Map();
          const done = lineages.map(() => 0);
          for (const { lineage, fresh, again, crash, crashAt, twice, warm } of deliveries) {
            const from = done[lineage] ?? 0;
            const batch = batchOf(lineages[lineage] ?? [], from, fresh, again);
            site.interference = crash === "no" ? undefined : crashing(crash, crashAt);
            const memory = warm ? known : undefined;
            const runs = Array.from({ length: twice ? 2 : 1 }, () => deliver(site, batch, memory));
            const outcomes = await Promise.allSettled(runs);
            // The stream moves on when the function returns; after an error it delivers the same records again.
            if (outcomes.every(({ status }) => status === "fulfilled")) {
              const last = batch.at(-1);
              const end = last === undefined ? from : (lineages[lineage] ?? []).indexOf(last) + 1;
              done[lineage] = Math.max(from, end);
            }
          }
          site.interference = undefined;
          for (const [lineage, records] of lineages.entries()) {
            const left = records.slice(done[lineage]);
            for (const batch of Map.groupBy(left, ({ shard }) => shard).values()) await deliver(site, batch);
          }

          const changes = lineages.flat().map(({ change }) => change);
          for (const type of ["cool_widget", "upload"]) {
            const { numbers, clock } = await counted(site, type);
            expect(numbers).toEqual(recounted(table, changes, type, clock));
            const everFilled = changes.flatMap(({ after }) => {
              const pk = String(after?.["pk"]);
              return pk.startsWith(`${type}#`) ? [Number.parseInt(pk.slice(-3), 16)] : [];
            });
            const expected = [...new Set(everFilled)].sort((left, right) => left - right);
            expect(await filledPartitions(site, "registry", type)).toEqual(expected);
          }
        },
      ),
      { numRuns: STORMS },
    );
  },
  TIMEOUT_MS,
);
