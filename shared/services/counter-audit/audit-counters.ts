import {
  againAfterMs,
  AUDIT_EVERY_MS,
  AUDIT_SETTLES_MS,
  AUDIT_TRIES_MAX,
  CONFIRMED_AFTER_MS,
  differenceOf,
  judgeAudit,
  type Tally,
} from "../../geo/counter-audit.ts";
import { COUNTED } from "../../geo/counter-slices.ts";
import type { CountedTable } from "../../geo/counters.ts";
import { leaseMs } from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import { parsePartitionSet } from "../../geo/partition-set.ts";
import { ROW_PARTITIONS } from "../../geo/registry-row.ts";
import type { SiteBase } from "../../ports/site.ts";
import type { Table } from "../../ports/table.ts";
import {
  auditsQuery,
  NEVER_AUDITED,
  type OpenAudit,
  parseAudits,
  replaceAudit,
  saveAudit,
  type TypeAudit,
  unreadableAudits,
} from "../../tables/site/counter-audit-item.ts";
import type { Counter } from "../../tables/site/counter-item.ts";
import { listCounters } from "../../tables/site/list-counters.ts";
import { putCounterRight } from "../../tables/site/put-counter-right.ts";
import { fillPartitions } from "../filled-partitions.ts";
import { recountSome } from "./recount.ts";

/** What recounting needs of a site. */
export interface AuditedSite extends Pick<SiteBase, "clock" | "telemetry" | "functionTimeoutMs"> {
  /** The counted table. */
  readonly rows: Pick<Table, "query">;
  readonly counted: CountedTable;
  readonly siteTable: Pick<Table, "get" | "query" | "put" | "update">;
}

/** What one run did. */
export interface AuditedOnce {
  /** Types whose recount has ended with a verdict. */
  readonly judged: number;
  /** Partitions that were read. */
  readonly partitions: number;
}

/** How many partitions are read before it is remembered that they were: some seconds' work. */
const SAVED_EVERY = 256;

/** What is remembered is never older than this and the four partitions that are being read: those of a large type take minutes. */
const SAVED_AFTER_MS = 20_000;

/** What a type's counters hold, as a recount finds it in the rows. */
interface CountedNow {
  readonly tally: Tally;
  readonly clock: number;
  readonly changes: number;
  readonly asOf: number;
}

const tallyOf = (counter: Counter): readonly (readonly [string, number])[] => [
  ...[...counter.cells].flatMap(([name, { rows, bytes }]) => {
    const states = name.slice(name.indexOf("#") + 1);
    return [[`${COUNTED.rows}${states}`, rows] as const, [`${COUNTED.bytes}${states}`, bytes] as const];
  }),
  ...[...counter.waiting].map(([granule, rows]) => [`${COUNTED.waiting}${granule}`, rows] as const),
];

const countedNow = async ({ siteTable, counted }: AuditedSite, replicableName: string): Promise<CountedNow> => {
  const all = await listCounters(siteTable, counted);
  const counters = all.filter((counter) => counter.replicableName === replicableName);
  const clock = Math.max(0, ...counters.map((counter) => counter.clock ?? 0));
  return {
    // Brought to one clock and added up where they are compared.
    tally: counters.flatMap(tallyOf).reduce((sums, [name, number]) => {
      sums.set(name, (sums.get(name) ?? 0) + number);
      return sums;
    }, new Map<string, number>()),
    clock,
    changes: counters.reduce((sum, { changes }) => sum + changes, 0),
    asOf: Math.max(0, ...counters.map(({ asOf }) => asOf ?? 0)),
  };
};

const begin = async (site: AuditedSite, replicableName: string, tries: number): Promise<OpenAudit> => {
  const { clock, changes } = await countedNow(site, replicableName);
  return {
    startedAt: site.clock.now(),
    tries,
    clock,
    changesBefore: changes,
    partition: 0,
    walkedAt: undefined,
    newestRowAt: 0,
    tally: {},
    filled: "",
  };
};

/** The first numbers that differ, for a log: `c#2#2 +3`. */
const textOf = (difference: Tally): string =>
  [...difference]
    .slice(0, 50)
    .map(([name, more]) => `${name} ${more > 0 ? "+" : ""}${more}`)
    .join(", ");

/** Holds a recount against the counters. What comes of it is told, and put right where that is certain. */
const judge = async (
  site: AuditedSite,
  replicableName: string,
  audit: TypeAudit,
  open: OpenAudit,
): Promise<TypeAudit> => {
  const { siteTable, telemetry, counted } = site;
  const now = site.clock.now();
  const counters = await countedNow(site, replicableName);
  const clock = Math.max(open.clock, counters.clock);
  const difference = differenceOf(new Map(Object.entries(open.tally)), counters.tally, clock);
  const changes = counters.changes - open.changesBefore;
  const { verdict, size, isToBePutRight, suspicion } = judgeAudit({
    difference,
    clock,
    suspicion: audit.suspicion,
    changes,
    newestRowAt: open.newestRowAt,
    asOf: counters.asOf,
    now,
  });
  if (verdict === "different") {
    telemetry.count(COUNT_METRICS.countsDiffer, 1, replicableName);
    telemetry.count(COUNT_METRICS.countsDiffer, 1);
    const details = { replicable_name: replicableName, difference: size, rows_have_more: textOf(difference) };
    telemetry.error("counts_differ", { ...details, put_right: isToBePutRight });
  } else {
    telemetry.info("recounted", { replicable_name: replicableName, verdict, difference: size });
  }
  if (isToBePutRight) {
    await siteTable.update(putCounterRight(counted, replicableName, difference, open.startedAt));
  }
  // What was put right is looked at again at once, and what may have been a matter of the moment when the type may rest; a
  // difference that was found in peace waits until it is certain.
  const mayTryAgain = open.tries < AUDIT_TRIES_MAX;
  const wasBusy = (verdict !== "exact" && changes > 0) || verdict === "unsettled";
  return {
    ...audit,
    last: { at: now, verdict, difference: size },
    suspicion,
    finishedAt: now,
    open: isToBePutRight && mayTryAgain ? await begin(site, replicableName, open.tries + 1) : undefined,
    again: wasBusy && mayTryAgain ? { at: now + againAfterMs(replicableName), tries: open.tries + 1 } : undefined,
  };
};

