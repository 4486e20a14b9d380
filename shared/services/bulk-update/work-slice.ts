import {
  BULK_BACKLOG_KEYS_MAX,
  BULK_BACKLOG_WAIT_SECONDS,
  BULK_QUEUE_WAIT_SECONDS,
  type BulkUpdate,
  cursorAfter,
  nextWidth,
  partitionsOf,
} from "../../geo/bulk-progress.ts";
import { type Asked, isServed, sourceOf } from "../../geo/bulk-selection.ts";
import { GeoError } from "../../geo/errors.ts";
import { KEYS_PER_MESSAGE_MAX } from "../../geo/geo-message.ts";
import { REVERIFICATION_BACKLOG_MESSAGES_MAX } from "../../geo/limits.ts";
import { advanceBulkUpdate, bulkUpdateKey, endBulkUpdate, parseBulkUpdate } from "../../tables/site/bulk-updates.ts";
import { parseSiteRecord, siteRecordKey } from "../../tables/site/site-record.ts";
import { type KeyMatcher, keyMatcher } from "../key-matcher.ts";
import type { BulkSite } from "./bulk-site.ts";
import { handOver, queueOf } from "./hand-over.ts";
import { nextPage, type RowPage } from "./next-page.ts";

/** What the workflow does next. `ended`: nothing, be it done, cancelled, failed, or another execution's by now. */
export type SliceAnswer =
  | { readonly status: "more" }
  | { readonly status: "wait"; readonly wait_seconds: number }
  | { readonly status: "ended" };

/** The request as it stands now. Throws when there is none: nobody can have asked for what is not written down. */
export const readBulkUpdate = async (site: Pick<BulkSite, "siteTable">, id: string): Promise<BulkUpdate> => {
  const item = await site.siteTable.get(bulkUpdateKey(id));
  if (item === undefined) throw new GeoError("GEO_WORKFLOW_REQUEST", `there is no bulk update ${id}`);
  return parseBulkUpdate(item);
};

/** Whether the site is paused: then nobody would do what rows are asked for (F98). */
export const isPaused = async ({ siteTable }: Pick<BulkSite, "siteTable">): Promise<boolean> =>
  parseSiteRecord(await siteTable.get(siteRecordKey)).standing.paused === true;

const ASKS = { resync: "resync", reconcile: "look", reverify: "verify_again", checksum: "due" } as const;

/** What rows may be asked for by a request: as much waits as waits for the slowest of them. */
const asksOf = ({ selection: { action } }: BulkUpdate): readonly Asked[] => {
  if (action === "retry_now") return ["look", "verify"];
  return [ASKS[action]];
};

const isBacklogged = async (site: BulkSite, update: BulkUpdate): Promise<boolean> => {
  const queues = new Set(asksOf(update).map((ask) => queueOf(site, ask)));
  const most =
    site.role === "primary" ? REVERIFICATION_BACKLOG_MESSAGES_MAX : BULK_BACKLOG_KEYS_MAX / KEYS_PER_MESSAGE_MAX;
  const waiting = await Promise.all([...queues].map((queue) => queue.backlog()));
  return waiting.some((messages) => messages >= most);
};

/** A page, or what is made of a type that is switched off: none of its rows, and the next type. */
interface Page extends RowPage {
  /** The type, when it is. */
  readonly switchedOff?: string;
}

const stepOver = ({ selection, cursor }: BulkUpdate, replicableName: string): Page => ({
  replicableName,
  items: [],
  next: cursorAfter(selection, { type: cursor.type, partition: 0 }, partitionsOf(selection)),
  partitions: 0,
  switchedOff: replicableName,
});

/**
 * A request for one type ends where that is switched off: called done, it would not be made again within the hour, and rows
 * that come after would never be asked. Nor are all that came before: what is under way when a type is switched off is
 * dropped, so it begins anew, and rows that show that they were asked are passed over. Of many types, the others are gone
 * through.
 */
