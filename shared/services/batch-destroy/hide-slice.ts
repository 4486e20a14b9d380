import {
  assertDestroyable,
  decodeManifest,
  decodeResults,
  deletedMessages,
  encodeResults,
  type ManifestLine,
  type ResultLine,
  textDigest,
  versionDigest,
} from "../../geo/destroy-manifest.ts";
import { GeoError } from "../../geo/errors.ts";
import { leaseMs } from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { DestroyRecord, DestroySlice, ReadSlice } from "../../tables/site/destroy-record.ts";
import { versionsItem } from "../../tables/site/destroy-release.ts";
import type { KeyMatcher } from "../key-matcher.ts";
import { mayBelong } from "./chosen-types.ts";
import { findChanged } from "./find-changed.ts";
import { settle } from "./settle.ts";
import { readSlice, saveSlice } from "./stored-destroy.ts";

/** How often the objects of a slice that S3 did not hide are asked for again within one run. */
const TRIES_MAX = 3;

/** The frozen lines of a slice. Throws GEO_DESTROY_REFUSED when they are not what was frozen. */
export const readManifest = async (
  { manifests }: Pick<DestroyingSite, "manifests">,
  slice: Pick<DestroySlice, "manifest_name" | "manifest_digest">,
): Promise<readonly ManifestLine[]> => {
  const text = await manifests.read(slice.manifest_name);
  if (textDigest(text) !== slice.manifest_digest) {
    throw new GeoError(
      "GEO_DESTROY_REFUSED",
      `${slice.manifest_name} was changed after it was frozen: its slice is left as it is`,
    );
  }
  return decodeManifest(text);
};

/** What became of each object of a slice; empty before anything has. */
export const readResults = async (
  { manifests }: Pick<DestroyingSite, "manifests">,
  { results_name: name }: Pick<DestroySlice, "results_name">,
): Promise<readonly ResultLine[]> => (name === undefined ? [] : decodeResults(await manifests.read(name)));

/** Writes what became of objects of a slice, under a name of its own: only the slice says which of such texts counts. */
export const writeResults = async (
  { manifests, chance }: Pick<DestroyingSite, "manifests" | "chance">,
  destroyId: string,
  number: number,
  results: readonly ResultLine[],
): Promise<string> => {
  const name = `${destroyId}/results/${number}-${chance.token()}.jsonl`;
  await manifests.write(name, encodeResults(results));
  return name;
};

/** Hides what is left of a slice, once. @param isOurs as in `settle` */
const hideOnce = async (
  site: DestroyingSite,
  lines: readonly ManifestLine[],
  isOurs: boolean,
): Promise<ReadonlyMap<string, ResultLine>> => {
  const results = new Map<string, ResultLine>(isOurs ? await settle(site, lines, isOurs) : []);
  const shown = lines.filter(({ key }) => !results.has(key));
  const outcomes = shown.length === 0 ? [] : await site.bucket.hide(shown.map(({ key, etag }) => ({ key, etag })));
  const refused = new Set<string>();
  for (const outcome of outcomes) {
    const { key } = outcome;
    if (outcome.outcome === "hidden") {
      results.set(key, { key, outcome: "hidden", marker: outcome.markerVersionId, told: false });
    } else if (outcome.outcome === "refused") refused.add(key);
    else results.set(key, { key, outcome: "failed", detail: outcome.detail });
  }
  const settled = await settle(
    site,
    shown.filter(({ key }) => refused.has(key)),
    isOurs,
  );
  for (const key of refused) {
    results.set(key, settled.get(key) ?? { key, outcome: "failed", detail: "refused, and unchanged" });
  }
  return results;
};

/** Hides a slice's objects, those that S3 did not hide at first a few times more. */
const hideLines = async (
  site: DestroyingSite,
  lines: readonly ManifestLine[],
  known: readonly ResultLine[],
  isOurs: boolean,
): Promise<readonly ResultLine[]> => {
  const results = new Map(known.map((line) => [line.key, line]));
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const left = lines.filter(({ key }) => (results.get(key)?.outcome ?? "failed") === "failed");
    if (left.length === 0) break;
    for (const [key, line] of await hideOnce(site, left, isOurs || tries > 0)) results.set(key, line);
  }
  return lines.flatMap(({ key }) => results.get(key) ?? []);
};

/** What the results of a slice come to. */
export const countsOf = (lines: readonly ManifestLine[], results: readonly ResultLine[]) => {
  const count = (outcome: ResultLine["outcome"]): number => results.filter((line) => line.outcome === outcome).length;
  const hidden = new Set(results.filter(({ outcome }) => outcome === "hidden").map(({ key }) => key));
  return {
    hidden_count: hidden.size,
    hidden_bytes: lines.reduce((sum, { key, size }) => sum + (hidden.has(key) ? size : 0), 0),
    kept_count: count("kept"),
    gone_count: count("gone"),
    failed_count: count("failed"),
  };
};

