import { METRICS } from "../../shared/geo/metrics.ts";
import { countedTable } from "../../shared/geo/counters.ts";
import type { SiteRole } from "../../shared/geo/site-status.ts";
import type { StreamBatch } from "../../shared/lambda/stream-handler.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Table } from "../../shared/ports/table.ts";
import type { Telemetry } from "../../shared/ports/telemetry.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import type { KnownPartitions } from "../../shared/services/filled-partitions.ts";

/** What counting needs. */
export interface Counting {
  readonly role: SiteRole;
  readonly siteTable: Table;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Counts one batch of a site's stream, and says how far behind the counters are. */
export const count = ({ role, siteTable, clock, telemetry }: Counting) => {
  const known: KnownPartitions = new Map();
  return async ({ shard, changes }: StreamBatch): Promise<void> => {
    const { counted, skipped } = await countChanges(siteTable, { table: countedTable(role), shard, changes }, known);
    telemetry.count(METRICS.changesCounted, counted);
    if (skipped > 0) {
      telemetry.count(METRICS.changesSkipped, skipped);
      telemetry.info("changes_counted_before", { shard, skipped, counted });
    }
    const oldest = changes[0]?.changedAt;
    if (oldest !== undefined) telemetry.duration(METRICS.countingLag, Math.max(0, clock.now() - oldest));
  };
};
