import type { Chance, Clock } from "../ports/clock.ts";
import type { MessageQueue, OutgoingMessage, ReceivedMessage, SendOutcome } from "../ports/message-queue.ts";
import type { QueueCounts, QueueGauge } from "../ports/queue-gauge.ts";
import { interfered, type Interference } from "./interference.ts";

/** Limits of SQS (API reference, SendMessage). */
const BODY_BYTES_MAX = 1024 * 1024;
const DELAY_SECONDS_MAX = 900;
const RECEIVE_MAX = 10;

/** Anything outside of what XML 1.0 can carry; a lone surrogate is such a character, too. */
const UNSENDABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** A call to the queue, as its interference sees it. */
export type QueueOperation =
  | { readonly kind: "send"; readonly messages: readonly OutgoingMessage[] }
  | { readonly kind: "receive"; readonly max: number }
  | { readonly kind: "acknowledge"; readonly ids: readonly string[] };

export interface MemoryQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** How long a received message stays hidden, in seconds. Default 30, as in SQS. */
  readonly visibilityTimeoutSeconds?: number;
  /** Where a message goes that was received `maxReceiveCount` times without being acknowledged. */
  readonly deadLetters?: { readonly queue: MemoryQueue; readonly maxReceiveCount: number };
  readonly interference?: Interference<QueueOperation>;
}

interface QueuedMessage extends ReceivedMessage {
  readonly group: string | undefined;
  /** Milliseconds since the epoch. */
  readonly visibleAt: number;
}

/** Everything that a queue holds; plain data. */
export type QueueState = readonly QueuedMessage[];

/**
 * A standard queue in memory: visibility by the clock, receive counts, dead letters. It hands messages over in the order
 * of arrival, which SQS does not promise; a simulation shuffles by its own chance. As in SQS's fair queues, a group of
 * which fewer messages are under way than of another goes first, however many of the other have waited longer.
 */
export class MemoryQueue implements MessageQueue, QueueGauge {
  readonly name: string;
  /** Replaceable at any time; undefined lets every call through. */
  interference: Interference<QueueOperation> | undefined;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #visibilityTimeoutMs: number;
  readonly #deadLetters: MemoryQueueOptions["deadLetters"];
  #messages = new Map<string, QueuedMessage>();

