import type { MemoryTable } from "../../shared/memory/table.ts";
import type { Invocation, Machine } from "./calls.ts";
import type { Host, Processes } from "./fleet.ts";
import { isDue, type Oracle } from "./oracle.ts";

/**
 * The scheduler's minute, with the empty minutes left out: a sweep that would find nothing changes nothing, so the next
 * one comes when the first row is due, by the clock of the machine that sweeps.
 */
export class Sweeper {
  readonly #host: Host;
  readonly #processes: Processes;
  readonly #oracle: Oracle;
  readonly #table: MemoryTable;
  readonly #machine: Machine;
  readonly #everyMs: number;
  readonly #sweep: (process: Invocation) => Promise<void>;
  #at = Number.POSITIVE_INFINITY;
  #last = 0;
  #sweeping = false;

  constructor(options: {
    readonly host: Host;
    readonly processes: Processes;
    readonly oracle: Oracle;
    readonly table: MemoryTable;
    readonly machine: Machine;
    /** The least time between two sweeps, milliseconds. */
    readonly everyMs: number;
    readonly sweep: (process: Invocation) => Promise<void>;
  }) {
    this.#host = options.host;
    this.#processes = options.processes;
    this.#oracle = options.oracle;
    this.#table = options.table;
    this.#machine = options.machine;
    this.#everyMs = options.everyMs;
    this.#sweep = options.sweep;
    this.#table.onChange(({ after }) => {
      if (isDue(after) && typeof after?.["due_at"] === "number") this.#by(after["due_at"]);
    });
  }

  #by(dueAt: number): void {
    if (this.#sweeping) return;
    const at = Math.max(dueAt - this.#machine.skewMs + 1, this.#last + this.#everyMs);
    if (at >= this.#at) return;
    this.#at = at;
    this.#host.timeline.at(at, () => {
      if (this.#at === at) this.#start();
    });
  }

  #start(): void {
    this.#at = Number.POSITIVE_INFINITY;
    this.#sweeping = true;
    this.#last = this.#host.timeline.now;
    this.#processes.run(
      this.#machine,
      (process) => this.#sweep(process),
      () => {
        this.#sweeping = false;
        for (const { due_at: dueAt } of this.#oracle.due(this.#table).values()) {
          if (typeof dueAt === "number") this.#by(dueAt);
        }
      },
    );
  }
}
