import { describe, expect, test } from "vitest";
import {
  BREAKER_ANSWER_MS,
  BREAKER_CLOSED,
  BREAKER_EVIDENCE_MS,
  BREAKER_OPENS_AT,
  BREAKER_PERIOD_MAX_MS,
  BREAKER_PERIOD_MIN_MS,
  type Breaker,
  type BreakerEvidence,
  decideBreaker,
} from "../../../shared/geo/circuit-breaker.ts";

const NOW = 10_000_000_000;
const MINUTE_MS = 60_000;

const failures = (failed: number, ago: number, kind: BreakerEvidence["kind"] = "forbidden"): BreakerEvidence => ({
  failed,
  kind,
  firstFailedAt: NOW - ago,
  lastFailedAt: NOW - ago,
});

const open = (over: Partial<Extract<Breaker, { state: "open" }>> = {}): Breaker => ({
  state: "open",
  kind: "forbidden",
  openedAt: NOW - 30 * MINUTE_MS,
  probeAt: NOW + MINUTE_MS,
  periodMs: 2 * MINUTE_MS,
  ...over,
});

const halfOpen = (over: Partial<Extract<Breaker, { state: "half_open" }>> = {}): Breaker => ({
  state: "half_open",
  kind: "forbidden",
  openedAt: NOW - 30 * MINUTE_MS,
  probedAt: NOW - MINUTE_MS,
  periodMs: 2 * MINUTE_MS,
  ...over,
});

const PROBING = {
  state: "half_open",
  kind: "forbidden",
  openedAt: NOW,
  probedAt: NOW,
  periodMs: BREAKER_PERIOD_MIN_MS,
} as const;

interface Case {
  readonly when: string;
  readonly breaker: Breaker;
  readonly evidence?: BreakerEvidence;
  readonly succeededAt?: number;
  readonly next: Partial<Breaker>;
  readonly send: "all" | "probes" | "none";
  readonly forget: boolean;
}

