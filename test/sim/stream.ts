import type { RowChange } from "../../shared/geo/counters.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import type { Invocation, Machine } from "./calls.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Host, Processes } from "./fleet.ts";

/** Records of a shard that are handed over at once. */
const BATCH_MAX = 100;
const WINDOW_MS = [5_000, 300_000, 3_600_000] as const;

interface StreamRecord {
  readonly shard: string;
  readonly change: RowChange;
}

/** A stream shard's lineage: records in order, with the shard that each stands in. */
interface Lineage {
  /** Grows when the shard splits or is closed: later records stand in a new shard. */
  generation: number;
  readonly records: StreamRecord[];
  busy: boolean;
  readonly machine: Machine;
}

/**
 * A table's change stream and the function that it feeds: one process at a time for each shard, in order, over and over
 * until it succeeds. A batch that succeeded may be handed over again, alone or with what follows it.
 */
export class Stream {
  readonly #name: string;
  readonly #host: Host;
  readonly #processes: Processes;
  readonly #faults: Faults;
  readonly #dice: Dice;
  readonly #lineages: readonly Lineage[];
  readonly #count: (process: Invocation, shard: string, changes: readonly RowChange[]) => Promise<void>;

  constructor(options: {
    readonly host: Host;
    readonly processes: Processes;
    readonly faults: Faults;
    readonly table: MemoryTable;
    readonly machines: readonly Machine[];
    readonly dice: Dice;
    readonly count: (process: Invocation, shard: string, changes: readonly RowChange[]) => Promise<void>;
  }) {
    this.#name = options.table.name;
    this.#host = options.host;
    this.#processes = options.processes;
    this.#faults = options.faults;
    this.#dice = options.dice;
    this.#count = options.count;
    this.#lineages = options.machines.map((machine) => ({ generation: 0, records: [], busy: false, machine }));
    options.table.onChange(({ sequenceNumber, key, before, after }) => {
      const lineage = this.#lineages[key.pk.charCodeAt(key.pk.length - 1) % this.#lineages.length];
      if (lineage === undefined) return;
      if (this.#faults.hits("redelivery", 0.02)) lineage.generation += 1;
      lineage.records.push({
        shard: `${this.#name}-${lineage.machine.name}-${lineage.generation}`,
        change: {
          sequenceNumber: String(sequenceNumber),
          changedAt: Math.floor(this.#host.timeline.now),
          ...(before && { before }),
          ...(after && { after }),
        },
      });
      this.#soon(lineage);
    });
  }

  /** Everything has been counted. */
  get isEmpty(): boolean {
    return this.#lineages.every(({ records }) => records.length === 0);
  }

  #soon(lineage: Lineage): void {
    if (lineage.busy || lineage.records.length === 0) return;
    lineage.busy = true;
    this.#host.timeline.at(this.#host.timeline.now + this.#dice.pick(WINDOW_MS) * this.#dice.between(0.5, 1), () =>
      this.#start(lineage),
    );
  }

  #start(lineage: Lineage): void {
    const shard = lineage.records[0]?.shard ?? "";
    const other = lineage.records.findIndex((record) => record.shard !== shard);
    const inShard = other < 0 ? lineage.records.length : other;
    const size = Math.min(
      inShard,
      this.#faults.isOn("redelivery") && this.#faults.active ? this.#dice.pick([1, 5, BATCH_MAX]) : BATCH_MAX,
    );
    const batch = lineage.records.slice(0, size).map(({ change }) => change);
    this.#processes.run(
      lineage.machine,
      (process) => this.#count(process, shard, batch).then(() => true),
      (done) => {
        lineage.busy = false;
        if (done === true && !this.#faults.hits("redelivery", 0.1)) lineage.records.splice(0, size);
        this.#soon(lineage);
      },
    );
  }
}
