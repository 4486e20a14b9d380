import type { Command } from "commander";
import * as z from "zod";
import { GeoApiError } from "../../shared/client/client.ts";
import { addConnectionOptions } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { lookUntil } from "../look-until.ts";
import {
  addExamples,
  addOutputOption,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
  readSpan,
} from "../output/options.ts";
import { progressView, type ProgressView } from "../output/progress.ts";
import { allOf, countOf, countText, shareText, spanText } from "../output/texts.ts";
import { typeNamed } from "../registry/asked-types.ts";
import { complaintLine } from "../status/complaints.ts";
import { type SeenSites, seeSites } from "../status/seen-sites.ts";
import type { Surroundings } from "../surroundings.ts";
import {
  doubtOf,
  type Goal,
  isBlocked,
  isOnlyFailures,
  isReached,
  lookAtGoal,
  type Nearness,
} from "../wait/look-at-goal.ts";

const Options = z.object({
  ...CONNECTION_OPTIONS,
  type: z.string().optional(),
  timeout: z.string().default("10m"),
  interval: z.string().default("10s"),
  output: OutputFormat,
});
type Options = z.infer<typeof Options>;

/** How often sites are looked at, milliseconds. */
const LOOK_EVERY_MS = 2_000;

/** How long nothing but failures may be left until they are what stands in the way, milliseconds: first tries come again sooner. */
const FAILURES_STAND_MS = 60_000;

/** SQS tells what is in a queue from what its servers last said, so that once is not enough. */
const LOOKS_TO_BELIEVE = 2;

const HELP = `
Exits with 0 when every object is there at each secondary (with --site: at that one) and no queue holds a message that leads to
another, by what sites count and by what registries list, which takes tokens of scope admin_geo; with 1 when the time is up; with 3 as
soon as nothing but failures has been left for a minute, a site is paused, or what is to be verified is not verified at all. While a
site does not answer, is unhealthy or could not count, or a secondary has not compared itself with the primary to the end or has heard
of fewer objects, it goes on waiting. Types that are switched off are not waited for. What S3 has not told yet nobody waits for: its
messages take a second, and sometimes a minute.`;

/** How the waiting went. */
interface Waited extends Nearness {
  readonly state: "reached" | "blocked" | "timed_out" | "going_on";
}

/** Judges look after look; what counts is what stays so. */
const judge = (deadline: number, now: () => number) => {
  let reachedLooks = 0;
  let onlyFailuresSince: number | undefined;
  return (seen: Nearness): Waited["state"] => {
    reachedLooks = isReached(seen) ? reachedLooks + 1 : 0;
    onlyFailuresSince = isOnlyFailures(seen) ? (onlyFailuresSince ?? now()) : undefined;
    if (reachedLooks >= LOOKS_TO_BELIEVE) return "reached";
    const isStuck = onlyFailuresSince !== undefined && now() - onlyFailuresSince >= FAILURES_STAND_MS;
    if (isBlocked(seen) || isStuck) return "blocked";
    return now() >= deadline ? "timed_out" : "going_on";
  };
};

/** Why it goes on though nothing is left by the numbers. */
const doubtText = (seen: Nearness): readonly string[] => {
  const doubt = seen.done >= seen.total && seen.backlog === 0 ? doubtOf(seen) : undefined;
  return doubt === undefined ? [] : [`but ${doubt}`];
};

const more = (seen: Nearness): string => {
  const { failed, queued, backlog } = seen;
  return [
    ...(failed > 0 ? [`${countText(failed)} failed`] : []),
    ...(queued > 0 ? [`${countText(queued)} queued`] : []),
    ...(backlog === null ? ["queues unknown"] : backlog > 0 ? [`about ${countOf(backlog, "message")}`] : []),
    ...doubtText(seen),
  ].join(", ");
};

/** The same command again, as it would be typed. */
const again = (goal: Goal, { site, type, timeout }: Options): string =>
  [
    `geo wait ${goal}`,
    ...(site === undefined ? [] : [`--site ${site}`]),
    ...(type === undefined ? [] : [`--type ${type}`]),
    `--timeout ${timeout}`,
  ].join(" ");

const inTheWay = (goal: Goal, seen: Nearness, options: Options): string =>
  [
    `${shareText(seen.done, seen.total)} ${goal}${more(seen) === "" ? "" : `, ${more(seen)}`}.`,
    ...seen.obstacles.map((one) => `  ${complaintLine(one)}`),
    `Go on waiting: ${again(goal, options)}`,
  ].join("\n");

