import type { GatheredStatus } from "../geo/gathered-status.ts";
import { COUNT_METRICS, GAUGE_METRICS } from "../geo/metrics.ts";
import { gaugesOfStatus } from "../geo/status-gauges.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/**
 * Tells logs and metrics of a status that was gathered and written down: that it was, how old the backlog is, and each type's
 * numbers. Metrics only for what an alarm listens to, since each costs as much a month as a thousand times its lines.
 */
export const tellStatus = (telemetry: Telemetry, gathered: GatheredStatus): void => {
  const { backlogAge, types } = gaugesOfStatus(gathered);
  telemetry.count(COUNT_METRICS.statusGathered, 1);
  if (backlogAge !== undefined) telemetry.gauge(GAUGE_METRICS.backlogAge, backlogAge);
  for (const type of types) telemetry.info("type_status", { ...type });
};
