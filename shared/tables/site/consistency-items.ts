import * as z from "zod/mini";
import type { Findings } from "../../geo/consistency.ts";
import { GeoError } from "../../geo/errors.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { DeleteRequest, Item, ItemKey, QueryRequest, UpdateRequest } from "../../ports/table.ts";

/**
 * What a site's registry consistency remembers: of each type its present walk through the keys, and of each walk its
 * ranges. A range is worked on under a lease and remembers how far it has come, so any worker may die at any time.
 */

const text = z.optional(z.string());
const number = z.optional(z.number());

const storedFindings = {
  listed_keys: z._default(z.number(), 0),
  found_missing: z._default(z.number(), 0),
  found_stale: z._default(z.number(), 0),
  found_orphan: z._default(z.number(), 0),
  found_out_of_scope: z._default(z.number(), 0),
  enqueued_keys: z._default(z.number(), 0),
};

const StoredWalk = z.object({
  sk: z.string(),
  walk: z.string(),
  reason: z.string(),
  ranges: z.number(),
  started_at: z.number(),
  scope: text,
  finished_at: number,
  ...storedFindings,
});

const StoredRange = z.object({
  sk: z.string(),
  prefix: z.string(),
  after_key: text,
  until_key: text,
  seen_until: text,
  done: z.boolean(),
  token: text,
  lease_until: number,
  ...storedFindings,
});

/** Why a walk was begun. */
export const WALK_REASONS = ["first", "scheduled", "asked_for", "settings_changed", "epoch_changed"] as const;
export type WalkReason = (typeof WALK_REASONS)[number];

/** One walk through all keys of one type. */
export interface Walk {
  readonly replicableName: string;
  /** Unique; its ranges stand under it. */
  readonly id: string;
  readonly reason: string;
  readonly ranges: number;
  readonly startedAt: number;
  /** The scope that it began under (`scopeFingerprint`); undefined for a walk from before there were any. */
  readonly scope: string | undefined;
  /** Absent while it goes on. */
  readonly finishedAt: number | undefined;
  /** What it found in all, once it is finished. */
  readonly findings: Findings;
}

/** A part of a walk. */
export interface WalkRange {
  readonly key: ItemKey;
  readonly prefix: string;
  readonly after: string | undefined;
  readonly until: string | undefined;
  /** Where it goes on; undefined before its first stretch. */
  readonly seenUntil: string | undefined;
  readonly done: boolean;
  readonly token: string | undefined;
  readonly leaseUntil: number | undefined;
  readonly findings: Findings;
}

const unreadable = (what: string, error: z.core.$ZodError): GeoError =>
  new GeoError(
    "GEO_UNREADABLE_ROW",
    `${what} can not be read: ${error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`,
    { cause: error },
  );

const walkKey = (replicableName: string): ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.consistency,
  sk: `walk#${replicableName}`,
});

const rangePrefix = (replicableName: string, walkId: string): string => `range#${replicableName}#${walkId}#`;

const findingsOf = (stored: Readonly<Record<keyof typeof storedFindings, number>>): Findings => ({
  listed: stored.listed_keys,
  missing: stored.found_missing,
  stale: stored.found_stale,
  orphan: stored.found_orphan,
  outOfScope: stored.found_out_of_scope,
  enqueued: stored.enqueued_keys,
});

/** Where a walk stands. */
export const walkRequest = walkKey;

/** Parses a walk; undefined when there has never been one of the type. */
export const parseWalk = (item: Item | undefined): Walk | undefined => {
  if (item === undefined) return undefined;
  const parsed = z.safeParse(StoredWalk, item);
  if (!parsed.success) throw unreadable("a walk of the registry's consistency", parsed.error);
  const { data } = parsed;
  return {
    replicableName: data.sk.slice("walk#".length),
    id: data.walk,
    reason: data.reason,
    ranges: data.ranges,
    startedAt: data.started_at,
    scope: data.scope,
    finishedAt: data.finished_at,
    findings: findingsOf(data),
  };
};

/** Every range of a walk. */
export const rangesQuery = ({ replicableName, id }: Pick<Walk, "replicableName" | "id">): QueryRequest => ({
  condition: "pk = :pk AND begins_with(sk, :prefix)",
  values: { ":pk": SITE_TABLE_PARTITIONS.consistency, ":prefix": rangePrefix(replicableName, id) },
  limit: 1_000,
});

/** Whether a range is one of a walk's. */
export const isRangeOf = (
  { replicableName, id }: Pick<Walk, "replicableName" | "id">,
  { key }: Pick<WalkRange, "key">,
): boolean => key.sk.startsWith(rangePrefix(replicableName, id));

/** Parses a range. */
export const parseRange = (item: Item): WalkRange => {
  const parsed = z.safeParse(StoredRange, item);
  if (!parsed.success) throw unreadable("a range of the registry's consistency", parsed.error);
  const { data } = parsed;
  return {
    key: { pk: SITE_TABLE_PARTITIONS.consistency, sk: data.sk },
    prefix: data.prefix,
    after: data.after_key,
    until: data.until_key,
    seenUntil: data.seen_until,
    done: data.done,
    token: data.token,
    leaseUntil: data.lease_until,
    findings: findingsOf(data),
  };
};

