import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/counter-audit/env.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { SITE_TABLE_PARTITIONS, functionName, siteNames } from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { EachMinute } from "../constructs/each-minute.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { objectTableOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { siteMetric } from "../constructs/site-metric.ts";

/** A run goes on from where the last one came to, so its length decides nothing but how often it is started. */
const TIMEOUT = Duration.minutes(5);

/** From one run to the next: longer than a recount waits for the counters to have seen everything. */
const EVERY_MINUTES = 15;

/**
 * Runs of an hour that may fail. One that hangs holds its recount for longer than it lives, so that what Lambda starts in its
 * place finds nothing to do: of the four starts of an hour each fails once then.
 */
const FAILED_RUNS = 3;
const RUNS_SEEN = Duration.hours(1);

/** How long a difference is shown as an alarm: the next recount of its type may be a week away. */
const DIFFERENCES_SHOWN = Duration.hours(6);

/** At every site: recounts the rows of its table once a week, and holds them against the counters. */
export class CounterAudit extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "CounterAudit");
    const names = siteNames(config, site);
    const rows = objectTableOf(config, site);
    const siteTable = siteTableOf(config, site);
    const auditor = new GeoFunction(this, "Auditor", {
      folder: "counter-audit",
      functionName: functionName(config, site, "counter-audit"),
      description: `Recounts the rows of ${site.name} and holds them against its counters`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ROLE: site.role,
        OBJECT_TABLE: rows.tableName,
        SITE_TABLE: siteTable.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    rows.grantListRows(auditor);
    siteTable.grantReadPartition(auditor, SITE_TABLE_PARTITIONS.counter);
    siteTable.grantChangePartition(auditor, SITE_TABLE_PARTITIONS.counter);
    siteTable.grantKeepPartition(auditor, SITE_TABLE_PARTITIONS.counterAudit);
    new EachMinute(this, {
      scheduleName: names.counterAudit,
      description: `Starts a run of the counter audit of ${site.name}`,
      function: auditor.function,
      everyMinutes: EVERY_MINUTES,
      deadLetterQueueName: names.counterAuditDeadLetterQueue,
      runbook: "counter-audit",
      alarmTopicArn: site.alarmTopicArn,
    });
    const alarm = { runbook: "counter-audit", alarmTopicArn: site.alarmTopicArn } as const;
    geoAlarm(this, "NotRecounting", {
      ...alarm,
      alarmName: `${names.counterAudit}-not-recounting`,
      meaning: `Recounts of ${site.name} fail, so nobody hears of it when its counters are wrong.`,
      metric: auditor.function.metricErrors({ period: RUNS_SEEN, statistic: "Sum" }),
      threshold: FAILED_RUNS,
    });
    geoAlarm(this, "CountsDiffer", {
      ...alarm,
      alarmName: `${names.counterAudit}-counts-differ`,
      meaning: `A recount of the rows of ${site.name} found other numbers than its counters hold.`,
      metric: siteMetric(site.name, METRICS.countsDiffer, DIFFERENCES_SHOWN),
    });
  }
}
