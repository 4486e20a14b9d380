import type { Dice } from "./dice.ts";
import { type Faults, LANDS_WITHIN_MS, type Port, type Refusal } from "./faults.ts";
import type { Timeline } from "./timeline.ts";

/** A machine that runs one invocation at a time, with a clock of its own. */
export interface Machine {
  readonly name: string;
  /** How far its clock is ahead, milliseconds. */
  skewMs: number;
}

/** One run of one function: a process that may die or freeze between any two of its calls. */
export class Invocation {
  readonly name: string;
  readonly machine: Machine;
  readonly startedAt: number;
  /** Nothing reaches it any more, and nothing comes from it. What it had sent may still land. */
  dead = false;
  /** It froze once: whoever ended it at its timeout only believes so. */
  zombie = false;
  frozenUntil = 0;

  constructor(name: string, machine: Machine, startedAt: number) {
    this.name = name;
    this.machine = machine;
    this.startedAt = startedAt;
  }

  /** When what it sent has certainly landed. */
  get landsUntil(): number {
    return this.startedAt + LANDS_WITHIN_MS;
  }
}

/** One call to a port. */
export interface Call<Answer> {
  readonly port: Port;
  /** What is asked, in words, for the trace: nobody puts it into words where nobody traces. */
  readonly what: () => string;
  /** Carries it out, in one go, whenever that is. */
  readonly carryOut: () => Promise<Answer>;
  /** The answer of a service that does not do it. */
  readonly refuse: (refusal: Refusal) => Promise<Answer>;
  /** For a write to S3 whose end nobody sees: the rest of it is handed to `land`. */
  readonly unanswered?: (land: (rest: () => void) => void) => Promise<Answer>;
  /** For a write to a table: it may arrive twice, and its answer may get lost. */
  readonly repeatable?: boolean;
}

/** Milliseconds that a call takes, from and to. */
const LATENCY_MS: Readonly<Record<Port, readonly [number, number]>> = {
  primary_bucket: [20, 120],
  replica_bucket: [20, 400],
  registry: [2, 15],
  verification_state: [2, 15],
  site_table: [2, 15],
  queue: [5, 30],
};

const LATE_MS = [5_000, 90_000, 600_000, 2_400_000] as const;
const SLOW_MS = [2_000, 15_000, 50_000, 130_000, 300_000] as const;
const FROZEN_MS = [30_000, 130_000, 600_000, 1_800_000, 3_000_000] as const;

/** How much later than the first the second of two equal writes arrives at most: the client's own timeout and retry. */
const RETRIED_WITHIN_MS = 30_000;

/** Waiting for this lets everything that can go on without a call take one turn. */
const TURN = Promise.resolve();

const ignore = (): void => {};

type Resolve<Answer> = (answer: Promise<Answer>) => void;

/**
 * The scheduler: every call to a port waits here, and which one goes on next is decided by when it is to land. Between
 * two calls a process runs alone, as the JavaScript that it is; a process that dies is one whose calls are never answered.
 */
export class Calls {
  readonly #timeline: Timeline;
  readonly #faults: Faults;
  readonly #latency: Dice;
  readonly #trace: ((line: string) => void) | undefined;
  #made = 0;
  /** Calls that have not landed yet, answered or not. */
  #underWay = 0;
  #activity = 0;
  #stirred = false;

