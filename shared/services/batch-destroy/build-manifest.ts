import pMap from "p-map";
import {
  belongsByKey,
  belongsByMetadata,
  DESTROY_LIMITS,
  type DestroyParent,
  destroyRanges,
  parentText,
} from "../../geo/destroy.ts";
import {
  assertDestroyable,
  encodeManifest,
  type ManifestLine,
  manifestLine,
  textDigest,
} from "../../geo/destroy-manifest.ts";
import { GeoError, StoreUnavailableError } from "../../geo/errors.ts";
import { quoted } from "../../geo/key-codec.ts";
import { KEYS_IN_FLIGHT } from "../../geo/limits.ts";
import type { ReplicableMatch } from "../../geo/replicable-match.ts";
import type { CurrentVersion, DestroyingSite } from "../../ports/destroy.ts";
import type { DestroyRecord, DestroySlice, ReadDestroy } from "../../tables/site/destroy-record.ts";
import { type KeyMatcher, keyMatcher } from "../key-matcher.ts";
import { isOfChosenType, mayBelong } from "./chosen-types.ts";
import { readSlice, saveDestroy, saveSlice, theDestroy } from "./stored-destroy.ts";

/** How far a listing has come: what the next one begins with. */
interface Place {
  readonly rangeIndex: number;
  readonly after: string | undefined;
  readonly keysDone: number;
}

/** What was found between two places. */
interface Found {
  readonly lines: readonly ManifestLine[];
  readonly leftOut: number;
  readonly next: Place;
  /** Nothing is behind it. */
  readonly finished: boolean;
}

const placeOf = (record: DestroyRecord): Place => ({
  rangeIndex: record.range_index,
  after: record.range_after,
  keysDone: record.keys_done,
});

const movedTo = (record: DestroyRecord, { rangeIndex, after, keysDone }: Place): DestroyRecord => {
  const { range_after: _before, ...rest } = record;
  return {
    ...rest,
    range_index: rangeIndex,
    keys_done: keysDone,
    ...(after === undefined ? {} : { range_after: after }),
  };
};

/** The types that a destroy names, as they are now. */
const chosenOf = (site: DestroyingSite, { replicable_names: names }: DestroyRecord) =>
  site.replicables.filter(({ name }) => names.includes(name));

/** Whether an object is one of the destroy's; asks for its metadata where only that can tell. */
const belongs = async (
  site: DestroyingSite,
  parent: DestroyParent,
  match: ReplicableMatch,
  key: string,
): Promise<boolean> => {
  const byKey = belongsByKey(parent, match, key);
  if (byKey !== "by_metadata" || !("id" in parent)) return byKey === "yes";
  const seen = await site.bucket.head(key);
  // Gone since it was listed: not the parent's any more. An answer that did not come is no answer (R28).
  if (seen.outcome === "absent") return false;
  if (seen.outcome === "failed") throw new StoreUnavailableError(`${quoted(key)}: ${seen.failure.detail}`);
  return belongsByMetadata(parent, match, seen.facts.metadata);
};

/** The lines of listed objects that are to be destroyed; undefined in the place of one that is not. */
const linesOf = (
  site: DestroyingSite,
  record: DestroyRecord,
  matching: KeyMatcher,
  objects: readonly CurrentVersion[],
): Promise<readonly (ManifestLine | undefined)[]> =>
  pMap(
    objects,
    async (object) => {
      const match = matching(object.key);
      if (match === undefined || !isOfChosenType(site, record, match, object.key)) return undefined;
      const isOurs = await belongs(site, record.destroy_parent, match, object.key);
      return isOurs ? manifestLine(object, match) : undefined;
    },
    { concurrency: KEYS_IN_FLIGHT },
  );

