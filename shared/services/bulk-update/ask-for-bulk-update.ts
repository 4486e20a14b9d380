import {
  BULK_KEPT_MS,
  BULK_SAME_MS,
  type BulkUpdate,
  type BulkUpdateAnswer,
  bulkUpdateAnswer,
} from "../../geo/bulk-progress.ts";
import { bulkIdOf, type BulkRequest, type BulkSelection } from "../../geo/bulk-request.ts";
import { isServed } from "../../geo/bulk-selection.ts";
import { quoted } from "../../geo/key-codec.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { SiteRole } from "../../geo/site-status.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Table } from "../../ports/table.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Workflow } from "../../ports/workflows.ts";
import {
  beginBulkUpdate,
  bulkUpdateKey,
  bulkUpdatesQuery,
  endBulkUpdate,
  forgetBulkUpdate,
  goOnWithBulkUpdate,
  parseBulkUpdate,
} from "../../tables/site/bulk-updates.ts";
import { everyItem } from "../../tables/every-item.ts";
import { keyMatcher } from "../key-matcher.ts";
import { CachedSwitches } from "../type-switches.ts";
import { endedWithoutAWord } from "../ended-without-a-word.ts";
import { executionOf, startExecution } from "./go-on.ts";

/** What bulk updates are asked for and looked at with. */
export interface BulkAsking {
  readonly site: { readonly role: SiteRole };
  readonly replicables: readonly Replicable[];
  readonly siteTable: Pick<Table, "get" | "query" | "put" | "update" | "delete">;
  /** The primary's own table, where the flags of all sites are. */
  readonly primarySiteTable: Pick<Table, "get">;
  readonly bulkWorkflow: Pick<Workflow, "start" | "describe">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** `invalid`: what was sent can not be meant; `off`: its type is switched off now. */
export type AskedForBulk =
  | { readonly asked: "new" | "going_on" | "same"; readonly answer: BulkUpdateAnswer }
  | { readonly asked: "invalid" | "off"; readonly problem: string };

/**
 * How often to look again because others write the same request. A function whose execution was stopped is one of them: it
 * notes several times a second how far it has come, until its time is up.
 */
const TRIES_MAX = 20;

/** How many wrong keys are named. */
const SHOWN_KEYS_MAX = 5;

const problemOf = async (
  { site, replicables, primarySiteTable, clock }: BulkAsking,
  selection: BulkSelection,
): Promise<Extract<AskedForBulk, { problem: string }> | undefined> => {
  const switches = new CachedSwitches(primarySiteTable, replicables, clock);
  const [name = "", ...others] = selection.replicableNames;
  if (others.length > 0) return undefined;
  if (!isServed(site.role, selection, await switches.of(name))) {
    return {
      asked: "off",
      problem: `${name} is switched off, so nothing of it is done; see the features of this site`,
    };
  }
  const matching = await keyMatcher(replicables, switches);
  const strange = (selection.keys ?? []).filter((key) => matching(key)?.replicable.name !== name);
  if (strange.length === 0) return undefined;
  const named = strange.slice(0, SHOWN_KEYS_MAX).map(quoted).join(", ");
  return { asked: "invalid", problem: `keys: expected keys of ${name}, got ${named}` };
};

/** Has it go on where it is, by an execution of its own. Undefined when somebody else has written it meanwhile. */
const resume = async (asking: BulkAsking, seen: BulkUpdate): Promise<BulkUpdate | undefined> => {
  const written = await asking.siteTable.update(goOnWithBulkUpdate(seen, asking.clock.now()));
  if (written.outcome === "refused") return undefined;
  const update = parseBulkUpdate(written.item);
  await startExecution(asking.bulkWorkflow, update);
  return update;
};

/** What there is of the same request, if that is what is wanted: it runs, or ended within the hour. */
const goOnWithSame = async (
  asking: BulkAsking,
  seen: BulkUpdate,
  force: boolean,
): Promise<{ readonly asked: "going_on" | "same"; readonly update: BulkUpdate } | "begin" | "look_again"> => {
  const goesOn = async () => {
    const update = await resume(asking, seen);
    return update === undefined ? "look_again" : ({ asked: "going_on", update } as const);
  };
  if (seen.state === "running") {
    const execution = await asking.bulkWorkflow.describe(executionOf(seen));
    if (execution?.status === "running") return { asked: "same", update: seen };
    // Whoever wrote it died before starting it, or its execution ended without a word: it timed out, or was stopped.
    if (execution !== undefined) return goesOn();
    await startExecution(asking.bulkWorkflow, seen);
    return { asked: "going_on", update: seen };
  }
  const isRecent = asking.clock.now() - (seen.endedAt ?? 0) < BULK_SAME_MS;
  if (force || seen.state === "cancelled" || !isRecent) return "begin";
  return seen.state === "failed" ? goesOn() : { asked: "same", update: seen };
};

/** Requests that ended long ago are forgotten when a new one is made. */
const forgetOld = async ({ siteTable, clock }: BulkAsking): Promise<void> => {
  const before = clock.now() - BULK_KEPT_MS;
  for (const update of (await everyItem(siteTable, bulkUpdatesQuery())).map(parseBulkUpdate)) {
    if (update.endedAt !== undefined && update.endedAt < before) await siteTable.delete(forgetBulkUpdate(update));
  }
};

/**
 * Has something done to many rows (F77). A request that runs already is not begun again, nor one that was done within the
 * last hour, unless somebody insists; one that failed goes on from where it is.
 *
 * @param askedBy the name of the operator's token
 * @throws TableUnavailableError, WorkflowUnavailableError: it may be under way or not, and may be asked for again
 */
export const askForBulkUpdate = async (
  asking: BulkAsking,
  { selection, force }: BulkRequest,
  askedBy = "unknown",
): Promise<AskedForBulk> => {
  const problem = await problemOf(asking, selection);
  if (problem !== undefined) return problem;
  const { siteTable, clock, telemetry } = asking;
  const id = bulkIdOf(selection);
  const answered = (asked: "new" | "going_on" | "same", update: BulkUpdate): AskedForBulk => {
    const { action } = selection;
    telemetry.info("an operator asked for a bulk update", { id, action, asked, token_name: askedBy });
    return { asked, answer: bulkUpdateAnswer(update, clock.now()) };
  };
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const item = await siteTable.get(bulkUpdateKey(id));
    const seen = item === undefined ? undefined : parseBulkUpdate(item);
    const same = seen === undefined ? "begin" : await goOnWithSame(asking, seen, force);
    if (same === "look_again") continue;
    if (same !== "begin") return answered(same.asked, same.update);
    const begun = await siteTable.put(...beginBulkUpdate(id, selection, seen, { askedBy, now: clock.now() }));
    if (begun.outcome === "refused") continue;
    const update = parseBulkUpdate(begun.item);
    await startExecution(asking.bulkWorkflow, update);
    await forgetOld(asking);
    return answered("new", update);
  }
  return { asked: "off", problem: "others keep asking for the same; look at what they have asked for" };
};

