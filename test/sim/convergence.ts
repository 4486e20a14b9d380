import { createHash } from "node:crypto";
import { attested } from "../../shared/geo/checksum.ts";
import { type CountedTable, sumCells } from "../../shared/geo/counters.ts";
import { sameEntries } from "../../shared/geo/decide.ts";
import type { ObjectFacts } from "../../shared/geo/object-facts.ts";
import { parseRowPartition } from "../../shared/geo/partition-set.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { granuleOf, waitingSince } from "../../shared/geo/waiting-ages.ts";
import type { StoredObject } from "../../shared/memory/bucket.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import type { Item } from "../../shared/ports/table.ts";
import { filledPartitions } from "../../shared/services/filled-partitions.ts";
import { sumCounters } from "../../shared/services/roll-up.ts";
import { listCounters } from "../../shared/tables/site/list-counters.ts";
import { sameBytes, saysTheSame, type Violation } from "./oracle.ts";
import type { World } from "./world.ts";

const rowOf = async (world: World, table: MemoryTable, key: string): Promise<Item | undefined> =>
  table.get(rowKey({ replicableName: matchKey(world.replicables, key)?.replicable.name ?? "", key }));

const differenceOf = (source: StoredObject, replica: StoredObject): string | undefined => {
  if (!sameBytes(source.body, replica.body)) return "bytes";
  if (!saysTheSame(source, replica)) return "ETag";
  if (!sameEntries(source.metadata, replica.metadata)) return "metadata";
  if (!sameEntries(source.tags, replica.tags)) return "tags";
  if (!sameEntries({ ...source.headers }, { ...replica.headers })) return "headers";
  return undefined;
};

/** The primary's record of an object says what is there, and the right digest of it. */
const findWrongState = async (
  world: World,
  key: string,
  source: StoredObject | undefined,
): Promise<string | undefined> => {
  const row = await rowOf(world, world.verificationState, key);
  if (source === undefined) return row === undefined ? undefined : "the primary holds nothing and has a record of it";
  if (row === undefined) return "the primary has no record of an object that it holds";
  if (row["src_version_id"] !== source.versionId || row["src_etag"] !== source.etag) {
    return `the primary's record speaks of ${JSON.stringify(row["src_version_id"])}, and it holds ${source.versionId}`;
  }
  if (row["verification_state"] !== VERIFICATION_STATE.succeeded) return "the primary has no digest of its object";
  const stored = attested({ checksum: source.checksum } as ObjectFacts);
  const expected = stored ?? `sha256:${createHash("sha256").update(source.body).digest("hex")}`;
  return row["verification_checksum"] === expected ? undefined : "the primary's digest is not that of its object";
};

const findUnconvergedKey = async (world: World, key: string): Promise<string | undefined> => {
  const current = world.primaryBucket.current(key);
  const source = current?.kind === "object" ? current : undefined;
  const shown = world.replicaBucket.current(key);
  const replica = shown?.kind === "object" ? shown : undefined;
  const row = await rowOf(world, world.registry, key);
  if (source?.archived === true) {
    return row?.["state"] === REPLICATION_STATE.failed && row["blocked_reason"] !== undefined
      ? undefined
      : "the source can not be copied and no row says so";
  }
  const wrongState = await findWrongState(world, key, source);
  if (wrongState !== undefined) return wrongState;
  if (source === undefined) {
    if (replica !== undefined) return "the primary holds nothing and the replica shows an object";
    return row === undefined ? undefined : `both sides are empty and a row remains: ${JSON.stringify(row)}`;
  }
  if (replica === undefined) return "the primary holds an object and the replica shows none";
  const difference = differenceOf(source, replica);
  if (difference !== undefined) return `source and replica differ in their ${difference}`;
  if (row === undefined) return "both sides hold the object and no row speaks of it";
  const told = JSON.stringify(row);
  if (row["state"] !== REPLICATION_STATE.synced) return `the row is not synced: ${told}`;
  if (row["verification_state"] !== VERIFICATION_STATE.succeeded) return `the row is not verified: ${told}`;
  if (row["taint_until"] !== undefined) return `the row is tainted: ${told}`;
  if (row["rep_version_id"] !== replica.versionId) return `the row does not name ${replica.versionId}: ${told}`;
  if (row["src_version_id"] !== source.versionId) return `the row does not name ${source.versionId}: ${told}`;
  if (row["retry_count"] !== 0 || row["checksum_mismatch"] === true) return `the row remembers a failure: ${told}`;
  return undefined;
};

