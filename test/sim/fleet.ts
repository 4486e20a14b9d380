import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import { type Calls, Invocation, type Machine } from "./calls.ts";
import type { Channel } from "./channel.ts";
import type { Dice } from "./dice.ts";
import { FUNCTION_TIMEOUT_MS } from "./faults.ts";
import type { Timeline } from "./timeline.ts";

/** What runs and ends processes. */
export interface Host {
  readonly timeline: Timeline;
  readonly calls: Calls;
  readonly trace: ((line: string) => void) | undefined;
}

/** How many processes there are that have not ended, dead ones aside. */
export class Processes {
  readonly #host: Host;
  #started = 0;
  #alive = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  get alive(): number {
    return this.#alive;
  }

  /**
   * Runs `work` as a process on a machine. `then` is called with what it returned if it ends in time; at its timeout it is
   * ended, and `then` is called with undefined. A frozen process is only believed to have ended: it goes on later, and
   * what it returns then reaches nobody.
   */
  run<Result>(
    machine: Machine,
    work: (process: Invocation) => Promise<Result>,
    then: (result: Result | undefined) => void,
  ): void {
    const { timeline, calls, trace } = this.#host;
    this.#started += 1;
    const process = new Invocation(`${machine.name}#${this.#started}`, machine, timeline.now);
    let open = true;
    const close = (result: Result | undefined): void => {
      if (!open) return;
      open = false;
      this.#alive -= 1;
      then(result);
    };
    this.#alive += 1;
    trace?.(`${process.name} starts`);
    timeline.at(process.startedAt + FUNCTION_TIMEOUT_MS, () => {
      if (!open) return;
      if (!process.zombie) process.dead = true;
      trace?.(`${process.name} is given up on`);
      close(undefined);
    });
    const ended = (result: Result | undefined, how: string): void => {
      calls.ended();
      if (open) trace?.(`${process.name} ends${how}`);
      close(result);
    };
    calls.stir();
    work(process).then(
      (result) => ended(result, ""),
      (error: unknown) => ended(undefined, `: ${String(error)}`),
    );
  }
}

/** The function that a queue feeds: as many processes at a time as it has machines. */
export class Fleet {
  readonly #host: Host;
  readonly #processes: Processes;
  readonly #channel: Channel;
  readonly #idle: Machine[];
  readonly #dice: Dice;
  readonly #work: (process: Invocation, messages: readonly ReceivedMessage[]) => Promise<ReadonlySet<string>>;
  #pollAt = Number.POSITIVE_INFINITY;

  constructor(options: {
    readonly host: Host;
    readonly processes: Processes;
    readonly channel: Channel;
    readonly machines: readonly Machine[];
    readonly dice: Dice;
    /** Returns the ids of the messages that are to come again. */
    readonly work: (process: Invocation, messages: readonly ReceivedMessage[]) => Promise<ReadonlySet<string>>;
  }) {
    this.#host = options.host;
    this.#processes = options.processes;
    this.#channel = options.channel;
    this.#idle = [...options.machines];
    this.#dice = options.dice;
    this.#work = options.work;
    this.#channel.onArrival = (at) => this.#pollBy(at + this.#dice.between(5, 400));
  }

  #pollBy(at: number): void {
    if (at >= this.#pollAt) return;
    this.#pollAt = at;
    this.#host.timeline.at(at, () => {
      if (this.#pollAt !== at) return;
      this.#pollAt = Number.POSITIVE_INFINITY;
      void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    const machine = this.#idle.pop();
    // Whoever becomes idle polls.
    if (machine === undefined) return;
    const { queue } = this.#channel;
    this.#host.calls.stir();
    const messages = await queue.receive(this.#dice.pick([1, 3, 10]));
    if (messages.length === 0) this.#idle.push(machine);
    else this.#start(machine, messages);
    this.#pollAgain();
  }

  #pollAgain(): void {
    const at = this.#channel.queue.nextVisibleAt;
    if (at !== undefined && this.#idle.length > 0) {
      this.#pollBy(Math.max(at, this.#host.timeline.now) + this.#dice.between(5, 400));
    }
  }

  #start(machine: Machine, messages: readonly ReceivedMessage[]): void {
    this.#processes.run(
      machine,
      (process) => this.#work(process, messages),
      (again) => {
        // Nobody acknowledges for a process that did not end well: its messages come back when they are visible again.
        const done = again === undefined ? [] : messages.map(({ id }) => id).filter((id) => !again.has(id));
        if (done.length > 0) void this.#channel.queue.acknowledge(done);
        this.#idle.push(machine);
        this.#pollAgain();
      },
    );
  }
}
