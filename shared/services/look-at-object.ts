import { type ObjectAnswer, originalRecord, registryRecord, typeAnswer } from "../geo/object-answer.ts";
import { parseRegistryRow, parseVerificationStateRow, rowKey } from "../geo/registry-row.ts";
import { type RemovalGuardAnswer, removalGuardAnswer } from "../geo/removal-guard-answer.ts";
import type { Replicable } from "../geo/replicable.ts";
import { matchKey, type ReplicableMatch } from "../geo/replicable-match.ts";
import { type SelectiveSync, wantedByKey } from "../geo/selective-sync.ts";
import type { StatusSite } from "../geo/site-status.ts";
import type { Clock } from "../ports/clock.ts";
import type { SwitchReader } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import { parseRemovalGuard, removalGuardKey } from "../tables/site/removal-guard-item.ts";
import { readSettings } from "./change-settings.ts";
import { keyMatcher } from "./key-matcher.ts";

/** What is looked at of one key. */
export interface LookedAtSite {
  readonly site: StatusSite;
  readonly replicables: readonly Replicable[];
  readonly switches: Pick<SwitchReader, "of">;
  readonly siteTable: Pick<Table, "get">;
  /** The registry, or the primary's verification state. */
  readonly rows: Pick<Table, "get">;
  readonly clock: Clock;
}

const claimed = (replicables: readonly Replicable[], key: string, match: ReplicableMatch | undefined): string => {
  if (match === undefined) return "no type's pattern claims the key: it is replicated by nobody";
  const byPattern = matchKey(replicables, key)?.replicable ?? match.replicable;
  return byPattern.name === match.replicable.name
    ? `the pattern ${byPattern.keyPattern.text} of ${byPattern.name} claims it`
    : `the pattern ${byPattern.keyPattern.text} of ${byPattern.name} claims it, whose objects are ${match.replicable.name}'s while that is replicated`;
};

const scopeOf = (rule: SelectiveSync, { replicable, attributes }: ReplicableMatch): ObjectAnswer["selective_sync"] => ({
  type: rule.type === "none" ? null : rule.type,
  // Metadata may add owners to those of the key, so the key alone never says no.
  wanted: wantedByKey(rule, replicable, attributes) ? true : null,
});

const guardOf = async ({ siteTable, clock }: LookedAtSite, name: string): Promise<RemovalGuardAnswer> => {
  const item = await siteTable.get(removalGuardKey(name));
  return removalGuardAnswer(name, item === undefined ? undefined : parseRemovalGuard(item), clock.now());
};

const recordOf = async ({ site, rows }: LookedAtSite, name: string, key: string): Promise<ObjectAnswer["record"]> => {
  const item = await rows.get(rowKey({ replicableName: name, key }));
  if (item === undefined) return null;
  return site.role === "primary"
    ? originalRecord(parseVerificationStateRow(item))
    : registryRecord(parseRegistryRow(item));
};

/**
 * Everything that this site knows of one key, by a handful of reads of single items. Asks S3 for nothing.
 *
 * @param key that an object can have
 * @throws TableUnavailableError when a table did not answer
 */
export const lookAtObject = async (looked: LookedAtSite, key: string): Promise<ObjectAnswer> => {
  const { site, replicables, switches } = looked;
  const [settings, match] = await Promise.all([
    readSettings(looked),
    keyMatcher(replicables, switches).then((ofKey) => ofKey(key)),
  ]);
  const name = match?.replicable.name;
  const isSecondary = site.role === "secondary";
  return {
    key,
    role: site.role,
    replicable_name: name ?? null,
    claimed_because: claimed(replicables, key, match),
    enabled: settings.enabled,
    type: name === undefined ? null : typeAnswer(site.role, await switches.of(name)),
    selective_sync: isSecondary && match !== undefined ? scopeOf(settings.selectiveSync, match) : null,
    removal_guard: isSecondary && name !== undefined ? await guardOf(looked, name) : null,
    record: name === undefined ? null : await recordOf(looked, name, key),
  };
};
