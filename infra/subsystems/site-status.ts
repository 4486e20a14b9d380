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

/**
 * Without a look in each of three periods the site's status is a quarter of an hour old: fifteen starts, and two more tries
 * of each, have come to nothing. It counts as old for everybody after an hour.
 */
const LOOKED_WITHIN = { period: Duration.minutes(5), periods: 3 };

/**
 * Longer than the longest wait between two tries of a row (four hours and some minutes, where its original is missing): what
 * could heal by being tried again has been tried. Seconds.
 */
const BACKLOG_OLD = Duration.hours(6);

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
      meaning: `${site.name} has not looked at itself for a quarter of an hour, so its status gets old.`,
      metric: siteMetric(site.name, METRICS.statusGathered, LOOKED_WITHIN.period),
      periods: LOOKED_WITHIN.periods,
      whenSilent: true,
    });
    if (site.role === "primary") return;
    geoAlarm(this, "BacklogOld", {
      ...alarm,
      alarmName: `${names.siteStatus}-backlog-old`,
      meaning: `Something at ${site.name} has not been synced for ${BACKLOG_OLD.toHumanString()}: it does not heal by being tried again.`,
      metric: siteMetric(site.name, METRICS.backlogAge, Duration.minutes(5), "Maximum"),
      threshold: BACKLOG_OLD.toSeconds(),
    });
    geoAlarm(this, "NotReported", {
      ...alarm,
      alarmName: `${names.siteStatus}-not-reported`,
      meaning: `${site.name} can not tell the primary of its status, which gets old there.`,
      metric: siteMetric(site.name, METRICS.statusReportFailed, REPORTS_SEEN),
      threshold: FAILED_REPORTS,
    });
  }
}
