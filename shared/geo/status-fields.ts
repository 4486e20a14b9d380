import type { CountedCell } from "./counters.ts";
import type { StatusFieldKey } from "./naming.ts";
import { REPLICATION_STATE } from "./replication-state.ts";
import type { SiteRole } from "./site-status.ts";
import { LAG_PARTS, type LagFigures, type TypeSummary } from "./type-summary.ts";
import { VERIFICATION_STATE } from "./verification-state.ts";

/** What a site's status says of one type: GitLab Geo's fields (F56, F57), and ours beside them. Pure. */

/** A type, as far as a status speaks of it. */
export interface StatusType {
  /** Its plural, which all names of its fields begin with, and Geo's fields under their whole names. */
  readonly plural: string;
  readonly statusFields: Readonly<Record<StatusFieldKey, string>>;
  readonly isVerified: boolean;
}

/** What only the roll-up of each minute knows of a type. */
export type RolledUpType = Pick<TypeSummary, "oldestUnsyncedTime" | "backlogAges" | "lag" | "lagSteps" | "audit">;

/** What was found out about one type. */
export interface TypeFacts {
  /** Undefined when the counters could not be read. */
  readonly cells: readonly CountedCell[] | undefined;
  /** Undefined before the first roll-up. */
  readonly rolledUp: RolledUpType | undefined;
}

/** What an amount of rows makes of a whole, as Geo prints it: `98.50%`; `0.00%` when there is no whole. */
export const percentage = (part: number | null, whole: number | null): string =>
  part === null || whole === null || whole === 0 ? "0.00%" : `${((part / whole) * 100).toFixed(2)}%`;

/**
 * Rows that meet a condition. Not below zero: the counters are read one after the other while rows change, so that a sum
 * may for a moment lack a row that has just left one of them.
 */
const rowsWhere = (cells: readonly CountedCell[], condition: (cell: CountedCell) => boolean): number =>
  Math.max(
    0,
    cells.filter(condition).reduce((sum, { rows }) => sum + rows, 0),
  );

const every = (): boolean => true;
const inState =
  (state: keyof typeof REPLICATION_STATE) =>
  (cell: CountedCell): boolean =>
    cell.state === REPLICATION_STATE[state];
const inVerification =
  (state: keyof typeof VERIFICATION_STATE) =>
  (cell: CountedCell): boolean =>
    cell.verificationState === VERIFICATION_STATE[state];
const isSynced = inState("synced");
const isVerifiable = (cell: CountedCell): boolean => !inVerification("disabled")(cell);

const isQueued = (cell: CountedCell): boolean => inState("pending")(cell) || inState("started")(cell);
const isVerificationQueued = (cell: CountedCell): boolean =>
  inVerification("pending")(cell) || inVerification("started")(cell);

/** A number that was counted, a text, or nothing: this kind of site does not gather it. */
type FieldValue = number | string | null;
type Fields = Readonly<Record<StatusFieldKey, FieldValue>>;

const NOT_GATHERED: Fields = {
  count: null,
  checksumTotalCount: null,
  checksummedCount: null,
  checksumFailedCount: null,
  registryCount: null,
  syncedCount: null,
  failedCount: null,
  verificationTotalCount: null,
  verifiedCount: null,
  verificationFailedCount: null,
  syncedInPercentage: percentage(null, null),
  verifiedInPercentage: percentage(null, null),
  oldestUnsyncedTime: null,
};

/** What nobody verifies is not told as "0 of many": its fields are null, as in Geo, whose bar is then hidden. */
const UNVERIFIED = {
  checksumTotalCount: null,
  checksummedCount: null,
  checksumFailedCount: null,
  verificationTotalCount: null,
  verifiedCount: null,
  verificationFailedCount: null,
  verifiedInPercentage: percentage(null, null),
} as const satisfies Partial<Fields>;

const fieldsOfPrimary = (cells: readonly CountedCell[]): Fields => ({
  ...NOT_GATHERED,
  count: rowsWhere(cells, every),
  checksumTotalCount: rowsWhere(cells, isVerifiable),
  checksummedCount: rowsWhere(cells, inVerification("succeeded")),
  checksumFailedCount: rowsWhere(cells, inVerification("failed")),
});

/** What Geo says when nothing waits. */
const NONE_UNSYNCED = -1;