/**
 * For how long a slice may still be hidden by somebody who began to, milliseconds; 0 when nobody can be at it any more. As
 * everywhere, whoever holds something has certainly been ended a minute behind its function's timeout.
 */
export const hidingEndsIn = (
  { clock, functionTimeoutMs }: Pick<DestroyingSite, "clock" | "functionTimeoutMs">,
  { hiding_since: since }: Pick<DestroySlice, "hiding_since">,
): number => (since === undefined ? 0 : Math.max(0, since + leaseMs(functionTimeoutMs) - clock.now()));

/** Sends the events of what is hidden and was not told, and says so in the slice. */
const tell = async (
  site: DestroyingSite,
  destroyId: string,
  { slice, rev }: ReadSlice,
  lines: readonly ManifestLine[],
  results: readonly ResultLine[],
): Promise<void> => {
  const hidden = new Set(results.flatMap((line) => (line.outcome === "hidden" && !line.told ? [line.key] : [])));
  const messages = deletedMessages(
    destroyId,
    lines.filter(({ key }) => hidden.has(key)),
    site.clock.now(),
  );
  if (messages.length > 0) {
    const sent = await site.geoEvents.send(messages);
    if (sent.outcome === "failed") throw new GeoError("GEO_QUEUE_UNAVAILABLE", `events of a destroy: ${sent.reason}`);
  }
  const told = { ...slice, slice_state: "told", event_count: slice.hidden_count } as const;
  await saveSlice(site.siteTable, destroyId, told, rev);
};

/**
 * Hides one slice and tells the secondaries, in this order, so that whoever looks because of an event finds the key gone.
 * Safe to run twice, at the same time, and after a death at any point: an object that is hidden is not hidden again, since
 * S3 is asked to do it only while the key still shows what the manifest names; and what one run has found out counts only
 * if nobody has taken the slice over since.
 *
 * @throws TableUnavailableError, StoreUnavailableError, GEO_QUEUE_UNAVAILABLE: to be run again
 * @throws GeoError GEO_DESTROY_REFUSED when the slice may not be destroyed (F83)
 */
export const hideSlice = async (
  site: DestroyingSite,
  record: DestroyRecord,
  number: number,
  matching: KeyMatcher,
): Promise<void> => {
  const read = await readSlice(site.siteTable, record.id, number);
  if (read === undefined) throw new GeoError("GEO_DESTROY_REFUSED", `the destroy ${record.id} has no slice ${number}`);
  const { slice } = read;
  // An undo has come by: what it brings back is not hidden again, however late somebody gets here.
  if (slice.undo_state !== undefined) return;
  if (slice.slice_state === "told" && slice.failed_count === 0) return;
  const lines = await readManifest(site, slice);
  if (slice.slice_state === "hidden") return tell(site, record.id, read, lines, await readResults(site, slice));
  assertDestroyable(lines, matching, (match, key) => mayBelong(site, record, match, key));
  const isFirst = slice.slice_state === "frozen";
  const changed = isFirst ? await findChanged(site, record, lines) : [];
  // Before the slice is begun: whoever goes on with it can not tell any more what was so before.
  const changedName = changed.length === 0 ? undefined : await writeResults(site, record.id, number, changed);
  // A machine calls again when its call has ended. Another run may have begun while a call of a stopped one waits for S3.
  const hidesAlone = slice.hiding_since === undefined || slice.hiding_run === record.destroy_runs;
  // Who takes a slice up that was begun moves it all the same: whoever began it finds that out when he is done.
  const begun = await saveSlice(
    site.siteTable,
    record.id,
    // Who has followed what was hidden before has not followed what is hidden now.
    {
      ...slice,
      slice_state: "hiding",
      hiding_since: site.clock.now(),
      hiding_run: hidesAlone ? record.destroy_runs : 0,
      followed_by: [],
      ...(changedName === undefined ? {} : { results_name: changedName }),
    },
    read.rev,
  );
  if (begun === undefined) return;
  const named = { first: slice.first_key, last: slice.last_key };
  const digests = lines.map((line) => versionDigest(line.key, line.version_id));
  await site.siteTable.put(versionsItem(record.id, named, digests));
  const wasTold = slice.slice_state === "told";
  const before = isFirst ? changed : await readResults(site, slice);
  const known = before.map((line) => (line.outcome === "hidden" && wasTold ? { ...line, told: true } : line));
  const results = await hideLines(site, lines, known, !isFirst);
  const name = await writeResults(site, record.id, number, results);
  const counts = countsOf(lines, results);
  const hidden = await saveSlice(
    site.siteTable,
    record.id,
    {
      ...begun.slice,
      ...counts,
      slice_state: "hidden",
      results_name: name,
      ...(hidesAlone && { hiding_since: undefined, hiding_run: undefined }),
    },
    begun.rev,
  );
  if (hidden === undefined) return;
  site.telemetry.count(COUNT_METRICS.batchDestroyed, counts.hidden_count - slice.hidden_count);
  await tell(site, record.id, hidden, lines, results);
};
