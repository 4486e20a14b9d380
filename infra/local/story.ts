import pMap from "p-map";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import { compareBuckets, type Difference } from "./compare-buckets.ts";
import { demoFiles, demoTypes, type DemoFile } from "./demo-files.ts";
import type { DemoWorld } from "./demo-world.ts";
import type { Progress } from "./progress.ts";
import { readCounts, sumCounts } from "./status-client.ts";
import { waitFor } from "./wait-for.ts";

/** What the demonstration found. */
export interface StoryResult {
  /** Files that were put, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** From the secondary's status, at the end. */
  readonly synced: number;
  readonly verified: number;
  readonly failed: number;
  /** Objects that were deleted and stay so. */
  readonly deleted: number;
  /** From the end of each first put to its replica being verified, milliseconds. */
  readonly lagMs: { readonly p50: number; readonly p99: number };
  /** Whether everything was verified in time and both buckets hold the same, as `compareBuckets` found. */
  readonly converged: boolean;
  /** What kept it from converging. */
  readonly differences: readonly Difference[];
}

const PUTS_AT_ONCE = 8;

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;

/** How long each file took from its put to its verification, by the registry's own times. */
const measureLag = async (
  world: DemoWorld,
  files: readonly DemoFile[],
  putAt: ReadonlyMap<string, number>,
): Promise<StoryResult["lagMs"]> => {
  const lags = await pMap(
    files,
    async ({ key, replicableName }) => {
      const row = await world.registryRow({ replicableName, key });
      return row?.verified_at === undefined ? undefined : Math.max(0, row.verified_at - (putAt.get(key) ?? 0));
    },
    { concurrency: PUTS_AT_ONCE },
  );
  const sorted = lags.filter((lag) => lag !== undefined).sort((left, right) => left - right);
  return { p50: Math.round(percentile(sorted, 0.5)), p99: Math.round(percentile(sorted, 0.99)) };
};

const putAll = async (world: DemoWorld, files: readonly DemoFile[], progress: Progress) => {
  const putAt = new Map<string, number>();
  let bytes = 0;
  const bar = progress.bar("Putting files", files.length, "files");
  await pMap(
    files,
    async (file) => {
      const upload = file.upload();
      bytes += upload.body.byteLength;
      await world.primary.bucket.put(upload);
      putAt.set(file.key, Date.now());
      bar.update(putAt.size, `${(bytes / 1e6).toFixed(0)} MB`);
    },
    { concurrency: PUTS_AT_ONCE },
  );
  bar.stop();
  return { putAt, bytes };
};

/** Follows the secondary's status until it has as many objects, all synced and verified. */
const awaitCounts = async (world: DemoWorld, expected: number, title: string, progress: Progress): Promise<boolean> => {
  const bar = progress.bar(title, expected, "verified");
  const { done } = await waitFor(
    async () => {
      const all = sumCounts(await readCounts(world.secondary, world.replicables));
      bar.update(all.verified, `${all.synced} synced, ${all.failed} failed`);
      return all;
    },
    (all) => all.verified === expected && all.synced === expected && all.rows === expected && all.failed === 0,
  );
  bar.stop();
  return done;
};

/** Rows that are not where they should be at the end, for people. */
const unsettledRows = async (world: DemoWorld, files: readonly DemoFile[]): Promise<readonly Difference[]> => {
  const rows = await pMap(
    files,
    async ({ key, replicableName }) => ({ key, row: await world.registryRow({ replicableName, key }) }),
    { concurrency: PUTS_AT_ONCE },
  );
  return rows.flatMap(({ key, row }) => {
    const settled = row?.state === "absent" || (row?.state === "synced" && row.verification_state === "succeeded");
    if (row === undefined || settled) return [];
    const due = row.due_at === undefined ? "never due" : `due in ${Math.round((row.due_at - Date.now()) / 1_000)} s`;
    const failure = row.last_sync_failure ?? row.verification_failure ?? "no failure is recorded";
    return [
      { key, what: `has a row that is ${row.state}, verification ${row.verification_state}, ${due}: ${failure}` },
    ];
  });
};