/** Reads on until a recount is through its partitions or time is up, and remembers how far it came. */
const walk = async (
  site: AuditedSite,
  replicableName: string,
  audit: TypeAudit,
  open: OpenAudit,
  stopAt: number,
): Promise<TypeAudit | undefined> => {
  let now: TypeAudit | undefined = audit;
  let at = open;
  let savedAt = site.clock.now();
  while (at.partition < ROW_PARTITIONS && site.clock.now() < stopAt) {
    at = await recountSome(site.rows, replicableName, at);
    const isToBeSaved = at.partition % SAVED_EVERY === 0 || site.clock.now() - savedAt > SAVED_AFTER_MS;
    if (isToBeSaved && at.partition < ROW_PARTITIONS) {
      now = await saveAudit(site.siteTable, replicableName, now, { ...now, open: at });
      if (now === undefined) return undefined;
      savedAt = site.clock.now();
    }
  }
  if (at.partition < ROW_PARTITIONS) return { ...now, open: at };
  const missing = await fillPartitions(site.siteTable, site.counted, replicableName, [...parsePartitionSet(at.filled)]);
  if (missing > 0) site.telemetry.warn("partitions_added", { replicable_name: replicableName, partitions: missing });
  return { ...now, open: { ...at, walkedAt: site.clock.now() } };
};

/** Goes on with the recount of one type; nothing to be done about one whose changes have yet to be counted. */
const auditType = async (
  site: AuditedSite,
  replicableName: string,
  seen: TypeAudit,
  stopAt: number,
): Promise<{ readonly judged: boolean; readonly partitions: number }> => {
  const { siteTable, clock, functionTimeoutMs } = site;
  const nothing = { judged: false, partitions: 0 };
  const settles = seen.open?.walkedAt !== undefined && clock.now() < seen.open.walkedAt + AUDIT_SETTLES_MS;
  if (settles) return nothing;
  const leaseUntil = clock.now() + leaseMs(functionTimeoutMs);
  const taken = await saveAudit(siteTable, replicableName, seen, { ...seen, leaseUntil });
  if (taken === undefined) return nothing;
  const open = taken.open ?? (await begin(site, replicableName, taken.again?.tries ?? 1));
  const isWalked = open.walkedAt !== undefined;
  const next = isWalked
    ? await judge(site, replicableName, taken, open)
    : await walk(site, replicableName, taken, open, stopAt);
  if (next === undefined) return nothing;
  // `walk` writes as it goes: what it hands back rests on its last write.
  await saveAudit(siteTable, replicableName, next, { ...next, leaseUntil: 0 });
  return { judged: isWalked, partitions: (next.open?.partition ?? ROW_PARTITIONS) - open.partition };
};

const isDue = ({ open, again, finishedAt, leaseUntil, suspicion }: TypeAudit, now: number): boolean => {
  const everyMs = suspicion === undefined ? AUDIT_EVERY_MS : CONFIRMED_AFTER_MS;
  const isAgain = again !== undefined && now >= again.at;
  return leaseUntil <= now && (open !== undefined || isAgain || now - finishedAt >= everyMs);
};

/**
 * Recounts the rows of each type once a week and holds them against its counters. Goes on from where an earlier run stopped;
 * any number of runs may overlap, and any may die anywhere. A type that is seen for the first time has its first recount
 * after a week, and so has one of which nothing legible is remembered.
 *
 * @param stopAt when to begin nothing more, milliseconds since the epoch
 * @throws TableUnavailableError when a table did not answer: the recount goes on from where it was last remembered
 */
export const auditCounters = async (
  site: AuditedSite,
  replicables: readonly { readonly name: string }[],
  stopAt: number,
): Promise<AuditedOnce> => {
  const { clock, siteTable, telemetry } = site;
  const { items } = await siteTable.query(auditsQuery());
  const audits = parseAudits(items);
  const unreadable = unreadableAudits(items);
  let judged = 0;
  let partitions = 0;
  for (const { name } of replicables) {
    const now = clock.now();
    if (now >= stopAt) break;
    const audit = audits.get(name);
    const broken = unreadable.get(name);
    const first = { ...NEVER_AUDITED, finishedAt: now };
    if (broken !== undefined) {
      // Without its contents: what is in it is not ours.
      telemetry.error("recount_unreadable", { replicable_name: name });
      await replaceAudit(siteTable, name, broken, first);
    } else if (audit === undefined) {
      await saveAudit(siteTable, name, NEVER_AUDITED, first);
    }
    if (audit === undefined || !isDue(audit, now)) continue;
    const done = await auditType(site, name, audit, stopAt);
    judged += done.judged ? 1 : 0;
    partitions += done.partitions;
  }
  return { judged, partitions };
};
