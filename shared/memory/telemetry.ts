import type { LogFields, Telemetry } from "../ports/telemetry.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps what was logged and counted, for assertions. */
export class MemoryTelemetry implements Telemetry {
  readonly #lines: LogLine[] = [];
  readonly #debugLines: LogLine[] = [];
  readonly #values = new Map<string, number[]>();

  debug(event: string, fields: LogFields): void {
    this.#debugLines.push({ level: "debug", event, fields });
  }

  info(event: string, fields: LogFields): void {
    this.#lines.push({ level: "info", event, fields });
  }

  warn(event: string, fields: LogFields): void {
    this.#lines.push({ level: "warn", event, fields });
  }

  error(event: string, fields: LogFields): void {
    this.#lines.push({ level: "error", event, fields });
  }

  count(metric: string, value: number, replicable?: string): void {
    this.#record(metric, value, replicable);
  }

  gauge(metric: string, value: number, replicable?: string): void {
    this.#record(metric, value, replicable);
  }

  duration(metric: string, milliseconds: number, replicable?: string): void {
    this.#record(metric, milliseconds, replicable);
  }

  /** Lines that are not written unless a function's log level says so, oldest first. */
  get debugLines(): readonly LogLine[] {
    return this.#debugLines;
  }

  /** Every other line so far, oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Lines of one event. */
  linesOf(event: string): readonly LogLine[] {
    return this.#lines.filter((line) => line.event === event);
  }

  /** Every value of a metric; of one replicable, or over all of them. */
  values(metric: string, replicable?: string): readonly number[] {
    if (replicable !== undefined) return this.#values.get(seriesOf(metric, replicable)) ?? [];
    return [...this.#values].flatMap(([series, values]) => (series.startsWith(`${metric}\n`) ? values : []));
  }

  /** The sum of a metric's values. */
  total(metric: string, replicable?: string): number {
    return this.values(metric, replicable).reduce((sum, value) => sum + value, 0);
  }

  #record(metric: string, value: number, replicable: string | undefined): void {
    const series = seriesOf(metric, replicable);
    const values = this.#values.get(series);
    if (values === undefined) this.#values.set(series, [value]);
    else values.push(value);
  }
}

const seriesOf = (metric: string, replicable: string | undefined): string => `${metric}\n${replicable ?? ""}`;
