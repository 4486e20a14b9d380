import * as z from "zod";
import { countsOf, type SiteStatusAnswer, type TypeCounts } from "../../shared/client/contract.ts";
import { titleCase } from "../../shared/geo/inflection.ts";
import { deriveStatusFields, STATUS_FIELD_SUFFIXES } from "../../shared/geo/naming.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";

/** How many of a type's objects have come somewhere. `queued` and `failed` are among those that have not. */
export interface Part {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly queued: number;
}

/** Seconds from a write on the primary to its verified replica. */
const Lag = z.object({ p50: z.number(), p99: z.number(), max: z.number() });
export type Lag = z.infer<typeof Lag>;

/** How far a site has come with one type. A part is null where this kind of site has none, or could not count it. */
export interface TypeProgress {
  /** As `--type` has it. */
  readonly replicableName: string;
  /** For people, the plural. */
  readonly title: string;
  /** How many objects a primary has, and of how many a secondary has heard; null when it could not count them. */
  readonly objects: number | null;
  readonly checksummed: Part | null;
  readonly replicated: Part | null;
  /** Null as well where the type is not verified. */
  readonly verified: Part | null;
  readonly bytes: number | null;
  /** Of what was verified within the last hour; null when there was nothing. */
  readonly lag: Lag | null;
  /** Since when the oldest object waits that is not synced, milliseconds since the epoch; null when none does. */
  readonly oldestUnsyncedAt: number | null;
}

const partOf = (
  done: number | null,
  total: number | null,
  failed: number | null,
  queued: number | null,
): Part | null =>
  done === null || total === null ? null : { done, total, failed: failed ?? 0, queued: queued ?? total - done };

/**
 * What is to be verified: every row, also one that is not synced yet, and one that waits for the primary's digest and is
 * `disabled` until it is there (F16). Where a type is not verified, its counts are null.
 */
const toVerify = ({ registryCount, verifiedCount }: TypeCounts): number | null =>
  verifiedCount === null ? null : registryCount;

const oldestOf = ({ oldestUnsyncedTime: at }: TypeCounts): number | null => (at === null || at < 0 ? null : at * 1_000);

const progressOf = (
  status: SiteStatusAnswer,
  plural: string,
  known: Pick<Replicable, "name" | "names"> | undefined,
): TypeProgress => {
  const counts = countsOf(status, { plural, statusFields: deriveStatusFields(plural) });
  const lag = Lag.safeParse(status[`${plural}_lag`]);
  return {
    replicableName: known?.name ?? plural,
    title: known?.names.titlePlural ?? titleCase(plural),
    objects: status.primary ? counts.count : counts.registryCount,
    checksummed: status.primary
      ? partOf(
          counts.checksummedCount,
          counts.checksumTotalCount,
          counts.checksumFailedCount,
          counts.verificationQueued,
        )
      : null,
    replicated: partOf(counts.syncedCount, counts.registryCount, counts.failedCount, counts.queued),
    verified: partOf(counts.verifiedCount, toVerify(counts), counts.verificationFailedCount, counts.verificationQueued),
    bytes: counts.bytes,
    lag: lag.success ? lag.data : null,
    oldestUnsyncedAt: oldestOf(counts),
  };
};

/** By this field every type is known by which a status speaks, whatever version the site has. */
const OF_TYPE = `_${STATUS_FIELD_SUFFIXES.syncedInPercentage}`;

/**
 * How far a site has come with each type that it speaks of, in the order in which it does.
 * @param replicables names for people; a type that this checkout does not know is told by its plural
 */
export const typesOf = (status: SiteStatusAnswer, replicables: readonly Replicable[]): readonly TypeProgress[] =>
  Object.keys(status)
    .filter((field) => field.endsWith(OF_TYPE))
    .map((field) => field.slice(0, -OF_TYPE.length))
    .map((plural) =>
      progressOf(
        status,
        plural,
        replicables.find(({ names }) => names.plural === plural),
      ),
    );

/** Whether there is nothing to tell of a type. One that could not be counted is told. */
export const isEmpty = ({ checksummed, replicated, bytes }: TypeProgress): boolean =>
  bytes !== null && (checksummed?.total ?? 0) === 0 && (replicated?.total ?? 0) === 0;

/** All types of a site together. */
export const sumOf = (parts: readonly (Part | null)[]): Part =>
  parts.reduce<Part>(
    (sum, part) => ({
      done: sum.done + (part?.done ?? 0),
      total: sum.total + (part?.total ?? 0),
      failed: sum.failed + (part?.failed ?? 0),
      queued: sum.queued + (part?.queued ?? 0),
    }),
    { done: 0, total: 0, failed: 0, queued: 0 },
  );