/** Rows and bytes by cell, from a scan. */
const scanned = (table: MemoryTable): ReadonlyMap<string, string> => {
  const cells = new Map<string, { rows: number; bytes: number }>();
  for (const row of table.items()) {
    if (row["state"] === REPLICATION_STATE.absent) continue;
    const type = row.pk.slice(0, row.pk.lastIndexOf("#"));
    const cell = `${type} ${JSON.stringify(row["state"]) ?? "-"} ${JSON.stringify(row["verification_state"] ?? 0)}`;
    const { rows, bytes } = cells.get(cell) ?? { rows: 0, bytes: 0 };
    cells.set(cell, { rows: rows + 1, bytes: bytes + Number(row["src_size"] ?? 0) });
  }
  return new Map([...cells].map(([cell, { rows, bytes }]) => [cell, `${rows} rows, ${bytes} bytes`]));
};

const findMiscount = async (
  table: MemoryTable,
  siteTable: MemoryTable,
  counted: CountedTable,
): Promise<string | undefined> => {
  const counters = await listCounters(siteTable, counted);
  const expected = new Map(scanned(table));
  for (const [type, cells] of sumCells(counters.map((counter) => counter.cells))) {
    for (const { state, verificationState, rows, bytes } of cells) {
      const cell = `${type} ${state ?? "-"} ${verificationState}`;
      const found = `${rows} rows, ${bytes} bytes`;
      const wanted = expected.get(cell) ?? "0 rows, 0 bytes";
      expected.delete(cell);
      if (found !== wanted) return `${table.name}: ${cell} is counted as ${found}; a scan finds ${wanted}`;
    }
  }
  const [missed] = expected;
  if (missed !== undefined) return `${table.name}: ${missed[0]} is not counted; a scan finds ${missed[1]}`;
  // Who waits, and since when, is counted beside the cells, and stands in as many of them as counters have clocks.
  const types = Map.groupBy(counters, ({ replicableName }) => replicableName);
  const clockOf = (type: string): number => Math.max(0, ...(types.get(type) ?? []).map(({ clock }) => clock ?? 0));
  const waiting = new Map<string, number>();
  for (const row of table.items()) {
    const [type, since] = [row.pk.slice(0, row.pk.lastIndexOf("#")), waitingSince(row)];
    if (since === undefined) continue;
    const cell = `${type} since ${granuleOf(since, clockOf(type))}`;
    waiting.set(cell, (waiting.get(cell) ?? 0) + 1);
  }
  for (const [type, ofType] of types) {
    for (const [granule, rows] of sumCounters(ofType, type).waiting) {
      const cell = `${type} since ${granule}`;
      const wanted = waiting.get(cell) ?? 0;
      waiting.delete(cell);
      if (rows !== wanted)
        return `${table.name}: ${rows} rows of ${cell} are counted as waiting; a scan finds ${wanted}`;
    }
  }
  const [forgotten] = waiting;
  if (forgotten !== undefined) return `${table.name}: ${forgotten[1]} rows of ${forgotten[0]} wait and are not counted`;
  for (const { pk } of table.items()) {
    const place = parseRowPartition(pk);
    if (place === undefined) continue;
    const filled = await filledPartitions(siteTable, counted, place.replicableName);
    if (!filled.includes(place.partition)) return `${table.name}: ${pk} holds rows and is not known to be filled`;
  }
  return undefined;
};

/** Whether the primary holds an object that can be copied. */
const isHeld = (world: World, key: string): boolean => {
  const current = world.primaryBucket.current(key);
  return current?.kind === "object" && !current.archived;
};

/** What must hold once changes and faults have been over for long enough: the first thing that does not. */
export const findUnconverged = async (world: World): Promise<Violation | undefined> => {
  for (const key of world.keys) {
    const detail = await findUnconvergedKey(world, key);
    if (detail !== undefined) return { rule: "L3", detail: `${key}: ${detail}` };
  }
  const unheard = world.watch.resyncs.unheard.find((key) => isHeld(world, key));
  if (unheard !== undefined)
    return { rule: "F18", detail: `${unheard}: nothing has come of a resync that was asked for` };
  if (!world.isQuiet) return { rule: "L3", detail: `the world does not come to rest: ${world.unrest}` };
  const miscounted =
    (await findMiscount(world.registry, world.secondarySiteTable, "registry")) ??
    (await findMiscount(world.verificationState, world.primarySiteTable, "verification_state"));
  return miscounted === undefined ? undefined : { rule: "counters", detail: miscounted };
};
