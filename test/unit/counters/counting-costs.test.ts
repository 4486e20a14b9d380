import { expect, test } from "vitest";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { itemBytes } from "../../../shared/memory/attribute-values.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";

const START = Date.UTC(2026, 10, 21, 19);
const BATCH = 500;
const SHARDS = 4;

/** A new object at a secondary, as its registry's stream tells of it: claimed, then copied and verified. */
const followed = (type: string, object: number, at: number): readonly RowChange[] => {
  const key = rowKey({ replicableName: type, key: `packages/${object}/file.bin` });
  const heard = at + 800;
  const claimed = { ...key, state: 1, waiting_since: heard, last_event_at: heard };
  const verified = {
    ...key,
    state: 2,
    verification_state: 2,
    src_size: 10_240,
    src_version_id: `v${object}`,
    src_last_modified: at,
    last_event_at: heard,
    attempt_started_at: heard,
    last_synced_at: heard + 300 + (object % 17) * 40,
    verified_at: heard + 300 + (object % 17) * 40,
  };
  return [
    { sequenceNumber: String(2 * object + 1), changedAt: heard, after: claimed },
    { sequenceNumber: String(2 * object + 2), changedAt: verified.verified_at, before: claimed, after: verified },
  ];
};

/** A site table that adds up the write units that DynamoDB would charge: one for each KB of the larger image. */
const meteredTable = () => {
  const site = new MemoryTable({ name: "site" });
  const meter = { units: 0, requests: 0 };
  site.onChange(({ before, after }) => {
    meter.units += Math.max(1, Math.ceil(Math.max(itemBytes(before ?? {}), itemBytes(after ?? {})) / 1_024));
  });
  site.interference = { before: () => void (meter.requests += 1) };
  return { site, meter };
};

interface Load {
  readonly types: number;
  /** Changes in a batch. */
  readonly batch: number;
  readonly objects: number;
}

/** Write units per object, once every partition is known to be filled. */
const unitsPerObject = async ({ types, batch, objects }: Load): Promise<number> => {
  const { site, meter } = meteredTable();
  const known = new Map<string, Set<number>>();
  const play = async (from: number, count: number): Promise<void> => {
    // Objects of all types in turn, over a minute for each thousand, through a few shards.
    const changes = Array.from({ length: count }, (_, index) =>
      followed(`type_${(from + index) % types}`, from + index, START + (from + index) * 60),
    ).flat();
    for (let first = 0; first < changes.length; first += batch) {
      const some = changes.slice(first, first + batch);
      await countChanges(site, { table: "registry", shard: `shard-${(first / batch) % SHARDS}`, changes: some }, known);
    }
  };
  for (let type = 0; type < types; type += 1) {
    known.set(`registry#type_${type}`, new Set(Array.from({ length: 4_096 }, (_, partition) => partition)));
  }
  await play(0, 2_000);
  meter.units = 0;
  await play(2_000, objects);
  return meter.units / objects;
};

/**
 * What docs/performance.md says of counting. Six write units per new object is the bar for everything in both regions, of
 * which counting may have little.
 */
test.each([
  { load: { types: 1, batch: BATCH, objects: 10_000 }, most: 0.005 },
  { load: { types: 5, batch: BATCH, objects: 10_000 }, most: 0.025 },
  { load: { types: 44, batch: BATCH, objects: 10_000 }, most: 0.2 },
  { load: { types: 1, batch: 20, objects: 2_000 }, most: 0.125 },
  { load: { types: 1, batch: 1, objects: 500 }, most: 2.5 },
])(
  "counting $load.types types in batches of $load.batch costs at most $most write units per object",
  async ({ load, most }) => {
    const units = await unitsPerObject(load);
    console.info(`${load.types} types, batches of ${load.batch}: ${units.toFixed(4)} write units per object`);
    expect(units).toBeLessThanOrEqual(most);
  },
);
