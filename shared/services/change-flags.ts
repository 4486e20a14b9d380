import { type FeatureAnswer, featureAnswer, featureAnswers } from "../geo/feature-answer.ts";
import { findFlagProblem } from "../geo/feature-flags.ts";
import type { Replicable } from "../geo/replicable.ts";
import { findSwitchOverProblem } from "../geo/upload-partitions.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { flagsKey, parseFlags, setFlag } from "../tables/site/flags-item.ts";

/** What flags are read with. */
export interface FlagReading {
  /** The primary's own table, where the flags of all sites are. */
  readonly primarySiteTable: Pick<Table, "get">;
  readonly replicables: readonly Replicable[];
}

/** What flags are changed with: the primary has it. */
export interface FlagChanging extends FlagReading {
  readonly primarySiteTable: Pick<Table, "get" | "update">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Every flag as it is now, by name.
 * @throws TableUnavailableError when the primary's site table did not answer
 */
export const readFeatures = async ({ primarySiteTable, replicables }: FlagReading): Promise<readonly FeatureAnswer[]> =>
  featureAnswers(replicables, parseFlags(await primarySiteTable.get(flagsKey)));

/** What came of changing a flag. */
export type FlagChanged =
  | { readonly feature: FeatureAnswer }
  /** There is no such flag. */
  | { readonly unknown: string }
  /** It is one, and something speaks against it. */
  | { readonly problem: string };

/**
 * Sets a flag for all sites; their functions hear of it within `STANDING_KEPT_MS`. The last word counts. Said twice it
 * says the same: a flag that has been set so is not written again, since with each change goes a walk through history.
 *
 * @param value undefined: it is given back to its declaration
 * @param changedBy the name of the operator's token, for the log
 * @throws TableUnavailableError when the site table did not answer: the change may be made or not, and may be repeated
 */
export const changeFeature = async (
  changing: FlagChanging,
  name: string,
  value: boolean | undefined,
  changedBy: string | undefined,
): Promise<FlagChanged> => {
  const { primarySiteTable, replicables, clock, telemetry } = changing;
  const unknown = findFlagProblem(replicables, name);
  if (unknown !== undefined) return { unknown };
  const stored = parseFlags(await primarySiteTable.get(flagsKey));
  const before = featureAnswer(replicables, name, stored);
  const isOn = (flag: string): boolean => featureAnswer(replicables, flag, stored).state === "on";
  const problem = findSwitchOverProblem(replicables, name, value ?? before.default === "on", isOn);
  if (problem !== undefined) return { problem };
  if (stored.overrides[name] === value) return { feature: before };
  const written = await primarySiteTable.update(setFlag(name, value, clock.now()));
  const after = featureAnswer(replicables, name, parseFlags(written.item));
  telemetry.warn("an operator changed a feature flag", {
    token_name: changedBy ?? "unknown",
    flag: name,
    before: before.state,
    after: after.state,
    overridden: after.overridden,
  });
  return { feature: after };
};
