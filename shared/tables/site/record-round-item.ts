import * as z from "zod/mini";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { RecordRound } from "../../geo/record-round.ts";
import { ROW_PARTITIONS } from "../../geo/registry-row.ts";
import type { Item, ItemKey, QueryRequest, UpdateRequest } from "../../ports/table.ts";

const ROUND = "round#";

const Stored = z.object({
  sk: z.string(),
  partition: z.optional(z.number().check(z.gte(0), z.lt(ROW_PARTITIONS))),
  finished_at: z.number(),
});

/** Remembers how far the round of a type has come, and lets go of it. */
export const saveRound = (replicableName: string, { partition, finishedAt }: RecordRound): Item & ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.consistency,
  sk: `${ROUND}${replicableName}`,
  finished_at: finishedAt,
  ...(partition === undefined ? {} : { partition }),
});

/**
 * Takes the round of a type for one run: runs overlap, and a second one would read the same again. Safety does not rest on
 * it: what is listed twice stays as it is.
 */
export const takeRound = (
  replicableName: string,
  { finishedAt }: RecordRound,
  now: number,
  leaseUntil: number,
): UpdateRequest => ({
  key: { pk: SITE_TABLE_PARTITIONS.consistency, sk: `${ROUND}${replicableName}` },
  update: "SET lease_until = :lease_until",
  condition: "finished_at = :finished_at AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
  values: { ":lease_until": leaseUntil, ":finished_at": finishedAt, ":now": now },
});

/** The rounds of all types. */
export const roundsQuery = (): QueryRequest => ({
  condition: "pk = :pk AND begins_with(sk, :prefix)",
  values: { ":pk": SITE_TABLE_PARTITIONS.consistency, ":prefix": ROUND },
  limit: 1_000,
});

/** How far each type's round has come. What can not be read is a type that is seen for the first time. */
export const parseRounds = (items: readonly Item[]): ReadonlyMap<string, RecordRound> =>
  new Map(
    items.flatMap((item) => {
      const { success, data } = z.safeParse(Stored, item);
      if (!success) return [];
      const { sk, partition, finished_at: finishedAt } = data;
      return [[sk.slice(ROUND.length), { partition, finishedAt }] as const];
    }),
  );
