import * as z from "zod/mini";
import {
  BREAKER_CLOSED,
  BREAKER_KINDS,
  type Breaker,
  type BreakerEvidence,
  type BreakerKind,
} from "../../geo/circuit-breaker.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Item, ItemKey, QueryRequest, Table, UpdateRequest } from "../../ports/table.ts";

/** What the retry sweep of a site knows of a type. */
export interface SweepNotes {
  readonly breaker: Breaker;
  readonly evidence: BreakerEvidence | undefined;
  /** When an object was last said to have been copied after failures, or as a probe. */
  readonly succeededAt: number | undefined;
  /** The execution that was last started to drain the type. */
  readonly draining: string | undefined;
}

export const NO_NOTES: SweepNotes = {
  breaker: BREAKER_CLOSED,
  evidence: undefined,
  succeededAt: undefined,
  draining: undefined,
};

const keyOf = (replicableName: string): ItemKey => ({ pk: SITE_TABLE_PARTITIONS.retrySweep, sk: replicableName });

const time = z.optional(z.number());
const kind = z.optional(z.enum(BREAKER_KINDS));

const StoredNotes = z.object({
  sk: z.string(),
  breaker_state: z._default(z.enum(["closed", "open", "half_open"]), "closed"),
  breaker_kind: kind,
  opened_at: time,
  probe_at: time,
  probed_at: time,
  period_ms: time,
  failed_count: time,
  failed_kind: kind,
  first_failed_at: time,
  last_failed_at: time,
  succeeded_at: time,
  draining: z.optional(z.string()),
});
type StoredNotes = z.infer<typeof StoredNotes>;

const breakerOf = ({ breaker_state: state, ...stored }: StoredNotes): Breaker => {
  const {
    breaker_kind: ofKind,
    opened_at: openedAt,
    period_ms: periodMs,
    probe_at: probeAt,
    probed_at: probedAt,
  } = stored;
  if (ofKind === undefined || openedAt === undefined || periodMs === undefined) return BREAKER_CLOSED;
  if (state === "open" && probeAt !== undefined) return { state, kind: ofKind, openedAt, probeAt, periodMs };
  if (state === "half_open" && probedAt !== undefined) return { state, kind: ofKind, openedAt, probedAt, periodMs };
  return BREAKER_CLOSED;
};

const evidenceOf = (stored: StoredNotes): BreakerEvidence | undefined => {
  const { failed_count: failed, failed_kind: ofKind, first_failed_at: first, last_failed_at: last } = stored;
  return failed === undefined || ofKind === undefined || first === undefined || last === undefined
    ? undefined
    : { failed, kind: ofKind, firstFailedAt: first, lastFailedAt: last };
};

/** More types than an installation has. */
const ITEMS_MAX = 200;

const listNotes: QueryRequest = {
  condition: "pk = :pk",
  values: { ":pk": SITE_TABLE_PARTITIONS.retrySweep },
  limit: ITEMS_MAX,
};

/** What is known of each type by its name. An item that can not be read counts as none: then everything is tried. */
export const readSweepNotes = async (site: Pick<Table, "query">): Promise<ReadonlyMap<string, SweepNotes>> => {
  const { items } = await site.query(listNotes);
  return new Map(
    items.flatMap((item: Item) => {
      const parsed = z.safeParse(StoredNotes, item);
      if (!parsed.success) return [];
      const { sk, succeeded_at: succeededAt, draining } = parsed.data;
      return [[sk, { breaker: breakerOf(parsed.data), evidence: evidenceOf(parsed.data), succeededAt, draining }]];
    }),
  );
};

/** A consumer saw attempts at a type fail, and none succeed. */
export const tellOfFailures = (
  replicableName: string,
  ofKind: BreakerKind,
  failures: number,
  now: number,
): UpdateRequest => ({
  key: keyOf(replicableName),
  update:
    "SET failed_kind = :kind, last_failed_at = :now, first_failed_at = if_not_exists(first_failed_at, :now) ADD failed_count :failures",
  values: { ":kind": ofKind, ":now": now, ":failures": failures },
});

/** A consumer that had told of failures, or was given a probe, copied an object. */
export const tellOfSuccess = (replicableName: string, now: number): UpdateRequest => ({
  key: keyOf(replicableName),
  update: "SET succeeded_at = :now",
  values: { ":now": now },
});

/** Remembers what was decided. What was told meanwhile may be lost when it is used up: more of it follows. */
export const decided = (replicableName: string, breaker: Breaker, forget: boolean): UpdateRequest => {
  const told = forget ? ["failed_count", "failed_kind", "first_failed_at", "last_failed_at"] : [];
  const key = keyOf(replicableName);
  switch (breaker.state) {
    case "closed": {
      const gone = ["breaker_state", "breaker_kind", "opened_at", "probe_at", "probed_at", "period_ms", ...told];
      return { key, update: `REMOVE ${gone.join(", ")}` };
    }
    case "open":
    case "half_open": {
      const [at, other, value] =
        breaker.state === "open"
          ? ["probe_at", "probed_at", breaker.probeAt]
          : ["probed_at", "probe_at", breaker.probedAt];
      return {
        key,
        update: `SET breaker_state = :state, breaker_kind = :kind, opened_at = :opened, period_ms = :period, ${at} = :at REMOVE ${[other, ...told].join(", ")}`,
        values: {
          ":state": breaker.state,
          ":kind": breaker.kind,
          ":opened": breaker.openedAt,
          ":period": breaker.periodMs,
          ":at": value,
        },
      };
    }
  }
};

/** Remembers which execution drains a type, so that the next sweep starts no second one; undefined: none does. */
export const drainedBy = (replicableName: string, execution: string | undefined): UpdateRequest =>
  execution === undefined
    ? { key: keyOf(replicableName), update: "REMOVE draining" }
    : { key: keyOf(replicableName), update: "SET draining = :execution", values: { ":execution": execution } };