/** Lists on until a slice is full, the bucket is at its end or the time is up. */
const findInRanges = async (
  site: DestroyingSite,
  record: DestroyRecord,
  matching: KeyMatcher,
  stopAt: number,
): Promise<Found> => {
  const ranges = destroyRanges(site.replicables, chosenOf(site, record), record.destroy_parent);
  const lines: ManifestLine[] = [];
  let leftOut = 0;
  let { rangeIndex, after } = placeOf(record);
  const found = (finished: boolean): Found => ({
    lines,
    leftOut,
    next: { rangeIndex, after, keysDone: 0 },
    finished,
  });
  for (; ; rangeIndex += 1, after = undefined) {
    const prefix = ranges[rangeIndex];
    if (prefix === undefined) return found(true);
    for (;;) {
      if (lines.length === DESTROY_LIMITS.sliceObjects) return found(false);
      const page = await site.bucket.listCurrent({ prefix, after });
      const made = await linesOf(site, record, matching, page.objects);
      for (const [index, line] of made.entries()) {
        if (lines.length === DESTROY_LIMITS.sliceObjects) return found(false);
        if (line === undefined) leftOut += 1;
        else lines.push(line);
        after = page.objects[index]?.key;
      }
      if (page.next === undefined) break;
      after = page.next;
      if (site.clock.now() >= stopAt) return found(false);
    }
  }
};