const endsWith = ({ selection: { replicableNames } }: BulkUpdate, { switchedOff }: Page): string | undefined =>
  switchedOff === undefined || replicableNames.length > 1
    ? undefined
    : `${switchedOff} was switched off meanwhile; make the same request again when it is on`;

const readPage = async (site: BulkSite, update: BulkUpdate, width: number): Promise<Page> => {
  const replicableName = update.selection.replicableNames[update.cursor.type] ?? "";
  const on = await site.switches.of(replicableName);
  return isServed(site.role, update.selection, on) ? nextPage(site, update, width) : stepOver(update, replicableName);
};

interface Slicing {
  readonly site: BulkSite;
  readonly execution: number;
  readonly matching: KeyMatcher;
  readonly stopAt: number;
}

const goThrough = async ({ site, execution, matching, stopAt }: Slicing, first: BulkUpdate): Promise<SliceAnswer> => {
  let update = first;
  let width = 1;
  let handedOverWhenMeasured = -1;
  while (update.state === "running" && update.execution === execution) {
    if (site.clock.now() >= stopAt) return { status: "more" };
    if (await isPaused(site)) return { status: "wait", wait_seconds: BULK_BACKLOG_WAIT_SECONDS };
    if (handedOverWhenMeasured !== update.counts.changed) {
      handedOverWhenMeasured = update.counts.changed;
      if (await isBacklogged(site, update)) return { status: "wait", wait_seconds: BULK_BACKLOG_WAIT_SECONDS };
    }
    const page = await readPage(site, update, width);
    const failure = endsWith(update, page);
    if (failure !== undefined) {
      const end = { state: "failed", failure, fromTheBeginning: true } as const;
      await site.siteTable.update(endBulkUpdate(update.id, end, site.clock.now()));
      return { status: "ended" };
    }
    const handed = await handOver(site, update, page, matching);
    if (handed.outcome === "not_taken") {
      site.telemetry.warn("a bulk update was not taken by its queue", { id: update.id, reason: handed.reason });
      return { status: "wait", wait_seconds: BULK_QUEUE_WAIT_SECONDS };
    }
    const saved = await site.siteTable.update(
      advanceBulkUpdate(update, page.next, handed.counts, site.clock.now(), page.switchedOff),
    );
    // Cancelled, or another run of this very function came here first: it is that which counts.
    update = saved.outcome === "written" ? parseBulkUpdate(saved.item) : await readBulkUpdate(site, update.id);
    width = page.partitions === 0 ? 1 : nextWidth(page.items.length, page.partitions);
  }
  return { status: "ended" };
};

/**
 * One slice of a bulk update (F77): page by page, rows are read, those that are selected are asked for what is wanted of
 * them, and the place is remembered, until the time is up. It may die anywhere and run twice: the page that it was at is
 * done again, which asks its rows once more.
 *
 * @param execution the number of the workflow's execution: only the present one works
 * @param stopAt when to begin no more pages, milliseconds since the epoch
 * @throws TableUnavailableError when a table did not answer, GEO_WORKFLOW_REQUEST when there is no such request
 */
export const workSlice = async (
  site: BulkSite,
  id: string,
  execution: number,
  stopAt: number,
): Promise<SliceAnswer> => {
  const before = await readBulkUpdate(site, id);
  const matching = await keyMatcher(site.replicables, site.switches);
  const answer = await goThrough({ site, execution, matching, stopAt }, before);
  const after = await readBulkUpdate(site, id);
  site.telemetry.info("worked on a bulk update", {
    id,
    action: after.selection.action,
    source: sourceOf(after.selection),
    status: answer.status,
    state: after.state,
    execution,
    looked_at: after.counts.lookedAt - before.counts.lookedAt,
    changed: after.counts.changed - before.counts.changed,
    skipped: after.counts.skipped - before.counts.skipped,
  });
  return answer;
};
