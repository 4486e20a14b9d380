import { Histogram } from "prom-client";
import type { LagHistogram } from "../../../shared/geo/type-summary.ts";
import type { Described } from "./gauges-of-geo.ts";

type Told = Awaited<ReturnType<Histogram["get"]>>;

/** A histogram that was counted elsewhere, with the labels that it goes under. */
export interface LabelledHistogram {
  readonly labels: Readonly<Record<string, string>>;
  readonly histogram: LagHistogram;
}

/**
 * A histogram whose observations were counted elsewhere: prom-client's own can only be observed into. It has all that the
 * format asks of one: cumulative buckets, one of them without a bound, the sum and the count. Register it by
 * `registry.registerMetric`.
 */
export class CountedHistogram extends Histogram {
  readonly #family: Described;
  readonly #members: readonly LabelledHistogram[];

  constructor(family: Described, members: readonly LabelledHistogram[]) {
    super({ ...family, registers: [] });
    this.#family = family;
    this.#members = members;
  }

  override async get(): Promise<Told> {
    return this.getForPromString();
  }

  /** What the registry asks of a histogram for its text; prom-client's declarations do not tell of it. */
  getForPromString(): Promise<Told> {
    const { name } = this.#family;
    const values = this.#members.flatMap(({ labels, histogram }) => [
      ...histogram.buckets.map(({ upToSeconds, count }) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le: upToSeconds },
        value: count,
      })),
      { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: histogram.count },
      { metricName: `${name}_sum`, labels, value: histogram.sumSeconds },
      { metricName: `${name}_count`, labels, value: histogram.count },
    ]);
    const told = { ...this.#family, type: "histogram", aggregator: "sum", collect: () => {}, values };
    // The type is a text at run time, and declared as an enumeration that there is not.
    return Promise.resolve(told as unknown as Told);
  }
}
