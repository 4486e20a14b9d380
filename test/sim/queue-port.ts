import type { MessageQueue, OutgoingMessage, SendOutcome } from "../../shared/ports/message-queue.ts";
import type { Invocation } from "./calls.ts";
import type { Wires } from "./ports.ts";

/** A queue or a topic as a process sends to it. */
export class QueuePort implements MessageQueue {
  readonly name: string;
  readonly #wires: Wires;
  readonly #process: Invocation;
  readonly #queue: MessageQueue;

  constructor(wires: Wires, process: Invocation, queue: MessageQueue) {
    this.name = queue.name;
    this.#wires = wires;
    this.#process = process;
    this.#queue = queue;
  }

  send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    const none = (reason: string): Promise<SendOutcome> =>
      Promise.resolve({ outcome: "failed", failed: messages.map((_, place) => place), reason });
    this.#wires.watch.sends(this.#process, this.name, messages);
    return this.#wires.calls.call(this.#process, {
      port: "queue",
      what: () => `send ${messages.length} to ${this.name}`,
      carryOut: async () => {
        const { faults } = this.#wires;
        if (!faults.hits("partial_batch", 0.05)) return this.#queue.send(messages);
        const dice = faults.dice("partial_batch");
        // Some are taken, and some of those are said not to be.
        const taken = messages.filter(() => dice.hits(0.5));
        const sent = taken.length === 0 ? undefined : await this.#queue.send(taken);
        const lost = messages.flatMap((message, place) => (!taken.includes(message) || dice.hits(0.3) ? [place] : []));
        if (lost.length === 0) return sent ?? { outcome: "sent" };
        return { outcome: "failed", failed: lost, reason: "simulated" };
      },
      refuse: none,
    });
  }
}