/** Every state, with everything that can have been told, before and at each of the times that matter. */
const TABLE: readonly Case[] = [
  {
    when: "closed, and nobody told of anything",
    breaker: BREAKER_CLOSED,
    next: BREAKER_CLOSED,
    send: "all",
    forget: false,
  },
  {
    when: "closed, and only a success was told of",
    breaker: BREAKER_CLOSED,
    succeededAt: NOW,
    next: BREAKER_CLOSED,
    send: "all",
    forget: false,
  },
  {
    when: "closed, one failure short of too many",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT - 1, 0),
    next: BREAKER_CLOSED,
    send: "all",
    forget: false,
  },
  {
    when: "closed, and too many failures",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT, 0),
    next: PROBING,
    send: "probes",
    forget: true,
  },
  {
    when: "closed, and too many failures for want of a key",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT, 0, "kms"),
    next: { ...PROBING, kind: "kms" },
    send: "probes",
    forget: true,
  },
  {
    when: "closed, and too many failures, the last of them just not too long ago",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT, BREAKER_EVIDENCE_MS - 1),
    next: PROBING,
    send: "probes",
    forget: true,
  },
  {
    when: "closed, and too many failures, long ago",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT, BREAKER_EVIDENCE_MS),
    next: BREAKER_CLOSED,
    send: "all",
    forget: true,
  },
  {
    when: "closed, and too many failures with a success among them",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT, 5_000),
    succeededAt: NOW - 5_000,
    next: BREAKER_CLOSED,
    send: "all",
    forget: true,
  },
  {
    when: "closed, and too many failures after the last success",
    breaker: BREAKER_CLOSED,
    evidence: failures(BREAKER_OPENS_AT, 5_000),
    succeededAt: NOW - 5_001,
    next: PROBING,
    send: "probes",
    forget: true,
  },
  { when: "half open, and nobody answered yet", breaker: halfOpen(), next: halfOpen(), send: "none", forget: false },
  {
    when: "half open, and nobody answered in time",
    breaker: halfOpen({ probedAt: NOW - BREAKER_ANSWER_MS }),
    next: halfOpen({ probedAt: NOW }),
    send: "probes",
    forget: false,
  },
  {
    when: "half open, and only failures from before the probes are told of",
    breaker: halfOpen(),
    evidence: failures(500, MINUTE_MS + 1),
    next: halfOpen(),
    send: "none",
    forget: false,
  },
  {
    when: "half open, and a probe failed",
    breaker: halfOpen(),
    evidence: failures(1, MINUTE_MS),
    next: open({ probeAt: NOW + 2 * MINUTE_MS }),
    send: "none",
    forget: true,
  },
  {
    when: "half open, and a probe failed for another reason",
    breaker: halfOpen(),
    evidence: failures(1, 0, "kms"),
    next: open({ probeAt: NOW + 2 * MINUTE_MS, kind: "kms" }),
    send: "none",
    forget: true,
  },
  {
    when: "half open, and a probe succeeded",
    breaker: halfOpen(),
    succeededAt: NOW - 1,
    next: BREAKER_CLOSED,
    send: "all",
    forget: true,
  },
  {
    when: "half open, and a probe succeeded while others failed",
    breaker: halfOpen(),
    evidence: failures(4, 0),
    succeededAt: NOW - 1,
    next: BREAKER_CLOSED,
    send: "all",
    forget: true,
  },
  {
    when: "half open, and the last success was before it was opened",
    breaker: halfOpen(),
    succeededAt: NOW - 30 * MINUTE_MS - 1,
    next: halfOpen(),
    send: "none",
    forget: false,
  },
  { when: "open, before the time of the next probes", breaker: open(), next: open(), send: "none", forget: false },
  {
    when: "open, before that time, and more fails",
    breaker: open(),
    evidence: failures(1_000, 0),
    next: open(),
    send: "none",
    forget: false,
  },
  {
    when: "open, at the time of the next probes",
    breaker: open({ probeAt: NOW }),
    evidence: failures(1_000, 0),
    next: halfOpen({ probedAt: NOW, periodMs: 4 * MINUTE_MS }),
    send: "probes",
    forget: true,
  },
  {
    when: "open, and the period is at its longest",
    breaker: open({ probeAt: NOW, periodMs: 8 * MINUTE_MS }),
    next: halfOpen({ probedAt: NOW, periodMs: BREAKER_PERIOD_MAX_MS }),
    send: "probes",
    forget: true,
  },
  {
    when: "open, and something was copied all the same",
    breaker: open(),
    succeededAt: NOW - 30 * MINUTE_MS,
    next: BREAKER_CLOSED,
    send: "all",
    forget: true,
  },
  {
    when: "open, and the last success was before it was opened",
    breaker: open(),
    succeededAt: NOW - 30 * MINUTE_MS - 1,
    next: open(),
    send: "none",
    forget: false,
  },
];

describe("the circuit breaker of a type's retries (F13)", () => {
  test.each(TABLE)("$when: sends $send", ({ breaker, evidence, succeededAt, next, send, forget }) => {
    expect(decideBreaker(breaker, evidence, succeededAt, NOW)).toEqual({ next, send, forget });
  });

  test("probes at once, then after 1, 2, 4, 8 and at last every 15 minutes while every probe fails", () => {
    let breaker: Breaker = BREAKER_CLOSED;
    const probedAt: number[] = [];
    let evidence: BreakerEvidence | undefined = failures(BREAKER_OPENS_AT, 0);
    for (let minute = 0; minute < 90; minute += 1) {
      const now = NOW + minute * MINUTE_MS;
      const decision = decideBreaker(breaker, evidence, undefined, now);
      breaker = decision.next;
      if (decision.forget) evidence = undefined;
      if (decision.send !== "probes") continue;
      probedAt.push(minute);
      evidence = { failed: 5, kind: "forbidden", firstFailedAt: now + 1_000, lastFailedAt: now + 1_000 };
    }
    // The answer is seen a minute after the probe, and the wait begins there.
    expect(probedAt.map((at, index) => at - (probedAt[index - 1] ?? 0))).toEqual([0, 2, 3, 5, 9, 16, 16, 16, 16]);
  });
});