  constructor(timeline: Timeline, faults: Faults, latency: Dice, trace: ((line: string) => void) | undefined) {
    this.#timeline = timeline;
    this.#faults = faults;
    this.#latency = latency;
    this.#trace = trace;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** How many calls processes have made. */
  get made(): number {
    return this.#made;
  }

  /** To be called when something that is not a call has set code going: a start, or an end. */
  stir(): void {
    this.#stirred = true;
  }

  /** Notes that a process has come to its end. */
  ended(): void {
    this.#activity += 1;
  }

  /** Lets all code that was set going run until it waits for its next call. */
  async settle(): Promise<void> {
    if (!this.#stirred) return;
    this.#stirred = false;
    // Code that goes on makes its next call within a few turns; code that has no next call is given the most it can need.
    const before = this.#activity;
    for (let turn = 0; turn < 40 && this.#activity === before; turn += 1) await TURN;
    for (let turn = 0; turn < 4; turn += 1) await TURN;
  }

  /** Makes a call on behalf of a process. The answer may never come. */
  call<Answer>(process: Invocation, call: Call<Answer>): Promise<Answer> {
    this.#activity += 1;
    this.#made += 1;
    const now = this.#timeline.now;
    return new Promise((resolve) => {
      if (process.dead) return;
      if (now > process.landsUntil) {
        process.dead = true;
        return;
      }
      this.#decide(process, call, now, resolve);
    });
  }

  #decide<Answer>(process: Invocation, call: Call<Answer>, now: number, resolve: Resolve<Answer>): void {
    const faults = this.#faults;
    const [low, high] = LATENCY_MS[call.port];
    let landsAt = now + this.#latency.between(low, high);
    // What is written to S3 can not be taken back by a condition on a row: there faults are sought.
    const grave = call.unanswered !== undefined;
    if (faults.hits("slow", grave ? 0.05 : 0.015)) landsAt += faults.dice("slow").pick(SLOW_MS);
    landsAt = Math.min(landsAt, process.landsUntil);

    const refusal = faults.refusal(call.port, now);
    if (refusal !== undefined) {
      this.#at(landsAt, () => this.#answer(process, this.#note(process, call, refusal, call.refuse(refusal)), resolve));
    } else if (faults.hits("crash", grave ? 0.1 : 0.01)) {
      this.#crash(process, call, now, landsAt);
    } else if (faults.hits("zombie", grave ? 0.06 : 0.008)) {
      this.#freeze(process, call, now, landsAt, resolve);
    } else if (grave && faults.hits("unanswered", 0.15)) {
      this.#leaveUnanswered(process, call, now, landsAt, resolve);
    } else if (call.repeatable === true && faults.hits("table_answers", 0.02)) {
      this.#repeat(process, call, landsAt, resolve);
    } else {
      this.#at(landsAt, () => this.#answer(process, this.#carryOut(process, call), resolve));
    }
  }

  /** The process is gone. What it was about to ask was not sent, is under way, or is carried out before its end. */
  #crash<Answer>(process: Invocation, call: Call<Answer>, now: number, landsAt: number): void {
    const sent = this.#faults.dice("crash").pick(["not sent", "under way", "carried out"]);
    this.#trace?.(`${process.name} dies, ${sent}: ${call.what()}`);
    if (sent !== "carried out") process.dead = true;
    if (sent === "not sent") return;
    this.#at(sent === "under way" ? this.#late(process, now, landsAt) : landsAt, () => {
      this.#carryOut(process, call, "from a dead process").catch(ignore);
      process.dead = true;
    });
  }

  /** The process stops, its request not yet sent or its answer not yet read, and goes on when others have its work. */
  #freeze<Answer>(
    process: Invocation,
    call: Call<Answer>,
    now: number,
    landsAt: number,
    resolve: Resolve<Answer>,
  ): void {
    const dice = this.#faults.dice("zombie");
    const until = Math.min(now + dice.pick(FROZEN_MS) * dice.between(0.5, 1.2), process.landsUntil);
    const sent = dice.hits(0.5);
    this.#trace?.(
      `${process.name} freezes for ${Math.round(until - now)} ms, ${sent ? "" : "not "}sent: ${call.what()}`,
    );
    process.zombie = true;
    process.frozenUntil = Math.max(process.frozenUntil, until);
    this.#at(sent ? landsAt : until, () => this.#answer(process, this.#carryOut(process, call), resolve));
  }

  /** S3 carries the request out or not, now or later, and says nothing. */
  #leaveUnanswered<Answer>(
    process: Invocation,
    call: Call<Answer>,
    now: number,
    landsAt: number,
    resolve: Resolve<Answer>,
  ): void {
    const fate = this.#faults.dice("unanswered").pick(["carried out", "never", "later"]);
    const land = (rest: () => void): void => {
      if (fate === "never") return;
      const at = fate === "later" ? this.#late(process, now, landsAt) : landsAt;
      this.#at(at, () => {
        this.#trace?.(`lands, unanswered: ${call.what()}`);
        rest();
      });
    };
    this.#at(landsAt, () => {
      const answer = call.unanswered?.(land) ?? call.carryOut();
      this.#answer(process, this.#note(process, call, `unanswered, ${fate}`, answer), resolve);
    });
  }

  /** The answer of a table gets lost; or the client's own retry has the same write arrive twice, one of them late. */
  #repeat<Answer>(process: Invocation, call: Call<Answer>, landsAt: number, resolve: Resolve<Answer>): void {
    const dice = this.#faults.dice("table_answers");
    const fate = dice.pick(["no answer", "twice", "again, late"]);
    this.#at(landsAt, () => {
      switch (fate) {
        case "no answer":
          this.#carryOut(process, call, fate).catch(ignore);
          this.#answer(process, call.refuse("unavailable"), resolve);
          return;
        case "twice":
          // At once, or when others have come between.
          this.#carryOut(process, call).catch(ignore);
          this.#at(this.#timeline.now + dice.pick([0, dice.between(0, RETRIED_WITHIN_MS)]), () => {
            this.#answer(process, this.#carryOut(process, call, fate), resolve);
          });
          return;
        case "again, late":
          this.#answer(process, this.#carryOut(process, call), resolve);
          this.#at(Math.min(process.landsUntil, this.#timeline.now + dice.between(0, RETRIED_WITHIN_MS)), () => {
            this.#carryOut(process, call, fate).catch(ignore);
          });
      }
    });
  }

  /** When a request lands that nobody waits for any more. */
  #late(process: Invocation, now: number, landsAt: number): number {
    if (!this.#faults.hits("late", 0.8)) return landsAt;
    const dice = this.#faults.dice("late");
    return Math.min(now + dice.pick(LATE_MS) * dice.between(0.3, 1.2), process.landsUntil);
  }

  #at(time: number, happen: () => void): void {
    this.#underWay += 1;
    this.#timeline.at(time, () => {
      this.#underWay -= 1;
      this.#stirred = true;
      happen();
    });
  }

  /** An answer reaches its process once that is awake, and never if it is dead. */
  #answer<Answer>(process: Invocation, answer: Promise<Answer>, resolve: Resolve<Answer>): void {
    const { now } = this.#timeline;
    if (!process.dead && process.frozenUntil > now) {
      answer.catch(ignore);
      this.#at(process.frozenUntil, () => this.#answer(process, answer, resolve));
      return;
    }
    if (process.dead || now > process.landsUntil) {
      process.dead = true;
      answer.catch(ignore);
      return;
    }
    resolve(answer);
  }

  #carryOut<Answer>(process: Invocation, call: Call<Answer>, how?: string): Promise<Answer> {
    return this.#note(process, call, how, call.carryOut());
  }

  #note<Answer>(
    process: Invocation,
    call: Call<Answer>,
    how: string | undefined,
    answer: Promise<Answer>,
  ): Promise<Answer> {
    const trace = this.#trace;
    if (trace === undefined) return answer;
    const asked = `${process.name}: ${call.what()}${how === undefined ? "" : ` (${how})`}`;
    answer.then(
      (value) => trace(`${asked} = ${brief(value)}`),
      (error: unknown) => trace(`${asked} ! ${error instanceof Error ? error.message : String(error)}`),
    );
    return answer;
  }
}

/** An answer in a few words. */
const brief = (answer: unknown): string => {
  if (typeof answer !== "object" || answer === null) return String(answer);
  const { outcome, versionId, etag, facts, item } = answer as Record<string, unknown>;
  const told = [outcome, versionId, etag, facts, item].filter((part) => part !== undefined);
  if (told.length === 0) return JSON.stringify(answer);
  return told.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ");
};
