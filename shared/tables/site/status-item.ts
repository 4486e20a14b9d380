import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import { decodeGathered, encodeGathered, type StoredStatus } from "../../geo/gathered-status.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { DeleteRequest, Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

/**
 * The status that a site last gathered: in its own table, and of a secondary in the primary's as well. Each site has a
 * partition of its own, since IAM restricts a right to a partition and not to a sort key: so a secondary can write what the
 * primary tells of it, and nothing of any other site.
 */
export const statusPartition = (siteName: string): string => `${SITE_TABLE_PARTITIONS.status}#${siteName}`;

export const statusKey = (siteName: string): ItemKey => ({ pk: statusPartition(siteName), sk: "gathered" });

const Stored = z.object({
  status_document: z.string(),
  reports_failed: z.number(),
  report_problem: z.optional(z.string()),
});

/** Parses a stored status; undefined when there is none. Throws `GEO_UNREADABLE_ROW` on one that can not be read. */
export const parseStatus = (item: Item | undefined): StoredStatus | undefined => {
  if (item === undefined) return undefined;
  const parsed = z.safeParse(Stored, item);
  if (!parsed.success) {
    throw new GeoError("GEO_UNREADABLE_ROW", "a site's status can not be read: the item is not one", {
      cause: parsed.error,
    });
  }
  const { status_document: document, reports_failed: failedReports, report_problem: reportProblem } = parsed.data;
  return { gathered: decodeGathered(document), failedReports, reportProblem };
};

/** How far ahead of ours the time of a status may be to be believed, milliseconds: far more than two gatherings overlap. */
const AHEAD_MAX_MS = 10 * 60 * 1_000;

/**
 * Stores a status, unless a later one is there: two gatherings may overlap. One that a clock wrote which was far ahead gives
 * way: it would stand there until that time has come.
 */
export const storeStatus = ({ gathered, failedReports, reportProblem }: StoredStatus): UpdateRequest => {
  const values = {
    ":document": encodeGathered(gathered),
    ":at": gathered.gatheredAt,
    ":ahead": gathered.gatheredAt + AHEAD_MAX_MS,
    ":failed": failedReports,
    ...(reportProblem === undefined ? {} : { ":problem": reportProblem }),
  };
  const set = "SET status_document = :document, gathered_at = :at, reports_failed = :failed";
  return {
    key: statusKey(gathered.site.name),
    update: reportProblem === undefined ? `${set} REMOVE report_problem` : `${set}, report_problem = :problem`,
    condition: "attribute_not_exists(gathered_at) OR gathered_at <= :at OR gathered_at > :ahead",
    values,
  };
};

export const removeStatus = (siteName: string): DeleteRequest => ({ key: statusKey(siteName) });
