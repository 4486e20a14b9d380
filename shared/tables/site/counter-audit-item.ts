import * as z from "zod/mini";
import type { Suspicion } from "../../geo/counter-audit.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { ROW_PARTITIONS } from "../../geo/registry-row.ts";
import type { AuditVerdict } from "../../geo/type-summary.ts";
import type { Item, ItemKey, QueryRequest, Table } from "../../ports/table.ts";

/**
 * How far the recount of a type has come, and how the last one ended: an item for each type. Whoever goes on with a recount
 * takes it for a while first, and everything that he writes rests on the version that he took.
 */

/** A recount that is under way. Times: milliseconds since the epoch. */
export interface OpenAudit {
  readonly startedAt: number;
  /** How many recounts in a row this is, from 1. */
  readonly tries: number;
  /** The clock that waiting rows are recounted by. */
  readonly clock: number;
  /** How many changes of the type had been counted when it began. */
  readonly changesBefore: number;
  /** The partition to go on from; `ROW_PARTITIONS` when all rows have been read. */
  readonly partition: number;
  /** When the last row was read; undefined before. */
  readonly walkedAt: number | undefined;
  readonly newestRowAt: number;
  /** What has been found so far. */
  readonly tally: Readonly<Record<string, number>>;
  /** The partitions in which rows were found, packed. */
  readonly filled: string;
}

/** What is known of the recounts of a type. */
export interface TypeAudit {
  /** When the last one ended; a type that is seen for the first time counts as recounted. */
  readonly finishedAt: number;
  readonly open: OpenAudit | undefined;
  readonly last: AuditVerdict | undefined;
  readonly suspicion: Suspicion | undefined;
  readonly leaseUntil: number;
  /** Counts every write; 0 for a type that has none. */
  readonly version: number;
}

/** A type that is seen for the first time. */
export const NEVER_AUDITED: TypeAudit = {
  finishedAt: 0,
  open: undefined,
  last: undefined,
  suspicion: undefined,
  leaseUntil: 0,
  version: 0,
};

const Stored = z.object({
  sk: z.string(),
  version: z.number(),
  finished_at: z.number(),
  lease_until: z.number(),
  last: z.optional(
    z.object({ at: z.number(), verdict: z.enum(["exact", "different", "unsettled"]), difference: z.number() }),
  ),
  suspicion: z.optional(z.object({ at: z.number(), difference: z.record(z.string(), z.number()) })),
  open: z.optional(
    z.object({
      started_at: z.number(),
      tries: z.number(),
      clock: z.number(),
      changes_before: z.number(),
      partition: z.number().check(z.gte(0), z.lte(ROW_PARTITIONS)),
      walked_at: z.optional(z.number()),
      newest_row_at: z.number(),
      tally: z.record(z.string(), z.number()),
      filled: z.string(),
    }),
  ),
});

const keyOf = (replicableName: string): ItemKey => ({ pk: SITE_TABLE_PARTITIONS.counterAudit, sk: replicableName });

/** The recounts of all types. */
export const auditsQuery = (): QueryRequest => ({
  condition: "pk = :pk",
  values: { ":pk": SITE_TABLE_PARTITIONS.counterAudit },
  limit: 1_000,
});

/** What is known of each type's recounts. What can not be read is a type that is seen for the first time. */
export const parseAudits = (items: readonly Item[]): ReadonlyMap<string, TypeAudit> =>
  new Map(
    items.flatMap((item) => {
      const { success, data } = z.safeParse(Stored, item);
      if (!success) return [];
      const { sk, version, finished_at: finishedAt, lease_until: leaseUntil, last, open, suspicion } = data;
      const audit: TypeAudit = {
        version,
        finishedAt,
        leaseUntil,
        last,
        suspicion,
        open: open && {
          startedAt: open.started_at,
          tries: open.tries,
          clock: open.clock,
          changesBefore: open.changes_before,
          partition: open.partition,
          walkedAt: open.walked_at,
          newestRowAt: open.newest_row_at,
          tally: open.tally,
          filled: open.filled,
        },
      };
      return [[sk, audit] as const];
    }),
  );

/** How the last recount of each type ended that has had one. */
export const parseVerdicts = (items: readonly Item[]): ReadonlyMap<string, AuditVerdict> =>
  new Map([...parseAudits(items)].flatMap(([name, { last }]) => (last === undefined ? [] : [[name, last] as const])));

/**
 * Writes what is known of a type's recounts in place of what was read.
 * @returns what it is now; nothing when somebody else has written meanwhile, who then goes on with it
 */
export const saveAudit = async (
  siteTable: Pick<Table, "put">,
  replicableName: string,
  seen: TypeAudit,
  { finishedAt, leaseUntil, last, open, suspicion }: TypeAudit,
): Promise<TypeAudit | undefined> => {
  const version = seen.version + 1;
  const written = await siteTable.put(
    {
      ...keyOf(replicableName),
      version,
      finished_at: finishedAt,
      lease_until: leaseUntil,
      ...(last && { last: { at: last.at, verdict: last.verdict, difference: last.difference } }),
      ...(suspicion && { suspicion: { at: suspicion.at, difference: suspicion.difference } }),
      ...(open && {
        open: {
          started_at: open.startedAt,
          tries: open.tries,
          clock: open.clock,
          changes_before: open.changesBefore,
          partition: open.partition,
          ...(open.walkedAt === undefined ? {} : { walked_at: open.walkedAt }),
          newest_row_at: open.newestRowAt,
          tally: open.tally,
          filled: open.filled,
        },
      }),
    },
    {
      condition: "attribute_not_exists(#version) OR #version = :seen",
      names: { "#version": "version" },
      values: { ":seen": seen.version },
    },
  );
  return written.outcome === "written" ? { finishedAt, leaseUntil, last, open, suspicion, version } : undefined;
};
