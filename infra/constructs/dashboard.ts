import { Duration } from "aws-cdk-lib";
import {
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  PeriodOverride,
  type IMetric,
} from "aws-cdk-lib/aws-cloudwatch";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { reportsDrift } from "../../shared/config/geo-config.ts";
import { METRIC_DIMENSIONS, METRICS, METRICS_NAMESPACE, type MetricName } from "../../shared/geo/metrics.ts";
import { functionName, siteNames } from "../../shared/geo/physical-names.ts";
import type { FunctionFolder } from "./function-folder.ts";
import type { GeoSiteProps } from "./geo-site.ts";

/** A queue to draw, and where its dead letters are; of this stack or of another. */
export interface WatchedQueue {
  readonly queue: IQueue;
  readonly deadLetters: { readonly queue: IQueue };
}

const PERIOD = Duration.minutes(1);

/** What people look at first, by role. */
const COUNTS: Readonly<Record<"primary" | "secondary", readonly MetricName[]>> = {
  primary: [
    METRICS.checksumSucceeded,
    METRICS.checksumFailed,
    METRICS.reverificationDue,
    METRICS.unmatchedKey,
    METRICS.parkedMessage,
  ],
  secondary: [
    METRICS.syncSucceeded,
    METRICS.syncFailed,
    METRICS.syncBlocked,
    METRICS.replicaRemoved,
    METRICS.verified,
    METRICS.checksumMismatch,
  ],
};

/** What should be zero, by role: each has its paragraph in docs/runbook.md. */
const TROUBLES: Readonly<Record<"primary" | "secondary", readonly MetricName[]>> = {
  primary: [METRICS.primaryDiffers, METRICS.verificationTimedOut, METRICS.outOfPattern, METRICS.countsDiffer],
  secondary: [
    METRICS.removalHeldBack,
    METRICS.missingOnPrimary,
    METRICS.syncTimedOut,
    METRICS.verificationTimedOut,
    METRICS.driftFound,
    METRICS.outOfPattern,
    METRICS.countsDiffer,
    METRICS.statusReportFailed,
  ],
};

const AT_EVERY_SITE = ["retry-sweep", "counters", "status-api", "authorizer"] as const;

const foldersAt = (site: GeoSiteProps["site"]): readonly FunctionFolder[] =>
  site.role === "primary"
    ? ["checksum", "verification-backfill", ...AT_EVERY_SITE]
    : ["event-consumer", "verification", ...(reportsDrift(site) ? (["replica-drift"] as const) : []), ...AT_EVERY_SITE];

const HALF = 12;
const WHOLE = 24;

const graph = (title: string, left: readonly IMetric[], width: typeof HALF | typeof WHOLE = HALF): GraphWidget =>
  new GraphWidget({ title, left: [...left], width, leftYAxis: { min: 0 } });

export interface SiteDashboardProps extends GeoSiteProps {
  /** The queues that carry the site's work. */
  readonly queues: readonly WatchedQueue[];
}

/** One page per site: what happened, how late it is, what waits, what broke. */
export class SiteDashboard extends Construct {
  constructor(scope: Construct, { config, site, queues }: SiteDashboardProps) {
    super(scope, "Dashboard");
    /** A search, so that every type is included and a new one appears by itself. */
    const search = (metric: MetricName, statistic: string, fold: "SUM" | "MAX"): IMetric =>
      new MathExpression({
        label: `${metric}${statistic === "Sum" ? "" : ` ${statistic}`}`,
        expression: `${fold}(SEARCH('Namespace="${METRICS_NAMESPACE}" ${METRIC_DIMENSIONS.site}="${site.name}" MetricName="${metric}"', '${statistic}', ${PERIOD.toSeconds()}))`,
        usingMetrics: {},
        period: PERIOD,
      });
    const lambda = (folder: FunctionFolder, metricName: string): IMetric =>
      new Metric({
        namespace: "AWS/Lambda",
        metricName,
        dimensionsMap: { FunctionName: functionName(config, site, folder) },
        label: folder,
        statistic: "Sum",
        period: PERIOD,
      });

    const lag = [METRICS.replicationLag, METRICS.verificationLag].flatMap((metric) =>
      ["p50", "p99"].map((statistic) => search(metric, statistic, "MAX")),
    );
    new Dashboard(this, "Dashboard", {
      dashboardName: siteNames(config, site).dashboard,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        [
          graph(
            "What happened, per minute",
            COUNTS[site.role].map((metric) => search(metric, "Sum", "SUM")),
          ),
          graph(
            "Lag of the slowest type, ms",
            site.role === "secondary" ? lag : [search(METRICS.countingLag, "p99", "MAX")],
          ),
        ],
        [
          graph(
            "What should be zero, per minute",
            TROUBLES[site.role].map((metric) => search(metric, "Sum", "SUM")),
            WHOLE,
          ),
        ],
        [
          graph(
            "Messages waiting",
            queues.map(({ queue }) => queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD })),
          ),
          graph(
            "Oldest message, seconds",
            queues.map(({ queue }) => queue.metricApproximateAgeOfOldestMessage({ period: PERIOD })),
          ),
        ],
        [
          graph(
            "Dead letters",
            queues.map(({ deadLetters }) =>
              deadLetters.queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD }),
            ),
          ),
          graph(
            "Errors of functions",
            foldersAt(site).map((folder) => lambda(folder, "Errors")),
          ),
        ],
      ],
    });
  }
}
