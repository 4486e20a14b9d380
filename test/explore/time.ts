import type { Item } from "../../shared/ports/table.ts";

/**
 * Time has three values here: past, now and to come. Which wait is longer than which does not matter for safety (R30), so
 * a time that is written is only ever `to come`, and an action of its own makes it past.
 */
export const PAST = 9;
export const NOW = 10;
export const TO_COME = 11;

/** Never reached: no worker of the exploration runs out of time. */
export const NEVER = Number.MAX_SAFE_INTEGER;

const TIMES = ["lease_until", "retry_at", "due_at", "taint_until", "verification_retry_at", "v_lease"] as const;

/** Columns that decide nothing: when something was, and how often it failed. */
const IRRELEVANT = new Set([
  "created_at",
  "last_event_at",
  "waiting_since",
  "unproven",
  "attempt_started_at",
  "last_synced_at",
  "verified_at",
  "verification_started_at",
  "last_sync_failure",
  "blocked_reason",
  "missing_on_primary",
  "verification_failure",
  "src_last_modified",
  "src_size",
  "rep_etag",
  "retry_count",
  "verification_retry_count",
]);

/** The row with its times brought down to those three and without what decides nothing. */
export const abstractRow = (item: Item): Item => {
  const row: Record<string, Item[string]> = {};
  for (const name of Object.keys(item).sort()) {
    const value = item[name];
    if (value === undefined || IRRELEVANT.has(name)) continue;
    row[name] =
      (TIMES as readonly string[]).includes(name) && typeof value === "number" ? (value > NOW ? TO_COME : PAST) : value;
  }
  // What is verified has its size compared with the row's.
  if (item["src_size"] !== undefined) row["src_size"] = item["src_size"];
  return row;
};