/** What people do to files that exist: replace some, relabel some, delete some, and think better of one deletion. */
const changeSome = async ({ primary: { bucket } }: DemoWorld, files: readonly DemoFile[]) => {
  // Spread over all files by position, so that every kind of change meets every type; nobody replaces the largest.
  const chosen = (remainder: number): readonly DemoFile[] =>
    files.filter((_, index) => index % 12 === remainder && index % 33 !== 32);
  const replaced = chosen(1);
  const relabelled = chosen(4);
  const retagged = chosen(7);
  const deleted = chosen(10);
  await pMap(
    replaced,
    async (file, index) => {
      const upload = file.upload();
      await bucket.put({
        ...upload,
        body: Buffer.from(`replaced ${index}: ${file.key}`),
        metadata: { edition: "second" },
      });
    },
    { concurrency: PUTS_AT_ONCE },
  );
  for (const { key } of relabelled) {
    await bucket.replaceMetadata(
      key,
      { reviewed: "yes", by: "someone else" },
      { contentType: "application/x-relabelled" },
    );
  }
  for (const { key } of retagged) await bucket.replaceTags(key, { state: "archived", owner: "a b+c" });
  const markers = new Map<string, string>();
  for (const { key } of deleted) markers.set(key, await bucket.remove(key));
  const [restored] = deleted;
  const marker = restored === undefined ? undefined : markers.get(restored.key);
  if (restored !== undefined && marker !== undefined) await bucket.removeVersion(restored.key, marker);
  return {
    changed: [...replaced, ...relabelled, ...retagged, ...deleted],
    deleted: deleted.length - (marker === undefined ? 0 : 1),
  };
};

/** Waits until no changed file differs any more. The comparison reads them all each time, so they had better be small. */
const awaitEquality = async (world: DemoWorld, changed: readonly DemoFile[], progress: Progress): Promise<boolean> => {
  const keys = new Set(changed.map(({ key }) => key));
  const bar = progress.bar("Following the changes", keys.size, "files");
  const { done } = await waitFor(
    async () => {
      const { differences } = await compareBuckets(world.primary.bucket, world.secondary.bucket, {
        counts: (key) => keys.has(key),
      });
      bar.update(keys.size - new Set(differences.map(({ key }) => key)).size);
      return differences;
    },
    (differences) => differences.length === 0,
  );
  bar.stop();
  return done;
};

/**
 * The demonstration: puts files and waits until all are verified, changes, deletes and restores some, waits again, and
 * lets an independent comparison decide whether the two buckets hold the same.
 */
export const tellStory = async (world: DemoWorld, progress: Progress, seed: string): Promise<StoryResult> => {
  const types = demoTypes(world.replicables);
  // Ids from the clock: on a cloud that was there before, two demonstrations do not meet.
  const files = demoFiles(types, seed, Math.floor(Date.now() / 1_000));
  const before = sumCounts(await readCounts(world.secondary, world.replicables)).rows;

  const { putAt, bytes } = await putAll(world, files, progress);
  const replicated = await awaitCounts(world, before + files.length, "Replicating", progress);
  const lagMs = await measureLag(world, files, putAt);

  progress.say("Replacing, relabelling, retagging, deleting and restoring some of them");
  const { changed, deleted } = await changeSome(world, files);
  const followed = await awaitEquality(world, changed, progress);
  const settled = await awaitCounts(world, before + files.length - deleted, "Verifying the changes", progress);

  const bar = progress.bar("Comparing both buckets byte for byte", files.length - deleted, "objects");
  const { differences } = await compareBuckets(world.primary.bucket, world.secondary.bucket, {
    counts: (key) => matchKey(world.replicables, key) !== undefined,
    onProgress: (done) => bar.update(done),
  });
  bar.stop();
  const unsettled = replicated && settled ? [] : await unsettledRows(world, files);
  const all = sumCounts(await readCounts(world.secondary, world.replicables));
  return {
    objects: files.length,
    bytes,
    synced: all.synced,
    verified: all.verified,
    failed: all.failed + all.verificationFailed,
    deleted,
    lagMs,
    converged: replicated && followed && settled && differences.length === 0,
    differences: [...differences, ...unsettled],
  };
};
