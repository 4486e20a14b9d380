/**
 * When everything of a type fails for one reason that only a person can take away (a right that is missing, a key that is
 * disabled), trying all of it again and again costs money and helps nobody. Then a few objects are tried as probes, less
 * and less often, and everything else stays due until one of them was copied.
 *
 * Pure: who counts, who remembers and who sends is in shared/services.
 */

const MINUTE_MS = 60_000;

/** The failures that may be those of a whole site rather than of an object. What passes by itself is not among them. */
export const BREAKER_KINDS = ["forbidden", "kms"] as const;
export type BreakerKind = (typeof BREAKER_KINDS)[number];

export const isBreakerKind = (kind: string): kind is BreakerKind => (BREAKER_KINDS as readonly string[]).includes(kind);

/** So many attempts have to fail, and none succeed, before a type is held back: fewer may be a handful of odd objects. */
export const BREAKER_OPENS_AT = 20;

/** Failures that nothing was added to for so long say nothing about now. Also how long a process that told of some listens. */
export const BREAKER_EVIDENCE_MS = 15 * MINUTE_MS;

/** The wait after the first probes that failed; it doubles with each further try. */
export const BREAKER_PERIOD_MIN_MS = MINUTE_MS;

/** The longest wait: for so long at most are retries held back after the cause has gone, and a sweep. */
export const BREAKER_PERIOD_MAX_MS = 15 * MINUTE_MS;

/** Probes nobody has told anything of for so long are sent again: they were lost, or are not to be copied any more. */
export const BREAKER_ANSWER_MS = 5 * MINUTE_MS;

/** How many objects are tried each time: the longest due ones, so that each object's turn comes. */
export const BREAKER_PROBES = 5;

/** What consumers have told of a type since somebody last drew a conclusion. Times: milliseconds since the epoch. */
export interface BreakerEvidence {
  readonly failed: number;
  readonly kind: BreakerKind;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
}

/** What is held of a type's retries. */
export type Breaker =
  /** Everything that is due is tried. */
  | { readonly state: "closed" }
  /** Nothing is tried before `probeAt`. */
  | {
      readonly state: "open";
      readonly kind: BreakerKind;
      readonly openedAt: number;
      readonly probeAt: number;
      readonly periodMs: number;
    }
  /** Probes are out. If they fail, nothing is tried for `periodMs`. */
  | {
      readonly state: "half_open";
      readonly kind: BreakerKind;
      readonly openedAt: number;
      readonly probedAt: number;
      readonly periodMs: number;
    };

export const BREAKER_CLOSED: Breaker = { state: "closed" };

/** What the sweep may do now, and what it has to remember. */
export interface BreakerDecision {
  readonly next: Breaker;
  /** `all`: send what is due. `probes`: send a few. `none`: send nothing. */
  readonly send: "all" | "probes" | "none";
  /** Whether what was told so far is used up, and is to be forgotten. */
  readonly forget: boolean;
}

const stay = (next: Breaker, send: BreakerDecision["send"]): BreakerDecision => ({ next, send, forget: false });
const close: BreakerDecision = { next: BREAKER_CLOSED, send: "all", forget: true };

/**
 * What follows for a type at a sweep.
 *
 * @param succeededAt when an object of the type was last said to have been copied after failures or as a probe
 */
export const decideBreaker = (
  breaker: Breaker,
  evidence: BreakerEvidence | undefined,
  succeededAt: number | undefined,
  now: number,
): BreakerDecision => {
  switch (breaker.state) {
    case "closed": {
      if (evidence === undefined) return stay(breaker, "all");
      const stale = now - evidence.lastFailedAt >= BREAKER_EVIDENCE_MS;
      if (stale || (succeededAt !== undefined && succeededAt >= evidence.firstFailedAt)) return close;
      if (evidence.failed < BREAKER_OPENS_AT) return stay(breaker, "all");
      const { kind } = evidence;
      const next = { state: "half_open", kind, openedAt: now, probedAt: now, periodMs: BREAKER_PERIOD_MIN_MS } as const;
      return { next, send: "probes", forget: true };
    }
    case "half_open": {
      if (succeededAt !== undefined && succeededAt >= breaker.openedAt) return close;
      const { kind, openedAt, periodMs } = breaker;
      if (evidence !== undefined && evidence.lastFailedAt >= breaker.probedAt) {
        const next = { state: "open", kind: evidence.kind, openedAt, probeAt: now + periodMs, periodMs } as const;
        return { next, send: "none", forget: true };
      }
      if (now - breaker.probedAt < BREAKER_ANSWER_MS) return stay(breaker, "none");
      return stay({ state: "half_open", kind, openedAt, probedAt: now, periodMs }, "probes");
    }
    case "open": {
      if (succeededAt !== undefined && succeededAt >= breaker.openedAt) return close;
      if (now < breaker.probeAt) return stay(breaker, "none");
      const { kind, openedAt } = breaker;
      const periodMs = Math.min(2 * breaker.periodMs, BREAKER_PERIOD_MAX_MS);
      return { next: { state: "half_open", kind, openedAt, probedAt: now, periodMs }, send: "probes", forget: true };
    }
  }
};
