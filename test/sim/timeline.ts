/** Something that will happen, and when. */
interface Happening {
  readonly at: number;
  /** Tells apart what happens at the same time: first said, first done. */
  readonly order: number;
  readonly run: () => void;
}

const precedes = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/**
 * Virtual time: a heap of what will happen. Time jumps from one happening to the next, so that an idle day costs nothing,
 * and two runs in which the same is said in the same order are the same run.
 */
export class Timeline {
  #now: number;
  #order = 0;
  readonly #heap: Happening[] = [];

  /** @param startMs milliseconds since the epoch */
  constructor(startMs: number) {
    this.#now = startMs;
  }

  /** The time that no machine knows; milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** How many things are to happen. */
  get size(): number {
    return this.#heap.length;
  }

  /** When the next thing happens; undefined when nothing will. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Has `run` happen at `at`, or now if that is past. */
  at(at: number, run: () => void): void {
    this.#order += 1;
    this.#push({ at: Math.max(at, this.#now), order: this.#order, run });
  }

  /** Lets time pass to the next thing and lets it happen; false when there is none. */
  step(): boolean {
    const next = this.#pop();
    if (next === undefined) return false;
    this.#now = next.at;
    next.run();
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Happening;
      if (!precedes(happening, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && precedes(heap[below + 1] as Happening, heap[below] as Happening)) below += 1;
      const child = heap[below] as Happening;
      if (!precedes(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}
