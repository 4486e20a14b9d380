import type { DeadLetter, DeadLetters } from "../ports/dead-letters.ts";
import type { MemoryQueue } from "./queue.ts";

/** The dead letters of a queue in memory. For how long they are hidden is the queue's to say. */
export class MemoryDeadLetters implements DeadLetters {
  readonly name: string;
  readonly #queue: MemoryQueue;

  constructor(queue: MemoryQueue) {
    this.name = queue.name;
    this.#queue = queue;
  }

  count(): Promise<number> {
    return Promise.resolve(this.#queue.size);
  }

  async receive(): Promise<readonly DeadLetter[]> {
    const groups = new Map(this.#queue.export().map(({ id, group }) => [id, group]));
    return (await this.#queue.receive()).map(({ id, body }) => {
      const group = groups.get(id);
      return { id, body, receipt: id, ...(group === undefined ? {} : { group }) };
    });
  }

  remove(receipts: readonly string[]): Promise<void> {
    return this.#queue.acknowledge(receipts);
  }
}
