import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Amount, cellName, type RowChange, sumCells } from "../../../shared/geo/counters.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { listCounters } from "../../../shared/tables/site/list-counters.ts";

/** One write to the counted table. */
type Write =
  | { readonly key: string; readonly state: number; readonly verification: number; readonly bytes: number }
  | { readonly key: string; readonly state: "purged" };

/** What a stream may do to a consumer with the next records of a shard. */
interface Delivery {
  readonly shard: number;
  /** New records in the batch. */
  readonly fresh: number;
  /** Records that were delivered before and come again in front of them. */
  readonly again: number;
  /** `before`: the write never arrives. `after`: it arrives and the answer is lost. Both look the same to the function. */
  readonly crash: "no" | "before" | "after";
  /** Two invocations have the batch at the same time: one was given up on and still runs. */
  readonly twice: boolean;
}

const SHARDS = 3;
const KEYS = ["cool_widget#0aa", "cool_widget#0ab", "upload#0aa", "upload#fff"];

const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      key: fc.constantFrom(...KEYS),
      state: fc.constantFrom(0, 1, 2, 3, 5),
      verification: fc.constantFrom(0, 1, 2, 3, 4),
      bytes: fc.nat({ max: 1e12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ key: fc.constantFrom(...KEYS), state: fc.constant("purged" as const) }) },
);

const delivery: fc.Arbitrary<Delivery> = fc.record({
  shard: fc.nat({ max: SHARDS - 1 }),
  fresh: fc.nat({ max: 4 }),
  again: fc.nat({ max: 4 }),
  crash: fc.constantFrom("no", "no", "before", "after"),
  twice: fc.boolean(),
});

const applyTo = async (table: MemoryTable, { key, ...change }: Write): Promise<void> => {
  const row = { pk: key, sk: `${key}/object` };
  if (change.state === "purged") await table.delete({ key: row });
  else
    await table.put({
      ...row,
      state: change.state,
      verification_state: change.verification,
      src_size: change.bytes,
    });
};

/** The stream of a table: its shards, each with the changes of its own partitions in order. */
const streamOf = (table: MemoryTable): readonly RowChange[][] => {
  const shards: RowChange[][] = Array.from({ length: SHARDS }, () => []);
  table.onChange(({ sequenceNumber, key, before, after }) => {
    const shard = shards[KEYS.indexOf(key.pk) % SHARDS];
    shard?.push({
      // Longer than a double holds, as the real ones are.
      sequenceNumber: String(10n ** 30n + BigInt(sequenceNumber)),
      ...(before && { before }),
      ...(after && { after }),
    });
  });
  return shards;
};

const full = (table: MemoryTable): Record<string, Amount> => {
  const cells: Record<string, Amount> = {};
  for (const item of table.items()) {
    if (item["state"] === 5) continue;
    const name = cellName({
      replicableName: item.pk.split("#")[0] ?? "",
      state: Number(item["state"]),
      verificationState: Number(item["verification_state"]),
    });
    const { rows, bytes } = cells[name] ?? { rows: 0, bytes: 0 };
    cells[name] = { rows: rows + 1, bytes: bytes + Number(item["src_size"]) };
  }
  return cells;
};

const counted = async (site: MemoryTable): Promise<Record<string, Amount>> => {
  const counters = await listCounters(site, "registry");
  const cells = [...sumCells(counters.map((counter) => counter.cells)).values()].flat();
  return Object.fromEntries(
    cells
      .filter(({ rows, bytes }) => rows !== 0 || bytes !== 0)
      .map((cell) => [cellName(cell), { rows: cell.rows, bytes: cell.bytes }]),
  );
};

const deliver = async (site: MemoryTable, shard: number, changes: readonly RowChange[]): Promise<void> => {
  await countChanges(site, { table: "registry", shard: `shard-${shard}`, changes });
};

test("counts equal a full count after any redelivery, split, overlap and crash", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { maxLength: 40 }),
      fc.array(delivery, { maxLength: 60 }),
      async (writes, deliveries) => {
        const table = new MemoryTable({ name: "registry" });
        const site = new MemoryTable({ name: "site" });
        const shards = streamOf(table);
        for (const each of writes) await applyTo(table, each);

        const done = shards.map(() => 0);
        for (const { shard, fresh, again, crash, twice } of deliveries) {
          const from = done[shard] ?? 0;
          const batch = (shards[shard] ?? []).slice(Math.max(0, from - again), from + fresh);
          site.interference =
            crash === "no"
              ? undefined
              : {
                  [crash]: (operation: { readonly kind: string }) => {
                    if (operation.kind === "update") throw new TableUnavailableError("the connection was reset");
                  },
                };
          const runs = Array.from({ length: twice ? 2 : 1 }, () => deliver(site, shard, batch));
          const outcomes = await Promise.allSettled(runs);
          // The stream moves on when the function returns; after an error it delivers the same records again.
          if (outcomes.every(({ status }) => status === "fulfilled")) {
            done[shard] = Math.min(from + fresh, shards[shard]?.length ?? 0);
          }
        }
        site.interference = undefined;
        for (const [shard, changes] of shards.entries()) await deliver(site, shard, changes.slice(done[shard]));

        expect(await counted(site)).toEqual(full(table));
      },
    ),
    { numRuns: 500 },
  );
});
