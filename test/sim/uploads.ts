import { COPY_LIMITS, type CopyLimits } from "../../shared/geo/copy-limits.ts";
import type { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import type { PendingUpload } from "../../shared/ports/object-store.ts";
import { sweepUploads } from "../../shared/services/sweep-uploads.ts";
import type { Plan } from "./plan.ts";
import { SILENT } from "./telemetry.ts";
import type { World } from "./world.ts";

/** Parts of five bytes: the longest content of these worlds has four. */
const SMALL_PARTS: CopyLimits = {
  singleCopyBytesMax: 0,
  parts: { usualBytes: 5, leastBytes: 5, mostBytes: 10, granuleBytes: 1, partsMax: 10, objectBytesMax: 1_000 },
  partsInFlight: 2,
  partsInFlightBeside: 1,
  partsPerStep: 2,
};

/** How objects are copied in a world, by their size. */
export const copyLimitsOf = ({ wholeBytesMax }: Plan): CopyLimits =>
  wholeBytesMax === undefined ? COPY_LIMITS : { ...SMALL_PARTS, singleCopyBytesMax: wholeBytesMax };

/** Uploads that are under way, and the sweep of those that nobody goes on with. */
export class Uploads {
  readonly #world: World;
  readonly #replica: MemoryReplicaBucket;
  readonly #isSwept: boolean;

  constructor(world: World, replica: MemoryReplicaBucket, isSwept: boolean) {
    this.#world = world;
    this.#replica = replica;
    this.#isSwept = isSwept;
  }

  get open(): readonly PendingUpload[] {
    return this.#replica.openUploads;
  }

  /** What happens once a day, and at the end more often. */
  async sweep(): Promise<void> {
    if (!this.#isSwept || this.open.length === 0) return;
    const { registry, replicables, timeline } = this.#world;
    const clock = { now: () => Math.floor(timeline.now) };
    await sweepUploads({
      replica: this.#replica,
      registry,
      replicables,
      clock,
      telemetry: SILENT,
      stopAt: Number.POSITIVE_INFINITY,
    });
  }
}
