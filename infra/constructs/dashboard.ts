import {
  Dashboard,
  GraphWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  PeriodOverride,
  type IMetric,
  type IWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";

import { METRICS, type MetricName } from "../../shared/geo/metrics.ts";
import { siteNames } from "../../shared/geo/physical-names.ts";
import { dollars, REQUESTS } from "../../shared/geo/prices.ts";
import { DrawnSite } from "./drawn-metrics.ts";
import type { GeoSiteProps } from "./geo-site.ts";

/** What people look at first, by role. */
const COUNTS: Readonly<Record<DrawnSite["role"], readonly MetricName[]>> = {
  primary: [METRICS.checksumSucceeded, METRICS.checksumFailed, METRICS.reverificationDue, METRICS.recordsRemoved],
  secondary: [
    METRICS.syncSucceeded,
    METRICS.syncFailed,
    METRICS.syncBlocked,
    METRICS.syncThrottled,
    METRICS.replicaRemoved,
    METRICS.verified,
  ],
};

/** What should be zero and is recorded for the site as a whole: an alarm watches each of them. */
const WATCHED: Readonly<Record<DrawnSite["role"], readonly MetricName[]>> = {
  primary: [METRICS.checksumFailed, METRICS.primaryDiffers, METRICS.countsDiffer],
  secondary: [
    METRICS.verificationFailed,
    METRICS.checksumMismatch,
    METRICS.removalHeldBack,
    METRICS.retriesHeldBack,
    METRICS.missingOnPrimary,
    METRICS.countsDiffer,
    METRICS.statusReportFailed,
  ],
};

/** What should be rare and is recorded by type: each has its paragraph in docs/runbook.md. */
const RARE: Readonly<Record<DrawnSite["role"], readonly MetricName[]>> = {
  primary: [METRICS.verificationTimedOut, METRICS.outOfPattern],
  secondary: [
    METRICS.syncTimedOut,
    METRICS.verificationTimedOut,
    METRICS.driftFound,
    METRICS.leaseLost,
    METRICS.unknownOutcome,
    METRICS.outOfPattern,
  ],
};

/** What walks find: objects without a record or replica, replicas of something else, and what the primary does not hold. */
const FINDINGS: Readonly<Record<DrawnSite["role"], readonly MetricName[]>> = {
  primary: [METRICS.consistencyMissing, METRICS.consistencyStale],
  secondary: [METRICS.consistencyMissing, METRICS.consistencyStale, METRICS.consistencyOrphan],
};

/** What a site counts that costs requests, with what each comes to (`shared/geo/prices.ts`). */
const COSTS: Readonly<Record<DrawnSite["role"], readonly (readonly [MetricName, number])[]>> = {
  primary: [[METRICS.checksumSucceeded, dollars(REQUESTS.primary.verified)]],
  secondary: [
    [METRICS.syncSucceeded, dollars(REQUESTS.secondary.synced)],
    [METRICS.syncFailed, dollars(REQUESTS.secondary.failed)],
    [METRICS.verified, dollars(REQUESTS.secondary.verified)],
    [METRICS.replicaRemoved, dollars(REQUESTS.secondary.removed)],
  ],
};

/** Columns of 24. */
const THIRD = 8;
const HALF = 12;
const WHOLE = 24;
type Width = typeof THIRD | typeof HALF | typeof WHOLE;

const graph = (title: string, region: string, left: readonly IMetric[], width: Width = HALF): GraphWidget =>
  new GraphWidget({ title, region, left: [...left], width, leftYAxis: { min: 0 } });

const COLUMNS: Readonly<Record<DrawnSite["role"], readonly string[]>> = {
  primary: ["verified", "verification_failed"],
  secondary: ["synced", "failed", "queued", "verified", "verification_failed"],
};

const bars = (site: DrawnSite, title: string, columns: readonly string[], width: Width): LogQueryWidget =>
  new LogQueryWidget({
    title,
    region: site.region,
    logGroupNames: [site.logOf("site-status")],
    view: LogQueryVisualizationType.BAR,
    width,
    queryLines: [
      'filter message = "type_status"',
      `stats ${columns.map((column) => `latest(${column}) as ${column}_now`).join(", ")} by replicable_name`,
      "sort replicable_name asc",
    ],
  });

/** The bars of Geo's page for each type that has rows, and a table of all that is known of each. */
const typesOf = (site: DrawnSite): readonly IWidget[][] => [
  [bars(site, `${site.name}: objects of each type`, COLUMNS[site.role], WHOLE)],
  [
    new LogQueryWidget({
      title: `${site.name}: each type, now`,
      region: site.region,
      logGroupNames: [site.logOf("site-status")],
      view: LogQueryVisualizationType.TABLE,
      width: WHOLE,
      queryLines: [
        'filter message = "type_status"',
        `stats ${["rows", "bytes", ...COLUMNS[site.role], "oldest_seconds", "lag_p50_ms", "lag_p99_ms"]
          .map((column) => `latest(${column}) as ${column}_now`)
          .join(", ")} by replicable_name`,
        "sort replicable_name asc",
      ],
    }),
  ],
];

const lateness = (site: DrawnSite): IWidget[] =>
  site.role === "primary"
    ? [graph("Counting lag, p99, ms", site.region, [site.ofSite(METRICS.countingLag, "p99")], WHOLE)]
    : [
        graph(
          "Lag to the replica, ms, each type",
          site.region,
          [site.eachType(METRICS.replicationLag, "p50"), site.eachType(METRICS.replicationLag, "p99")],
          THIRD,
        ),
        graph(
          "Lag to the verified replica, ms, each type",
          site.region,
          [site.eachType(METRICS.verificationLag, "p50"), site.eachType(METRICS.verificationLag, "p99")],
          THIRD,
        ),
        graph("Backlog age, seconds", site.region, [site.ofSite(METRICS.backlogAge, "Maximum")], THIRD),
      ];

/** What happened, what waits, what broke and what it costs. */
const workOf = (site: DrawnSite): readonly IWidget[][] => [
  [
    graph("What happened, per minute", site.region, [
      ...COUNTS[site.role].map((metric) => site.overTypes(metric, "Sum")),
      ...(site.role === "primary" ? [site.ofSite(METRICS.batchDestroyed, "Sum")] : []),
    ]),
    graph(
      "What should be zero, per minute",
      site.region,
      WATCHED[site.role].map((metric) => site.ofSite(metric, "Sum")),
    ),
  ],
  lateness(site),
  [
    graph(
      "Messages waiting",
      site.region,
      site.workQueues.map((queue) => site.queue(queue, "ApproximateNumberOfMessagesVisible")),
      THIRD,
    ),
    graph(
      "Oldest message, seconds",
      site.region,
      site.workQueues.map((queue) => site.queue(queue, "ApproximateAgeOfOldestMessage")),
      THIRD,
    ),
    graph(
      "Dead letters",
      site.region,
      site.deadLetterQueues.map((queue) => site.queue(queue, "ApproximateNumberOfMessagesVisible")),
      THIRD,
    ),
  ],
  [
    graph(
      "What should be rare, per minute",
      site.region,
      [
        ...RARE[site.role].map((metric) => site.overTypes(metric, "Sum")),
        site.ofSite(METRICS.parkedMessage, "Sum"),
        ...(site.role === "primary" ? [] : [METRICS.parkedMessage, METRICS.unmatchedKey].map((of) => site.ofFeed(of))),
      ],
      THIRD,
    ),
    graph(
      "What walks found",
      site.region,
      FINDINGS[site.role].map((metric) => site.ofSite(metric, "Sum")),
      THIRD,
    ),
    graph(
      "Executions that did not end well",
      site.region,
      site.machines.flatMap((name) => [
        site.machine(name, "ExecutionsFailed", "failed"),
        site.machine(name, "ExecutionsTimedOut", "timed out"),
      ]),
      THIRD,
    ),
  ],
  [
    graph(
      "Errors of functions",
      site.region,
      site.folders.map((folder) => site.lambda(folder, "Errors")),
      THIRD,
    ),
    graph(
      "Throttles of functions",
      site.region,
      site.folders.map((folder) => site.lambda(folder, "Throttles")),
      THIRD,
    ),
    graph(
      "Requests, dollars per hour at list price (geo cost tells it by day)",
      site.region,
      COSTS[site.role].map(([metric, each]) => site.costOf(metric, each)),
      THIRD,
    ),
  ],
];

/** One page per site: each type in bars, what happened, how late it is, what waits, what broke, what it costs. */
export class SiteDashboard extends Construct {
  constructor(scope: Construct, props: GeoSiteProps) {
    super(scope, "Dashboard");
    const site = new DrawnSite(props);
    new Dashboard(this, "Dashboard", {
      dashboardName: siteNames(props.config, props.site).dashboard,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [...typesOf(site), ...workOf(site)],
    });
  }
}

/** What is drawn of all sites in one graph: a line for each. */
export const overviewOf = (sites: readonly DrawnSite[], region: string): IWidget[][] => {
  const secondaries = sites.filter(({ role }) => role === "secondary");
  const labelled = (of: (site: DrawnSite) => readonly IMetric[]): readonly IMetric[] => secondaries.flatMap(of);
  return [
    sites.map((site) =>
      bars(site, `${site.name}: objects of each type`, COLUMNS[site.role], sites.length > 2 ? THIRD : HALF),
    ),
    [
      graph(
        "Backlog age, seconds",
        region,
        labelled((site) => [site.ofSite(METRICS.backlogAge, "Maximum", site.name)]),
        THIRD,
      ),
      graph(
        "Lag to the verified replica, p99 of the slowest type, ms",
        region,
        labelled((site) => [site.overTypes(METRICS.verificationLag, "p99", site.name)]),
        THIRD,
      ),
      graph(
        "Copied and verified, per minute",
        region,
        labelled((site) => [
          site.overTypes(METRICS.syncSucceeded, "Sum", `${site.name} synced`),
          site.overTypes(METRICS.verified, "Sum", `${site.name} verified`),
        ]),
        THIRD,
      ),
    ],
    [
      graph(
        "What should be zero, per minute",
        region,
        sites.flatMap((site) =>
          WATCHED[site.role].map((metric) => site.ofSite(metric, "Sum", `${site.name} ${metric}`)),
        ),
      ),
      graph(
        "Dead letters",
        region,
        sites.flatMap((site) =>
          site.deadLetterQueues.map((queue) =>
            site.queue({ ...queue, label: `${site.name} ${queue.label}` }, "ApproximateNumberOfMessagesVisible"),
          ),
        ),
      ),
    ],
    [
      graph(
        "Looks of each site at itself, per minute",
        region,
        sites.map((site) => site.ofSite(METRICS.statusGathered, "Sum", site.name)),
      ),
      graph(
        "Oldest message, seconds",
        region,
        sites.flatMap((site) =>
          site.workQueues.map((queue) =>
            site.queue({ ...queue, label: `${site.name} ${queue.label}` }, "ApproximateAgeOfOldestMessage"),
          ),
        ),
      ),
    ],
  ];
};
