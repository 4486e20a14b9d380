import { Duration } from "aws-cdk-lib";
import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import { Construct } from "constructs";

import { env } from "../../functions/site-status/env.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { SITE_TABLE_PARTITIONS, functionName, siteNames } from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { EachMinute } from "../constructs/each-minute.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { flagTableOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { grantGathering } from "../constructs/status-access.ts";

/** It begins nothing more after half a minute, and a table that hangs is given up on after as long: seconds. */
const TIMEOUT = Duration.seconds(90);

/** Lambda runs what it was asked to start and failed twice more. */
const RUNS_OF_A_START = 3;

/** Reports of a quarter of an hour that may fail before somebody is told: a status counts as old after an hour. */
const FAILED_REPORTS = 10;
const REPORTS_SEEN = Duration.minutes(15);

export interface SiteStatusProps extends GeoSiteProps {
  /** The site's API, which others are told of. */
  readonly api: RestApi;
}

/**
 * At every site: looks at itself each minute, writes down what it found, and of a secondary tells the primary. It knows where
 * the site's API is from the stack: the API's own functions can not, since the API depends on them.
 */
export class SiteStatus extends Construct {
  constructor(scope: Construct, { config, site, api }: SiteStatusProps) {
    super(scope, "SiteStatus");
    const names = siteNames(config, site);
    const siteTable = siteTableOf(config, site);
    const flags = flagTableOf(config);
    const gatherer = new GeoFunction(this, "Gatherer", {
      folder: "site-status",
      functionName: functionName(config, site, "site-status"),
      description: `Looks at ${site.name} and tells what it finds`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ROLE: site.role,
        REGION: site.region,
        SITE_TABLE: siteTable.tableName,
        API_URL: api.url,
        PRIMARY_SITE_TABLE: flags.tableName,
        PRIMARY_REGION: config.primary.region,
        PRIMARY_NAME: config.primary.name,
        SYNC_OBJECT_STORAGE: site.syncObjectStorage ? "true" : "false",
        SYNC_TIMEOUT_SECONDS: String(site.syncTimeoutSeconds),
        REPLICABLES: encodeReplicableSelection(config.selection),
      },
      timeout: TIMEOUT,
      memorySize: 256,
      tracing: config.tracing,
    });
    grantGathering(gatherer, { config, site });
    siteTable.grantReplaceInPartition(gatherer, SITE_TABLE_PARTITIONS.usage);
    siteTable.grantLookUpPartition(gatherer, SITE_TABLE_PARTITIONS.site); // its settings; at the primary the flags as well
    if (site.role === "secondary") flags.grantLookUpPartition(gatherer, SITE_TABLE_PARTITIONS.site);

    new EachMinute(this, {
      scheduleName: names.siteStatus,
      description: `Has ${site.name} look at itself`,
      function: gatherer.function,
      deadLetterQueueName: names.siteStatusDeadLetterQueue,
      runbook: "site-status",
      alarmTopicArn: site.alarmTopicArn,
    });
    const alarm = { runbook: "site-status", alarmTopicArn: site.alarmTopicArn } as const;
    geoAlarm(this, "Stale", {
      ...alarm,
      alarmName: `${names.siteStatus}-stale`,
      meaning: `${site.name} can not look at itself, so its status gets old.`,
      metric: gatherer.function.metricErrors({ period: Duration.minutes(5), statistic: "Sum" }),
      threshold: RUNS_OF_A_START, // one start that succeeds in the end is no reason to get up
    });
    if (site.role === "primary") return;
    geoAlarm(this, "NotReported", {
      ...alarm,
      alarmName: `${names.siteStatus}-not-reported`,
      meaning: `${site.name} can not tell the primary of its status, which gets old there.`,
      metric: siteMetric(site.name, METRICS.statusReportFailed, REPORTS_SEEN),
      threshold: FAILED_REPORTS,
    });
  }
}
