import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { METRICS_NAMESPACE } from "../geo/metrics.ts";
import type { LogFields, Telemetry } from "../ports/telemetry.ts";

export interface PowertoolsTelemetryOptions {
  /** Stands on every line and is a dimension of every metric. */
  readonly siteName: string;
  /** The function's folder, for example `event-consumer`; stands on every line as `service`. */
  readonly service: string;
}

/** Logs and metrics as JSON lines on stdout, from which CloudWatch takes both. */
export class PowertoolsTelemetry implements Telemetry {
  readonly #siteName: string;
  readonly #service: string;
  readonly #logger: Logger;
  /** A line of metrics has one set of dimensions; hence one collector for each replicable, and one for none. */
  readonly #collectors = new Map<string | undefined, Metrics>();

  constructor({ siteName, service }: PowertoolsTelemetryOptions) {
    this.#siteName = siteName;
    this.#service = service;
    this.#logger = new Logger({ serviceName: service, persistentKeys: { site_name: siteName } });
  }

  debug(event: string, fields: LogFields): void {
    quietly(() => this.#logger.debug(event, { ...fields }));
  }

  info(event: string, fields: LogFields): void {
    quietly(() => this.#logger.info(event, { ...fields }));
  }

  warn(event: string, fields: LogFields): void {
    quietly(() => this.#logger.warn(event, { ...fields }));
  }

  error(event: string, fields: LogFields): void {
    quietly(() => this.#logger.error(event, { ...fields }));
  }

  count(metric: string, value: number, replicable?: string): void {
    quietly(() => this.#collector(replicable).addMetric(metric, MetricUnit.Count, value));
  }

  gauge(metric: string, value: number, replicable?: string): void {
    quietly(() => this.#collector(replicable).addMetric(metric, unitOf(metric), value));
  }

  duration(metric: string, milliseconds: number, replicable?: string): void {
    quietly(() => this.#collector(replicable).addMetric(metric, MetricUnit.Milliseconds, milliseconds));
  }

  /** Writes out what was counted. To be called at the end of every invocation. */
  flush(): void {
    for (const metrics of this.#collectors.values()) {
      quietly(() => {
        if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
      });
    }
  }

  #collector(replicable: string | undefined): Metrics {
    const known = this.#collectors.get(replicable);
    if (known !== undefined) return known;
    const made = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: this.#service });
    // Powertools puts the service among the dimensions; figures of a site are to be summed over its functions.
    made.clearDefaultDimensions();
    made.setDefaultDimensions({
      site_name: this.#siteName,
      ...(replicable === undefined ? {} : { replicable_name: replicable }),
    });
    this.#collectors.set(replicable, made);
    return made;
  }
}

/** What a gauge is measured in: its name says it. */
const unitOf = (metric: string) => (metric.endsWith("Age") ? MetricUnit.Seconds : MetricUnit.Count);

/** Telemetry never breaks replication: a line that can not be written is given up. */
const quietly = (write: () => unknown): void => {
  try {
    write();
  } catch {
    // Nothing is left to report it with.
  }
};
