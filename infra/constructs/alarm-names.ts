import type { FunctionFolder } from "./function-folder.ts";

/**
 * Every alarm of an installation, by the section of docs/runbook.md that it belongs to. An alarm is called
 * `<installation>-<site>-<one of these>`, has a heading of that last part in the runbook, and a test that fires and clears it
 * (test/alarms). Whoever adds one is told what is missing by test/docs/alarms.test.ts.
 */
export const ALARMS = {
  "event-publisher": [
    "ingest-dead-letters-not-empty",
    "ingest-waiting",
    "event-publisher-errors",
    "event-publisher-throttled",
  ],
  "event-consumer": [
    "geo-events-dead-letters-not-empty",
    "backfill-dead-letters-not-empty",
    "geo-events-waiting",
    "backfill-waiting",
    "event-consumer-errors",
    "event-consumer-throttled",
    "event-consumer-removals-held-back",
    "event-consumer-missing-on-primary",
  ],
  verification: [
    "verification-dead-letters-not-empty",
    "verification-waiting",
    "verification-errors",
    "verification-throttled",
    "verification-mismatch",
    "verification-failing",
  ],
  "replica-drift": [
    "replica-drift-dead-letters-not-empty",
    "replica-drift-waiting",
    "replica-drift-errors",
    "replica-drift-throttled",
  ],
  checksum: [
    "checksum-dead-letters-not-empty",
    "checksum-waiting",
    "checksum-errors",
    "checksum-throttled",
    "checksum-bytes-differ",
    "checksum-failing",
  ],
  "verification-backfill": [
    "verification-backfill-dead-letters-not-empty",
    "verification-backfill-errors",
    "verification-backfill-found-missing",
    "verification-backfill-found-stale",
  ],
  "registry-consistency": [
    "registry-consistency-dead-letters-not-empty",
    "registry-consistency-errors",
    "registry-consistency-found-missing",
    "registry-consistency-found-stale",
    "registry-consistency-found-orphan",
  ],
  "retry-sweep": [
    "retry-sweep-not-sweeping",
    "retry-sweep-failing",
    "retry-sweep-timed-out",
    "retry-sweep-dead-letters-not-empty",
    "retry-sweep-held-back",
  ],
  "bulk-update": ["bulk-update-failing", "bulk-update-timed-out"],
  "batch-destroy": ["batch-destroy-failing", "batch-destroy-timed-out"],
  "large-copy": ["large-copy-failing", "large-copy-timed-out", "large-copy-dead-letters-not-empty"],
  counters: ["counters-dead-letters-not-empty", "counters-errors", "counters-throttled"],
  "counter-audit": [
    "counter-audit-dead-letters-not-empty",
    "counter-audit-not-recounting",
    "counter-audit-counts-differ",
  ],
  "site-status": [
    "site-status-stale",
    "site-status-backlog-old",
    "site-status-not-reported",
    "site-status-dead-letters-not-empty",
  ],
  "status-api": ["status-api-server-errors"],
} as const satisfies Partial<Record<FunctionFolder, readonly string[]>>;

/** A section of the runbook that speaks of alarms. */
export type AlarmSection = keyof typeof ALARMS;

/**
 * The heading of an alarm in docs/runbook.md.
 *
 * @param section the section that it belongs to
 * @param alarmName the whole name
 * @throws {Error} when the section has none that the name ends in: it is to be added to `ALARMS`
 */
export const headingOf = (section: AlarmSection, alarmName: string): string => {
  const headings: readonly string[] = ALARMS[section];
  const [longest] = headings
    .filter((heading) => alarmName.endsWith(`-${heading}`))
    .toSorted((left, right) => right.length - left.length);
  if (longest !== undefined) return longest;
  throw new Error(`Expected an alarm of ${section} (infra/constructs/alarm-names.ts), got ${alarmName}`);
};