/** The keys that somebody named: each is asked for, and each has to be of one of the types. */
const findKeys = async (
  site: DestroyingSite,
  record: DestroyRecord,
  keys: readonly string[],
  matching: KeyMatcher,
): Promise<Found> => {
  const lines = await pMap(
    keys,
    async (key) => {
      const match = matching(key);
      if (match === undefined || !isOfChosenType(site, record, match, key)) {
        const expected = `expected objects of ${record.replicable_names.slice(0, 5).join(", ")}`;
        throw new GeoError("GEO_DESTROY_REFUSED", `${quoted(key)} is foreign: ${expected}; nothing was destroyed`);
      }
      const seen = await site.bucket.head(key);
      if (seen.outcome === "failed") throw new StoreUnavailableError(`${quoted(key)}: ${seen.failure.detail}`);
      return seen.outcome === "absent" ? undefined : manifestLine({ key, ...seen.facts }, match);
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  const there = lines.filter((line) => line !== undefined);
  const next = { rangeIndex: 0, after: undefined, keysDone: keys.length };
  return { lines: there, leftOut: keys.length - there.length, next, finished: true };
};

const countTypes = (lines: readonly ManifestLine[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { replicable_name: name } of lines) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

const sumTypes = (one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((name) => [
      name,
      (one[name] ?? 0) + (other[name] ?? 0),
    ]),
  );

/** What the record says once a slice is frozen. */
const withSlice = (record: DestroyRecord, slice: DestroySlice): DestroyRecord => {
  const missing = DESTROY_LIMITS.samples - record.sample_keys.length;
  return {
    ...movedTo(record, {
      rangeIndex: slice.next_range_index,
      after: slice.next_range_after,
      keysDone: slice.next_keys_done,
    }),
    slice_count: slice.number,
    object_count: record.object_count + slice.object_count,
    byte_count: record.byte_count + slice.byte_count,
    left_out_count: record.left_out_count + slice.left_out_count,
    type_counts: sumTypes(record.type_counts, slice.type_counts),
    sample_keys: [...record.sample_keys, ...slice.sample_keys.slice(0, Math.max(0, missing))],
  };
};

/**
 * Freezes what was found: first its text, then the slice that names the text. Two who build at once may both write a text,
 * and only one of them makes the slice; the other finds it and goes on behind it.
 */
const freeze = async (site: DestroyingSite, record: DestroyRecord, { lines, leftOut, next }: Found): Promise<void> => {
  const first = lines[0];
  const last = lines.at(-1);
  if (first === undefined || last === undefined) return;
  const number = record.slice_count + 1;
  const text = encodeManifest(lines);
  const name = `${record.id}/manifest/${number}-${site.chance.token()}.jsonl`;
  await site.manifests.write(name, text);
  await saveSlice(
    site.siteTable,
    record.id,
    {
      number,
      slice_state: "frozen",
      manifest_name: name,
      manifest_digest: textDigest(text),
      first_key: first.key,
      last_key: last.key,
      sample_keys: record.slice_count > 0 ? [] : lines.slice(0, DESTROY_LIMITS.samples).map(({ key }) => key),
      object_count: lines.length,
      byte_count: lines.reduce((sum, { size }) => sum + size, 0),
      left_out_count: leftOut,
      type_counts: countTypes(lines),
      next_range_index: next.rangeIndex,
      ...(next.after === undefined ? {} : { next_range_after: next.after }),
      next_keys_done: next.keysDone,
      hidden_count: 0,
      hidden_bytes: 0,
      kept_count: 0,
      gone_count: 0,
      failed_count: 0,
      event_count: 0,
      followed_by: [],
      restored_count: 0,
      not_restored_count: 0,
      undo_failed_count: 0,
    },
    undefined,
  );
};

/** The listing has ended: may it be confirmed? */
const concluded = (record: DestroyRecord, now: number): DestroyRecord => {
  if (record.object_count > 0) {
    return { ...record, destroy_state: "planned", expires_at: now + DESTROY_LIMITS.confirmableMs };
  }
  const types = record.replicable_names.length === 1 ? record.replicable_names[0] : "any type";
  const problem = `there is nothing to destroy: expected objects of ${types} of ${parentText(record.destroy_parent)}, found none among ${record.left_out_count} that were looked at`;
  return { ...record, destroy_state: "refused", ended_at: now, problem };
};

const refusedFor = (record: DestroyRecord, problem: string, now: number): DestroyRecord => ({
  ...record,
  destroy_state: "refused",
  ended_at: now,
  problem,
});

/** One slice further. Undefined when the record has been moved by somebody else. */
const buildOn = async (
  site: DestroyingSite,
  { record, rev }: ReadDestroy,
  matching: KeyMatcher,
  stopAt: number,
): Promise<ReadDestroy | undefined> => {
  const { siteTable, clock } = site;
  const frozen = await readSlice(siteTable, record.id, record.slice_count + 1);
  if (frozen !== undefined) {
    const next = withSlice(record, frozen.slice);
    return saveDestroy(
      siteTable,
      next.object_count > DESTROY_LIMITS.objects
        ? refusedFor(next, `more than ${DESTROY_LIMITS.objects} objects, expected a smaller part of them`, clock.now())
        : next,
      rev,
    );
  }
  const { destroy_parent: parent } = record;
  const isKeys = parent.kind === "keys";
  if (isKeys && record.keys_done > 0) return saveDestroy(siteTable, concluded(record, clock.now()), rev);
  const found = isKeys
    ? await findKeys(site, record, parent.keys, matching)
    : await findInRanges(site, record, matching, stopAt);
  if (found.lines.length > 0) {
    assertDestroyable(found.lines, matching, (match, key) => mayBelong(site, record, match, key));
    await freeze(site, record, found);
    return { record, rev };
  }
  const moved = { ...movedTo(record, found.next), left_out_count: record.left_out_count + found.leftOut };
  return saveDestroy(siteTable, found.finished ? concluded(moved, clock.now()) : moved, rev);
};

/**
 * Lists what is to be destroyed and freezes it in slices, as far as the time goes: everything that is needed later is
 * collected before anything goes (F80). Changes no object. Safe to run twice, at the same time, and after a death at any
 * point: it goes on behind the last slice that was frozen.
 *
 * @param stopAt when to stop, milliseconds since the epoch
 * @returns whether there is more to list
 */
export const buildManifest = async (
  site: DestroyingSite,
  destroyId: string,
  stopAt: number,
): Promise<{ readonly more: boolean }> => {
  const matching = await keyMatcher(site.replicables, site.switches);
  for (let read = await theDestroy(site.siteTable, destroyId); ;) {
    if (read.record.destroy_state !== "planning") return { more: false };
    if (site.clock.now() >= stopAt) return { more: true };
    let next: ReadDestroy | undefined;
    try {
      next = await buildOn(site, read, matching, stopAt);
    } catch (error) {
      if (!(error instanceof GeoError) || error.code !== "GEO_DESTROY_REFUSED") throw error;
      next = await saveDestroy(site.siteTable, refusedFor(read.record, error.message, site.clock.now()), read.rev);
    }
    read = next ?? (await theDestroy(site.siteTable, destroyId));
  }
};
