import type { DestroySlice, ReadSlice } from "../../tables/site/destroy-record.ts";

/**
 * What the slices of a destroy come to. Exact under any repetition: each slice says once what became of it, and nothing is
 * added up but this.
 */
export interface SliceSums {
  readonly slicesTold: number;
  readonly hidden: number;
  readonly hiddenBytes: number;
  readonly kept: number;
  readonly gone: number;
  readonly failed: number;
  readonly events: number;
  readonly restored: number;
  readonly notRestored: number;
  readonly undoFailed: number;
  /** Objects that are hidden, or may be, in slices that no undo has been through. */
  readonly notUndone: number;
  /** Slices of which a secondary holds nothing any more, by its name. */
  readonly followed: ReadonlyMap<string, number>;
}

/** What of a slice is hidden, or may be: somebody who began to hide may have done so without writing it down. */
const maybeHidden = (slice: DestroySlice): number => {
  if (slice.slice_state === "frozen") return 0;
  return slice.slice_state === "hiding"
    ? slice.object_count - slice.kept_count - slice.gone_count
    : slice.hidden_count + slice.failed_count;
};

export const sumSlices = async (slices: AsyncIterable<ReadSlice>): Promise<SliceSums> => {
  const sums = {
    slicesTold: 0,
    hidden: 0,
    hiddenBytes: 0,
    kept: 0,
    gone: 0,
    failed: 0,
    events: 0,
    restored: 0,
    notRestored: 0,
    undoFailed: 0,
    notUndone: 0,
  };
  const followed = new Map<string, number>();
  for await (const { slice } of slices) {
    if (slice.slice_state === "told") sums.slicesTold += 1;
    sums.hidden += slice.hidden_count;
    sums.hiddenBytes += slice.hidden_bytes;
    sums.kept += slice.kept_count;
    sums.gone += slice.gone_count;
    sums.failed += slice.failed_count;
    sums.events += slice.event_count;
    sums.restored += slice.restored_count;
    sums.notRestored += slice.not_restored_count;
    sums.undoFailed += slice.undo_failed_count;
    if (slice.undo_state !== "done") sums.notUndone += maybeHidden(slice);
    for (const name of slice.followed_by) followed.set(name, (followed.get(name) ?? 0) + 1);
  }
  return { ...sums, followed };
};
