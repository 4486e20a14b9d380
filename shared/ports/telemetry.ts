/** The fields of a structured log line. Never an object's metadata values, a token or a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Logs and metrics. Implementations must not throw: telemetry never breaks replication. */
export interface Telemetry {
  /** Not written unless a function's log level says so (`POWERTOOLS_LOG_LEVEL`): for what would double the log. */
  debug(event: string, fields: LogFields): void;
  info(event: string, fields: LogFields): void;
  warn(event: string, fields: LogFields): void;
  error(event: string, fields: LogFields): void;
  /** Adds to a metric of `shared/geo/metrics.ts`. `replicable` is its only dimension beside the site. */
  count(metric: string, value: number, replicable?: string): void;
  /** Notes how much of something there is now. */
  gauge(metric: string, value: number, replicable?: string): void;
  /** Records a duration in milliseconds. */
  duration(metric: string, milliseconds: number, replicable?: string): void;
}
