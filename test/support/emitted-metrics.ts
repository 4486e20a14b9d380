import process from "node:process";
import { vi } from "vitest";
import * as z from "zod";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { MemoryTelemetry } from "../../shared/memory/telemetry.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Datapoint } from "./alarm-evaluator.ts";

const EmbeddedMetrics = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
});

const Values = z.union([z.number().transform((one) => [one]), z.array(z.number())]);

/** The datapoints of a line in embedded metric format, as CloudWatch takes them from it. */
const datapointsOf = (line: unknown, at: number): readonly Datapoint[] => {
  const parsed = EmbeddedMetrics.safeParse(line);
  if (!parsed.success) return [];
  const { _aws: embedded, ...members } = parsed.data;
  return embedded.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.flatMap(({ Name: metric }) =>
        Values.parse(members[metric]).map((value) => ({
          namespace,
          metric,
          dimensions: Object.fromEntries(names.map((name) => [name, String(members[name])])),
          value,
          at,
        })),
      ),
    ),
  );
};

/**
 * Telemetry that a world's services are given, and that writes what the deployed functions write: lines of embedded metrics
 * by Powertools, which are read back from standard output as CloudWatch reads them.
 */
export class EmittingTelemetry extends MemoryTelemetry {
  readonly #clock: Clock;
  readonly #written: PowertoolsTelemetry;
  readonly #points: Datapoint[] = [];

  constructor(siteName: string, clock: Clock) {
    super();
    this.#clock = clock;
    this.#written = new PowertoolsTelemetry({ siteName, service: "a-test" });
  }

  override count(metric: string, value: number, replicable?: string): void {
    super.count(metric, value, replicable);
    this.#emit(() => this.#written.count(metric, value, replicable));
  }

  override gauge(metric: string, value: number, replicable?: string): void {
    super.gauge(metric, value, replicable);
    this.#emit(() => this.#written.gauge(metric, value, replicable));
  }

  override duration(metric: string, milliseconds: number, replicable?: string): void {
    super.duration(metric, milliseconds, replicable);
    this.#emit(() => this.#written.duration(metric, milliseconds, replicable));
  }

  /** Everything that was emitted so far, with the time at which it was. */
  get points(): readonly Datapoint[] {
    return this.#points;
  }

  #emit(record: () => void): void {
    const at = this.#clock.now();
    const output = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      for (const line of String(text).trim().split("\n")) this.#points.push(...datapointsOf(JSON.parse(line), at));
      return true;
    });
    try {
      record();
      this.#written.flush();
    } finally {
      output.mockRestore();
    }
  }
}