const fieldsOfSecondary = (cells: readonly CountedCell[], rolledUp: RolledUpType | undefined): Fields => {
  const registries = rowsWhere(cells, every);
  const synced = cells.filter(isSynced);
  const verified = rowsWhere(synced, inVerification("succeeded"));
  return {
    ...NOT_GATHERED,
    count: registries,
    registryCount: registries,
    syncedCount: rowsWhere(synced, every),
    failedCount: rowsWhere(cells, inState("failed")),
    verificationTotalCount: rowsWhere(synced, isVerifiable),
    verifiedCount: verified,
    // Nearly always 0: a failed verification takes the row out of synced as well, so that it is copied again.
    verificationFailedCount: rowsWhere(synced, inVerification("failed")),
    syncedInPercentage: percentage(rowsWhere(synced, every), registries),
    // Geo divides by the registries here too, and not by what can be verified.
    verifiedInPercentage: percentage(verified, registries),
    oldestUnsyncedTime: rolledUp === undefined ? null : (rolledUp.oldestUnsyncedTime ?? NONE_UNSYNCED),
  };
};

const MS_PER_SECOND = 1_000;

/** How long something took for most, in seconds. */
interface LagAnswer {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const lagOf = (figures: LagFigures | undefined): LagAnswer | null =>
  figures === undefined
    ? null
    : {
        count: figures.count,
        p50: figures.p50Ms / MS_PER_SECOND,
        p99: figures.p99Ms / MS_PER_SECOND,
        max: figures.maxMs / MS_PER_SECOND,
      };

/** Ours, from the roll-up: how late replicas were, how long the rest waits, and whether the counts were found to be right. */
const rolledUpFields = (
  role: SiteRole,
  plural: string,
  rolledUp: RolledUpType | undefined,
): Readonly<Record<string, unknown>> => {
  if (rolledUp === undefined) {
    return {
      [`${plural}_lag`]: null,
      [`${plural}_lag_steps`]: null,
      [`${plural}_backlog_ages`]: null,
      [`${plural}_recount`]: null,
    };
  }
  const { audit, lag, lagSteps, backlogAges } = rolledUp;
  const parts = LAG_PARTS.flatMap((part) => (part === "total" ? [] : [[part, lagOf(lag[part])] as const]));
  return {
    [`${plural}_lag`]: lag.total === undefined ? null : { ...lagOf(lag.total), parts: Object.fromEntries(parts) },
    [`${plural}_lag_steps`]:
      role === "primary"
        ? null
        : lagSteps.map(({ until, figures: { count, p50Ms, p99Ms } }) => ({
            until: new Date(until).toISOString(),
            count,
            p50: p50Ms / MS_PER_SECOND,
            p99: p99Ms / MS_PER_SECOND,
          })),
    [`${plural}_backlog_ages`]:
      role === "primary"
        ? null
        : backlogAges.map(({ upToSeconds, rows }) => ({ up_to_seconds: upToSeconds ?? null, count: rows })),
    [`${plural}_recount`]:
      audit === undefined
        ? null
        : { verdict: audit.verdict, difference: audit.difference, at: new Date(audit.at).toISOString() },
  };
};

/** Ours, counted: what a script that waits for a site needs to see go to zero, and how much it is in bytes. */
const queuesOf = (
  role: SiteRole,
  { plural, isVerified }: StatusType,
  cells: readonly CountedCell[] | undefined,
): Readonly<Record<string, number | null>> => {
  const waiting = role === "secondary" ? cells?.filter(isSynced) : cells;
  return {
    [`${plural}_queued_count`]: role === "primary" || cells === undefined ? null : rowsWhere(cells, isQueued),
    [`${plural}_verification_queued_count`]:
      waiting === undefined || !isVerified ? null : rowsWhere(waiting, isVerificationQueued),
    [`${plural}_bytes`]:
      cells === undefined
        ? null
        : Math.max(
            0,
            cells.reduce((sum, { bytes }) => sum + bytes, 0),
          ),
  };
};

/**
 * All fields of one type. Null is what this kind of site does not gather, what could not be read, and every count of
 * verifications of a type that is not verified.
 */
export const fieldsOfType = (
  role: SiteRole,
  type: StatusType,
  { cells, rolledUp }: TypeFacts,
): Readonly<Record<string, unknown>> => {
  const gathered = (): Fields => {
    if (cells === undefined) return NOT_GATHERED;
    return role === "primary" ? fieldsOfPrimary(cells) : fieldsOfSecondary(cells, rolledUp);
  };
  const values: Fields = { ...gathered(), ...(!type.isVerified ? UNVERIFIED : {}) };
  // The keys are those of the table of status fields.
  const entries = Object.entries(values).map(([key, value]) => [type.statusFields[key as StatusFieldKey], value]);
  return {
    ...Object.fromEntries(entries),
    ...queuesOf(role, type, cells),
    ...rolledUpFields(role, type.plural, rolledUp),
  };
};
