import { Duration } from "aws-cdk-lib";
import { MathExpression, Metric, type IMetric } from "aws-cdk-lib/aws-cloudwatch";

import { reportsDrift } from "../../shared/config/geo-config.ts";
import { METRIC_DIMENSIONS, METRICS_NAMESPACE, type MetricName } from "../../shared/geo/metrics.ts";
import { functionName, primaryNames, secondaryNames, siteNames } from "../../shared/geo/physical-names.ts";
import { redrivableQueues } from "../../shared/geo/redrivable-queues.ts";
import { undeliveredQueues } from "../../shared/geo/undelivered-queues.ts";
import { stateMachineArn } from "./arns.ts";
import type { FunctionFolder } from "./function-folder.ts";
import type { GeoSiteProps } from "./geo-site.ts";

/** What a point of a graph stands for, unless something is counted by the hour. */
export const DRAWN_PERIOD = Duration.minutes(1);

/** A queue by its name, wherever it is. */
interface NamedQueue {
  readonly label: string;
  readonly name: string;
  readonly region: string;
}

const EVERYWHERE = [
  "admin-page",
  "retry-sweep",
  "bulk-update",
  "counters",
  "counter-audit",
  "site-status",
  "status-api",
  "authorizer",
] as const;

/**
 * Everything of one site that can be drawn, by names alone: so that a page of another region, which no reference of a template
 * can cross, draws the same as the site's own.
 */
export class DrawnSite {
  readonly #props: GeoSiteProps;

  constructor(props: GeoSiteProps) {
    this.#props = props;
  }

  get name(): string {
    return this.#props.site.name;
  }

  get region(): string {
    return this.#props.site.region;
  }

  get role(): "primary" | "secondary" {
    return this.#props.site.role;
  }

  /** The queues that carry the site's work, its feed's included. */
  get workQueues(): readonly NamedQueue[] {
    return this.#redrivable().map(({ name, queue, region }) => ({ label: name, name: queue, region }));
  }

  /** Every dead-letter queue of the site. */
  get deadLetterQueues(): readonly NamedQueue[] {
    const { config, site } = this.#props;
    return [
      ...this.#redrivable().map(({ name, dead_letters, region }) => ({ label: name, name: dead_letters, region })),
      ...undeliveredQueues(config, site).map(({ name: label, queue }) => ({ label, name: queue, region: site.region })),
    ];
  }

  /** The folders of the site's functions. Its feed's is in the primary's region. */
  get folders(): readonly FunctionFolder[] {
    const { site } = this.#props;
    return site.role === "primary"
      ? ["checksum", "verification-backfill", "batch-destroy", ...EVERYWHERE]
      : [
          "event-publisher",
          "event-consumer",
          "verification",
          ...(reportsDrift(site) ? (["replica-drift"] as const) : []),
          "registry-consistency",
          "large-copy",
          ...EVERYWHERE,
        ];
  }

  /** The state machines of the site, by their names. */
  get machines(): readonly string[] {
    const { config, site } = this.#props;
    const { retrySweep, bulkUpdate } = siteNames(config, site);
    const ofRole =
      site.role === "primary" ? primaryNames(config, site).batchDestroy : secondaryNames(config, site).largeCopy;
    return [retrySweep, bulkUpdate, ofRole];
  }

  /** A metric that is recorded for the site as a whole. */
  ofSite(metricName: MetricName, statistic: string, label?: string): IMetric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { [METRIC_DIMENSIONS.site]: this.name },
      statistic,
      period: DRAWN_PERIOD,
      region: this.region,
      label: label ?? metricName,
    });
  }

  /** The same of what the site's feed records, which is in the primary's region. */
  ofFeed(metricName: MetricName): IMetric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { [METRIC_DIMENSIONS.site]: this.name },
      statistic: "Sum",
      period: DRAWN_PERIOD,
      region: this.#props.config.primary.region,
      label: `${metricName} of the feed`,
    });
  }

  /**
   * A metric that is recorded by type, over all types: a search, so that a new type appears by itself. The set of dimensions
   * is said, or what is counted for the site as a whole as well would be counted twice.
   */
  overTypes(metric: MetricName, statistic: "Sum" | "p50" | "p99", label?: string, period = DRAWN_PERIOD): IMetric {
    const fold = statistic === "Sum" ? "SUM" : "MAX";
    return this.#search(`${fold}(${this.#byType(metric, statistic, period)})`, label ?? metric, period);
  }

  /** The same, a line for each type. */
  eachType(metric: MetricName, statistic: "Sum" | "p50" | "p99"): IMetric {
    return this.#search(this.#byType(metric, statistic, DRAWN_PERIOD), `${statistic} `, DRAWN_PERIOD);
  }

  /** What is counted by type, times a price: dollars in each hour. */
  costOf(metric: MetricName, dollarsEach: number): IMetric {
    const hour = Duration.hours(1);
    return this.#search(`SUM(${this.#byType(metric, "Sum", hour)}) * ${dollarsEach.toPrecision(6)}`, metric, hour);
  }

  queue({ label, name, region }: NamedQueue, metricName: string, statistic = "Maximum"): IMetric {
    const dimensionsMap = { QueueName: name };
    return new Metric({
      namespace: "AWS/SQS",
      metricName,
      dimensionsMap,
      statistic,
      period: DRAWN_PERIOD,
      region,
      label,
    });
  }

  lambda(folder: FunctionFolder, metricName: string): IMetric {
    const { config, site } = this.#props;
    return new Metric({
      namespace: "AWS/Lambda",
      metricName,
      dimensionsMap: { FunctionName: functionName(config, site, folder) },
      statistic: "Sum",
      period: DRAWN_PERIOD,
      region: folder === "event-publisher" ? config.primary.region : site.region,
      label: folder,
    });
  }

  machine(name: string, metricName: string, label: string): IMetric {
    const { config, site } = this.#props;
    const arn = stateMachineArn({ account: config.account, region: site.region }, name);
    return new Metric({
      namespace: "AWS/States",
      metricName,
      dimensionsMap: { StateMachineArn: arn },
      statistic: "Sum",
      period: DRAWN_PERIOD,
      region: site.region,
      label: `${name} ${label}`,
    });
  }

  /** The log of one of the site's functions. */
  logOf(folder: FunctionFolder): string {
    const { config, site } = this.#props;
    return `/aws/lambda/${functionName(config, site, folder)}`;
  }

  #redrivable() {
    const { config, site } = this.#props;
    return redrivableQueues(config, site, config.primary.region).filter(
      ({ name }) => name !== "replica-drift" || reportsDrift(site),
    );
  }

  #byType(metric: MetricName, statistic: string, period: Duration): string {
    const { site, replicable } = METRIC_DIMENSIONS;
    const schema = `{${METRICS_NAMESPACE},${site},${replicable}}`;
    return `SEARCH('${schema} ${site}="${this.name}" MetricName="${metric}"', '${statistic}', ${period.toSeconds()})`;
  }

  #search(expression: string, label: string, period: Duration): IMetric {
    return new MathExpression({ label, expression, usingMetrics: {}, period, searchRegion: this.region });
  }
}
