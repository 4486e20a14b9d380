import * as z from "zod/mini";
import type { Suspicion } from "../../geo/counter-audit.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { ROW_PARTITIONS } from "../../geo/registry-row.ts";
import type { AuditVerdict } from "../../geo/type-summary.ts";
import type { AttributeValue, Item, ItemKey, QueryRequest, Table } from "../../ports/table.ts";

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
  /** The next try of a recount that could tell nothing: when it is due, and how many there will have been with it. */
  readonly again: { readonly at: number; readonly tries: number } | undefined;
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
  again: undefined,
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
  again: z.optional(z.object({ at: z.number(), tries: z.number() })),
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

/** What is known of each type's recounts, without what can not be read. */
export const parseAudits = (items: readonly Item[]): ReadonlyMap<string, TypeAudit> =>
  new Map(
    items.flatMap((item) => {
      const { success, data } = z.safeParse(Stored, item);
      if (!success) return [];
      const { sk, version, finished_at: finishedAt, lease_until: leaseUntil, last, open, again, suspicion } = data;
      const audit: TypeAudit = {
        version,
        finishedAt,
        leaseUntil,
        last,
        suspicion,
        again,
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

/** Items that can not be read, by type: `replaceAudit` makes each a type that is seen for the first time. */
export const unreadableAudits = (items: readonly Item[]): ReadonlyMap<string, Item> =>
  new Map(
    items.flatMap((item) =>
      typeof item["sk"] === "string" && !z.safeParse(Stored, item).success ? [[item["sk"], item] as const] : [],
    ),
  );

/** How the last recount of each type ended that has had one. */
export const parseVerdicts = (items: readonly Item[]): ReadonlyMap<string, AuditVerdict> =>
  new Map([...parseAudits(items)].flatMap(([name, { last }]) => (last === undefined ? [] : [[name, last] as const])));

const itemOf = (
  replicableName: string,
  version: number,
  { finishedAt, leaseUntil, last, open, again, suspicion }: TypeAudit,
): Item & ItemKey => ({
  ...keyOf(replicableName),
  version,
  finished_at: finishedAt,
  lease_until: leaseUntil,
  ...(last && { last: { at: last.at, verdict: last.verdict, difference: last.difference } }),
  ...(again && { again: { at: again.at, tries: again.tries } }),
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
});

/**
 * Writes what is known of a type's recounts in place of what was read.
 * @returns what it is now; nothing when somebody else has written meanwhile, who then goes on with it
 */
export const saveAudit = async (
  siteTable: Pick<Table, "put">,
  replicableName: string,
  seen: TypeAudit,
  audit: TypeAudit,
): Promise<TypeAudit | undefined> => {
  const version = seen.version + 1;
  const written = await siteTable.put(itemOf(replicableName, version, audit), {
    condition: "attribute_not_exists(#version) OR #version = :seen",
    names: { "#version": "version" },
    values: { ":seen": seen.version },
  });
  return written.outcome === "written" ? { ...audit, version } : undefined;
};

/** Writes over an item that can not be read, whatever it has for a version, unless somebody else has written meanwhile. */
export const replaceAudit = async (
  siteTable: Pick<Table, "put">,
  replicableName: string,
  unreadable: Item,
  audit: TypeAudit,
): Promise<void> => {
  const seen: AttributeValue | undefined = unreadable["version"];
  const names = { "#version": "version" };
  await siteTable.put(
    itemOf(replicableName, typeof seen === "number" ? seen + 1 : 1, audit),
    seen === undefined
      ? { condition: "attribute_not_exists(#version)", names, values: {} }
      : { condition: "#version = :seen", names, values: { ":seen": seen } },
  );
};
