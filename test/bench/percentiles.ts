/** Half, nearly all and all of some durations. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

/** By nearest rank: each is one of the values. NaN of none. */
export const percentiles = (values: readonly number[]): Percentiles => {
  const sorted = values.toSorted((left, right) => left - right);
  return { p50: at(sorted, 0.5), p99: at(sorted, 0.99), max: at(sorted, 1) };
};