const secondariesOf = (sites: SeenSites, name: string | undefined): SeenSites => {
  const isMeant = (site: { readonly name: string }): boolean => name === undefined || site.name === name;
  const seen = sites.seen.filter((site) => site.primary || isMeant(site));
  if (sites.unreached.some(isMeant) || seen.some(({ primary }) => !primary)) {
    return { ...sites, seen, unreached: sites.unreached.filter(isMeant) };
  }
  const names = sites.seen.filter(({ primary }) => !primary).map((site) => site.name);
  throw new CommandError(
    EXIT.usage,
    names.length === 0
      ? "no secondary is known to wait for; expected one in the file of sites (GEO_SITES_FILE)"
      : `--site is ${JSON.stringify(name)}, expected one of ${names.join(", ")}`,
  );
};

/** Failures that another look may not meet. */
const PASSING: ReadonlySet<string> = new Set(["unreachable", "throttled", "failed"]);

const wait = async (goal: Goal, options: Options, surroundings: Surroundings): Promise<void> => {
  const { out, replicables, now = () => Date.now() } = surroundings;
  if (options.type !== undefined) typeNamed(options.type, replicables);
  const timeoutMs = readSpan("--timeout", options.timeout);
  const view: ProgressView = progressView(
    goal === "synced" ? "Synced" : "Verified",
    readSpan("--interval", options.interval),
    surroundings,
  );
  const begun = now();
  const judged = judge(begun + timeoutMs, now);

  const look = async (): Promise<Nearness> => {
    const sites = secondariesOf(await seeSites({ ...options, site: undefined }, surroundings), options.site);
    return lookAtGoal(sites, goal, options.type, { replicables, now: now() });
  };
  let newest: Nearness | undefined;
  const lookOn = async (): Promise<Waited> => {
    try {
      newest = await look();
    } catch (error) {
      // A first look that fails says that it can not work; a later one that somebody is away for a moment.
      if (newest === undefined || !(error instanceof GeoApiError && PASSING.has(error.reason))) throw error;
      newest = { ...newest, backlog: null };
    }
    return { ...newest, state: judged(newest) };
  };

  const { seen, isInterrupted } = await lookUntil(
    {
      look: lookOn,
      tell: (waited) => view.show({ done: waited.done, total: waited.total, more: more(waited) }),
      isSettled: ({ state }) => state !== "going_on",
      everyMs: LOOK_EVERY_MS,
    },
    surroundings,
  ).finally(() => view.end());
  const seconds = Math.round((now() - begun) / 1_000);
  if (seen === undefined || isInterrupted) {
    throw new CommandError(
      EXIT.failure,
      `interrupted; nothing was changed by waiting.\nGo on waiting: ${again(goal, options)}`,
    );
  }
  const { state, done, total, failed, queued, backlog, obstacles } = seen;
  if (options.output === "json") {
    out(jsonLine({ goal, state, done, total, failed, queued, backlog, seconds, obstacles }));
  }
  if (state === "blocked")
    throw new CommandError(EXIT.unhealthy, `this needs somebody: ${inTheWay(goal, seen, options)}`);
  if (state === "timed_out") {
    throw new CommandError(
      EXIT.failure,
      `not ${goal} within ${spanText(timeoutMs / 1_000)}: ${inTheWay(goal, seen, options)}`,
    );
  }
  if (options.output === "table") out(`${allOf(total, "object")} ${goal}, after ${spanText(seconds)}.\n`);
};

/** `geo wait …`: waits until secondaries have everything. */
export const addWait = (parent: Command, surroundings: Surroundings): void => {
  const command = parent
    .command("wait")
    .description("Waits until secondaries have everything, and shows how far they are.");
  const added = (goal: Goal, description: string): Command =>
    addOutputOption(addConnectionOptions(command.command(goal).description(description)))
      .option("--type <name>", "only objects of this type; default: of every type")
      .option("--timeout <time>", "how long to wait at most", "10m")
      .option("--interval <time>", "time between two lines, where there is no terminal", "10s")
      .addHelpText("after", HELP)
      .action(async (raw: unknown) => wait(goal, readOptions(Options, raw), surroundings));
  addExamples(
    added("synced", "Waits until every object is copied."),
    "geo wait synced",
    "geo wait synced --type lfs_object --timeout 30m",
  );
  addExamples(
    added("verified", "Waits until every object is copied and read back."),
    "geo wait verified --timeout 1h",
    "geo wait verified --site ireland --output json",
  );
};