/** All that is remembered, the latest first. */
export const listBulkUpdates = async ({
  siteTable,
  clock,
}: Pick<BulkAsking, "siteTable" | "clock">): Promise<readonly BulkUpdateAnswer[]> => {
  const now = clock.now();
  return (await everyItem(siteTable, bulkUpdatesQuery()))
    .map(parseBulkUpdate)
    .toSorted((a, b) => b.askedAt - a.askedAt)
    .map((update) => bulkUpdateAnswer(update, now));
};

/**
 * One of them; undefined when there is none of that id. Of one that is said to run, its error is also that its execution was
 * stopped, or took too long.
 */
export const lookAtBulkUpdate = async (
  { siteTable, clock, bulkWorkflow }: Pick<BulkAsking, "siteTable" | "clock" | "bulkWorkflow">,
  id: string,
): Promise<BulkUpdateAnswer | undefined> => {
  const item = await siteTable.get(bulkUpdateKey(id));
  if (item === undefined) return undefined;
  const update = parseBulkUpdate(item);
  const now = clock.now();
  const answer = bulkUpdateAnswer(update, now);
  if (update.state !== "running") return answer;
  const why = await endedWithoutAWord(bulkWorkflow, executionOf(update), update.updatedAt, now);
  return { ...answer, error: why ?? answer.error };
};

/**
 * Ends one: nothing more is asked of any row, a page apart that is being handed over now. What rows were asked for stays.
 * @returns the request as it is then, and whether this ended it; undefined when there is none of that id
 */
export const cancelBulkUpdate = async (
  { siteTable, clock, telemetry }: Pick<BulkAsking, "siteTable" | "clock" | "telemetry">,
  id: string,
  askedBy = "unknown",
): Promise<{ readonly cancelled: boolean; readonly answer: BulkUpdateAnswer } | undefined> => {
  const now = clock.now();
  const written = await siteTable.update(endBulkUpdate(id, { state: "cancelled" }, now));
  if (written.item === undefined) return undefined;
  const update = parseBulkUpdate(written.item);
  const cancelled = written.outcome === "written";
  if (cancelled) telemetry.info("an operator cancelled a bulk update", { id, token_name: askedBy });
  return { cancelled: update.state === "cancelled", answer: bulkUpdateAnswer(update, now) };
};