  constructor(options: MemoryQueueOptions) {
    this.name = options.name;
    this.interference = options.interference;
    this.#clock = options.clock;
    this.#chance = options.chance;
    this.#visibilityTimeoutMs = (options.visibilityTimeoutSeconds ?? 30) * 1_000;
    this.#deadLetters = options.deadLetters;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    const refused = refusals(messages);
    try {
      await interfered(this.interference, { kind: "send", messages }, () => {
        for (const [position, message] of messages.entries()) {
          if (!refused.has(position)) this.#enqueue(message);
        }
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { outcome: "failed", failed: messages.map((_message, position) => position), reason };
    }
    if (refused.size === 0) return { outcome: "sent" };
    return { outcome: "failed", failed: [...refused.keys()], reason: [...refused.values()].join("; ") };
  }

  /** Up to `max` (at most 10) messages that are visible now; they stay hidden until acknowledged or timed out. */
  async receive(max: number = RECEIVE_MAX): Promise<readonly ReceivedMessage[]> {
    return interfered(this.interference, { kind: "receive", max }, () => {
      this.#buryDead();
      const now = this.#clock.now();
      const received: ReceivedMessage[] = [];
      const underWay = this.#underWay(now);
      while (received.length < Math.min(max, RECEIVE_MAX)) {
        const message = this.#next(now, underWay);
        if (message === undefined) break;
        const { id, body, group } = message;
        underWay.set(group, (underWay.get(group) ?? 0) + 1);
        const receiveCount = message.receiveCount + 1;
        this.#messages.set(id, { ...message, receiveCount, visibleAt: now + this.#visibilityTimeoutMs });
        received.push({ id, body, receiveCount });
      }
      return received;
    });
  }

  /** Takes messages off the queue for good; unknown ids are ignored. */
  async acknowledge(ids: readonly string[]): Promise<void> {
    return interfered(this.interference, { kind: "acknowledge", ids }, () => {
      for (const id of ids) this.#messages.delete(id);
    });
  }

  /** Makes received messages visible again at once; unknown ids are ignored. */
  release(ids: readonly string[]): void {
    for (const id of ids) {
      const message = this.#messages.get(id);
      if (message !== undefined) this.#messages.set(id, { ...message, visibleAt: this.#clock.now() });
    }
  }

  measure(): Promise<QueueCounts> {
    const hidden = this.export().filter(({ visibleAt }) => visibleAt > this.#clock.now());
    const inFlight = hidden.filter(({ receiveCount }) => receiveCount > 0).length;
    const delayed = hidden.length - inFlight;
    return Promise.resolve({ waiting: this.size - hidden.length, inFlight, delayed });
  }

  /** How many messages could be received now. */
  get visible(): number {
    this.#buryDead();
    const now = this.#clock.now();
    return this.export().filter(({ visibleAt }) => visibleAt <= now).length;
  }

  /** How many messages there are: visible, hidden and delayed. */
  get size(): number {
    return this.#messages.size;
  }

  /** When the next message becomes visible, milliseconds since the epoch; undefined when the queue is empty. */
  get nextVisibleAt(): number | undefined {
    let at: number | undefined;
    for (const { visibleAt } of this.#messages.values()) if (at === undefined || visibleAt < at) at = visibleAt;
    return at;
  }

  /** Bodies of all messages, oldest first; for assertions. */
  get bodies(): readonly string[] {
    return this.export().map(({ body }) => body);
  }

  /** A snapshot, oldest message first. */
  export(): QueueState {
    return [...this.#messages.values()];
  }

  /** Goes back to a snapshot. */
  import(state: QueueState): void {
    this.#messages = new Map(state.map((message) => [message.id, message]));
  }

  /** How many messages of each group somebody has received and not yet acknowledged. */
  #underWay(now: number): Map<string | undefined, number> {
    const underWay = new Map<string | undefined, number>();
    for (const { group, receiveCount, visibleAt } of this.#messages.values()) {
      if (receiveCount > 0 && visibleAt > now) underWay.set(group, (underWay.get(group) ?? 0) + 1);
    }
    return underWay;
  }

  /** The oldest visible message of a group that has the fewest under way. */
  #next(now: number, underWay: ReadonlyMap<string | undefined, number>): QueuedMessage | undefined {
    let next: QueuedMessage | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const message of this.#messages.values()) {
      const ofGroup = underWay.get(message.group) ?? 0;
      if (message.visibleAt > now || ofGroup >= fewest) continue;
      [next, fewest] = [message, ofGroup];
      if (fewest === 0) break;
    }
    return next;
  }

  #enqueue({ body, group, delaySeconds = 0 }: OutgoingMessage): void {
    const id = this.#chance.token();
    const visibleAt = this.#clock.now() + delaySeconds * 1_000;
    this.#messages.set(id, { id, body, group, receiveCount: 0, visibleAt });
  }

  /** SQS moves a message away when it would be received once more than allowed. */
  #buryDead(): void {
    if (this.#deadLetters === undefined) return;
    const { queue, maxReceiveCount } = this.#deadLetters;
    const now = this.#clock.now();
    for (const message of this.#messages.values()) {
      if (message.visibleAt > now || message.receiveCount < maxReceiveCount) continue;
      this.#messages.delete(message.id);
      queue.#messages.set(message.id, { ...message, receiveCount: 0 });
    }
  }
}

/** Why SQS would refuse a message; undefined when it takes it. */
const refusal = ({ body, delaySeconds = 0 }: OutgoingMessage): string | undefined => {
  const bytes = Buffer.byteLength(body);
  if (bytes < 1 || bytes > BODY_BYTES_MAX) return `a body takes 1 to ${BODY_BYTES_MAX} bytes, got ${bytes}`;
  const unsendable = UNSENDABLE.exec(body)?.[0];
  if (unsendable !== undefined) {
    return `a body takes XML characters, got U+${unsendable.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  }
  if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > DELAY_SECONDS_MAX) {
    return `a delay takes 0 to ${DELAY_SECONDS_MAX} whole seconds, got ${delaySeconds}`;
  }
  return undefined;
};

const refusals = (messages: readonly OutgoingMessage[]): ReadonlyMap<number, string> =>
  new Map(
    messages.flatMap((message, position) => {
      const reason = refusal(message);
      return reason === undefined ? [] : [[position, reason] as const];
    }),
  );
