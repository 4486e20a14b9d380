import { parseGeoMessage } from "../../shared/geo/read-message.ts";
import { decodeKey } from "../../shared/geo/key-codec.ts";
import { parseS3Notification } from "../../shared/geo/s3-notification.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import type { MessageQueue, OutgoingMessage, SendOutcome } from "../../shared/ports/message-queue.ts";
import type { NamingChance } from "./dice.ts";
import { type Faults, FUNCTION_TIMEOUT_MS } from "./faults.ts";
import type { Timeline } from "./timeline.ts";

/** A received message stays hidden for six times the function's timeout, as the queues are deployed. */
const VISIBILITY_SECONDS = (6 * FUNCTION_TIMEOUT_MS) / 1_000;

/** How often a message is received before it goes to the dead letters: as deployed, and with `redrive`. */
const RECEIVES_MAX = 30;
const RECEIVES_MAX_EARLY = 2;

const DELAYS_MS = [30_000, 600_000, 3_600_000, 4 * 3_600_000] as const;
const COPIES_MAX = 5;

const ASKED_AGAIN_MS = 3_600_000;

/**
 * The keys that a message names; of due rows, which are found again by themselves, only where that is not so. `asked for`:
 * it is an operator's, and wants more than a look.
 */
const namedKeys = (body: string, dueToo: boolean): readonly string[] | "asked for" => {
  const own = parseGeoMessage(body);
  if ("message" in own) {
    if (own.message.kind === "geo_events") return own.message.events.map(({ payload }) => decodeKey(payload.blob_path));
    if (own.message.kind === "resync") return "asked for";
    return dueToo ? own.message.keys.map(decodeKey) : [];
  }
  const notification = parseS3Notification(body);
  return notification.kind === "changes" ? notification.changes.map(({ key }) => key) : [];
};

/** A queue with the way to it: what is sent may be repeated, overtaken, delayed or lost before it can be received. */
export class Channel implements MessageQueue {
  readonly name: string;
  readonly queue: MemoryQueue;
  readonly deadLetters: MemoryQueue;
  readonly #timeline: Timeline;
  readonly #faults: Faults;
  readonly #lost: (keys: readonly string[]) => void;
  readonly #hintedByLists: boolean;
  readonly #lossShare: number;
  /** Messages that were sent and can not be received yet. */
  #onTheWay = 0;
  /** Called when there may be something to receive at a time. */
  onArrival: (at: number) => void = () => {};

  constructor(options: {
    readonly name: string;
    readonly timeline: Timeline;
    readonly faults: Faults;
    readonly chance: NamingChance;
    /** Told of the keys whose hint was lost. */
    readonly lost: (keys: readonly string[]) => void;
    /** Whether a list of due rows may name keys that have no row: the primary is reconciled by such lists. */
    readonly hintedByLists: boolean;
    /** Share of the messages that are lost while messages are lost. */
    readonly lossShare: number;
  }) {
    const { name, timeline, faults, chance, lost, hintedByLists, lossShare } = options;
    const clock = { now: () => Math.floor(timeline.now) };
    this.name = name;
    this.#timeline = timeline;
    this.#faults = faults;
    this.#lost = lost;
    this.#hintedByLists = hintedByLists;
    this.#lossShare = lossShare;
    this.deadLetters = new MemoryQueue({ name: `${name}-dead-letters`, clock, chance });
    this.queue = new MemoryQueue({
      name,
      clock,
      chance,
      visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      deadLetters: {
        queue: this.deadLetters,
        maxReceiveCount: faults.isOn("redrive") ? RECEIVES_MAX_EARLY : RECEIVES_MAX,
      },
    });
  }

  /** Nothing is in it, on the way to it, or in its dead letters. */
  get isEmpty(): boolean {
    return this.#onTheWay === 0 && this.queue.size === 0 && this.deadLetters.size === 0;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    const sent = await Promise.all(messages.map((message) => this.#send(message)));
    return sent.find(({ outcome }) => outcome === "failed") ?? { outcome: "sent" };
  }

  /** What lies in the dead letters goes back to where it came from. */
  redrive(): number {
    const dead = this.deadLetters.export();
    this.deadLetters.import([]);
    for (const { body } of dead) void this.#arrive({ body });
    return dead.length;
  }

  async #send(message: OutgoingMessage): Promise<SendOutcome> {
    const faults = this.#faults;
    if (faults.hits("loss", this.#lossShare)) {
      const lost = namedKeys(message.body, this.#hintedByLists);
      // What an operator wants nobody else can know of: they see that nothing comes of it, and ask again.
      if (lost === "asked for") this.#later(message, ASKED_AGAIN_MS);
      else this.#lost(lost);
      return { outcome: "sent" };
    }
    if (faults.hits("duplicate", 0.08)) {
      const copies = faults.dice("duplicate").whole(1, COPIES_MAX - 1);
      for (let copy = 0; copy < copies; copy += 1) this.#later(message, faults.dice("duplicate").between(0, 900_000));
    }
    if (faults.hits("delay", 0.05)) {
      this.#later(message, faults.dice("delay").pick(DELAYS_MS) * faults.dice("delay").between(0.3, 1.2));
      return { outcome: "sent" };
    }
    if (faults.hits("reorder", 0.3)) {
      this.#later(message, faults.dice("reorder").between(0, 20_000));
      return { outcome: "sent" };
    }
    return this.#arrive(message);
  }

  /** Makes received messages visible again, as a function does that had no time for them. */
  giveBack(ids: ReadonlySet<string>): Promise<void> {
    this.queue.release([...ids]);
    return Promise.resolve();
  }

  #later(message: OutgoingMessage, delayMs: number): void {
    this.#onTheWay += 1;
    this.#timeline.at(this.#timeline.now + delayMs, () => {
      this.#onTheWay -= 1;
      void this.#arrive(message);
    });
  }

  #arrive(message: OutgoingMessage): Promise<SendOutcome> {
    const taken = this.queue.send([message]);
    this.onArrival(this.#timeline.now + (message.delaySeconds ?? 0) * 1_000);
    return taken;
  }
}