/** The item of a range that nobody has begun. */
export const newRange = (
  replicableName: string,
  walkId: string,
  index: number,
  range: { readonly prefix: string; readonly after: string | undefined; readonly until: string | undefined },
): Item & ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.consistency,
  sk: `${rangePrefix(replicableName, walkId)}${String(index).padStart(4, "0")}`,
  prefix: range.prefix,
  ...(range.after === undefined ? {} : { after_key: range.after }),
  ...(range.until === undefined ? {} : { until_key: range.until }),
  done: false,
  listed_keys: 0,
  found_missing: 0,
  found_stale: 0,
  found_orphan: 0,
  enqueued_keys: 0,
});

/** Begins a walk whose ranges stand already. Refused when somebody else has begun one. */
export const beginWalk = (
  replicableName: string,
  before: Walk | undefined,
  walk: {
    readonly id: string;
    readonly reason: WalkReason;
    readonly ranges: number;
    readonly scope: string;
    readonly now: number;
  },
): UpdateRequest => ({
  key: walkKey(replicableName),
  update:
    "SET walk = :walk, reason = :reason, ranges = :ranges, started_at = :now, #scope = :scope" +
    " REMOVE finished_at, listed_keys, found_missing, found_stale, found_orphan, found_out_of_scope, enqueued_keys",
  condition: before === undefined ? "attribute_not_exists(pk)" : "walk = :before AND attribute_exists(finished_at)",
  names: { "#scope": "scope" },
  values: {
    ":walk": walk.id,
    ":reason": walk.reason,
    ":ranges": walk.ranges,
    ":scope": walk.scope,
    ":now": walk.now,
    ...(before === undefined ? {} : { ":before": before.id }),
  },
});

/** Ends a walk all of whose ranges are done, with what they found. Refused when that has been said, or another has begun. */
export const endWalk = (walk: Walk, found: Findings, now: number): UpdateRequest => ({
  key: walkKey(walk.replicableName),
  update:
    "SET finished_at = :now, listed_keys = :listed, found_missing = :missing, found_stale = :stale," +
    " found_orphan = :orphan, found_out_of_scope = :out_of_scope, enqueued_keys = :enqueued",
  condition: "walk = :walk AND attribute_not_exists(finished_at)",
  values: {
    ":now": now,
    ":walk": walk.id,
    ":listed": found.listed,
    ":missing": found.missing,
    ":stale": found.stale,
    ":orphan": found.orphan,
    ":out_of_scope": found.outOfScope,
    ":enqueued": found.enqueued,
  },
});

/** Forgets a range of a walk that has ended. */
export const forgetRange = ({ key }: Pick<WalkRange, "key">): DeleteRequest => ({ key });

/** Takes a range that nobody works on. Refused when somebody does, or it is done. */
export const claimRange = (range: WalkRange, token: string, now: number, leaseUntil: number): UpdateRequest => ({
  key: range.key,
  update: "SET #token = :token, lease_until = :lease_until",
  condition: "done = :no AND (attribute_not_exists(#token) OR lease_until < :now)",
  names: { "#token": "token" },
  values: { ":token": token, ":lease_until": leaseUntil, ":now": now, ":no": false },
});

/**
 * Remembers how far a range has come, and what was found there. After its keys were handed over, never before: whoever
 * comes next goes on from here. Refused when the range is somebody else's by now.
 */
export const advanceRange = (
  range: Pick<WalkRange, "key">,
  token: string,
  {
    seenUntil,
    findings,
    leaseUntil,
  }: {
    /** Undefined: the range is done. */
    readonly seenUntil: string | undefined;
    readonly findings: Findings;
    readonly leaseUntil: number;
  },
): UpdateRequest => ({
  key: range.key,
  update:
    (seenUntil === undefined
      ? "SET done = :yes, lease_until = :lease_until"
      : "SET seen_until = :seen_until, lease_until = :lease_until") +
    " ADD listed_keys :listed, found_missing :missing, found_stale :stale, found_orphan :orphan," +
    " found_out_of_scope :out_of_scope, enqueued_keys :enqueued" +
    (seenUntil === undefined ? " REMOVE #token" : ""),
  condition: "#token = :token",
  names: { "#token": "token" },
  values: {
    ":token": token,
    ":lease_until": leaseUntil,
    ...(seenUntil === undefined ? { ":yes": true } : { ":seen_until": seenUntil }),
    ":listed": findings.listed,
    ":missing": findings.missing,
    ":stale": findings.stale,
    ":orphan": findings.orphan,
    ":out_of_scope": findings.outOfScope,
    ":enqueued": findings.enqueued,
  },
});

/** Lets go of a range before it is done. */
export const releaseRange = (range: Pick<WalkRange, "key">, token: string): UpdateRequest => ({
  key: range.key,
  update: "REMOVE #token, lease_until",
  condition: "#token = :token",
  names: { "#token": "token" },
  values: { ":token": token },
});
