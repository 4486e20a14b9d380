import type { RowChange } from "../../shared/geo/counters.ts";
import type { RemovalGuardAnswer } from "../../shared/geo/removal-guard-answer.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { readRemovalGuards } from "../../shared/services/release-removals.ts";
import type { TwoSites } from "./two-sites.ts";

/** Keys of so many objects of one type. */
export const keysOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `cool_widgets/${index + 1}/widget.bin`);

/** Puts an object under each key, and lets all of them be replicated. */
export const replicate = async (world: TwoSites, keys: readonly string[]): Promise<void> => {
  for (const key of keys) world.primaryBucket.put(key, `body of ${key}`);
  await world.settle();
};

/** Somebody deletes the keys on the primary, and the word gets around. */
export const deleteOnPrimary = async (world: TwoSites, keys: readonly string[]): Promise<void> => {
  for (const key of keys) world.primaryBucket.deleteCurrent(key);
  await world.settle();
};

/** Somebody destroys every version of a key on the primary. What S3 tells of it is still under way. */
export const purgeOnPrimary = (world: TwoSites, key: string): void => {
  for (const { versionId } of world.primaryBucket.versions(key)) world.primaryBucket.deleteVersion(key, versionId);
};

/** What S3 told of the primary's bucket reaches the secondary, and never the function that keeps the primary's record. */
export const tellTheSecondaryOnly = async (world: TwoSites): Promise<void> => {
  await world.publish();
  world.queues.checksum.live.import([]);
  await world.settle();
};

/** How many of the keys show nothing on the secondary. */
export const hiddenOf = (world: TwoSites, keys: readonly string[]): number =>
  keys.filter((key) => world.replicaText(key) === undefined).length;

/** What the API tells of a type's guard. */
export const guardOf = async (world: TwoSites, replicableName = "cool_widget"): Promise<RemovalGuardAnswer> => {
  const [guard] = await readRemovalGuards(world.secondary, [replicableName]);
  if (guard === undefined) throw new Error("unreachable");
  return guard;
};

/**
 * Counts the registry's rows into the site table from now on, as the counters' function does.
 * @returns counts what has changed since the last time
 */
export const countingRows = (world: TwoSites): (() => Promise<void>) => {
  const waiting: RowChange[] = [];
  world.registry.onChange(({ sequenceNumber, before, after }) => {
    waiting.push({ sequenceNumber: String(sequenceNumber), ...(before && { before }), ...(after && { after }) });
  });
  return async () => {
    await countChanges(world.siteTable, { table: "registry", shard: "one", changes: waiting.splice(0) });
  };
};
