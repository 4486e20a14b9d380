import pMap from "p-map";
import { type Finding, judge, type ListedKey } from "../../geo/consistency.ts";
import { KEYS_IN_FLIGHT } from "../../geo/limits.ts";
import { parseRegistryRow, type RegistryRow, rowKey } from "../../geo/registry-row.ts";
import type { Replicable } from "../../geo/replicable.ts";
import { needsMetadata } from "../../geo/walk-scope.ts";
import type { ReadableBucket } from "../../ports/object-store.ts";
import type { ScopeReader, SwitchReader, LateReader } from "../../ports/site.ts";
import type { ManyReader } from "../../ports/table.ts";
import type { SiteSettings } from "../../geo/site-settings.ts";

/** What judging keys needs of a secondary. */
export interface JudgingSite {
  readonly primary: Pick<ReadableBucket, "head">;
  readonly registry: ManyReader;
  readonly scope: ScopeReader;
  readonly switches: SwitchReader;
  readonly settings: LateReader<SiteSettings>;
}

/** A key of a type, by what the listings show and what its pattern finds in it. */
export interface OwnKey {
  readonly listed: ListedKey;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Judged {
  readonly key: string;
  readonly finding: Finding;
}

const isKept = (row: RegistryRow | undefined): boolean => row !== undefined && row.state !== "absent";

/**
 * What each key is found to be: the rows are read in one go; the primary is asked about an object only where a listing can
 * not tell whether this site's rule wants it.
 *
 * @param everything the scope has changed since the last walk
 * @throws TableUnavailableError when the rows can not be read
 */
export const judgeKeys = async (
  site: JudgingSite,
  replicable: Replicable,
  keys: readonly OwnKey[],
  everything: boolean,
): Promise<readonly Judged[]> => {
  const replicableName = replicable.name;
  const items = await site.registry.getMany(keys.map(({ listed: { key } }) => rowKey({ replicableName, key })));
  const rows = new Map(items.map((item) => parseRegistryRow(item)).map((row) => [row.sk, row]));
  const { selectiveSync } = await site.settings.read();
  const { verification } = await site.switches.of(replicableName);
  const keepsObjects = await site.scope.keepsObjects();

  const judgeOne = async ({ listed, attributes }: OwnKey): Promise<Finding> => {
    const row = rows.get(listed.key);
    const finding = judge(listed, row);
    if (finding === "held" || finding === "under_way") return finding;
    // A site that keeps no replicas forgets its rows, and leaves alone what lies in its bucket (F50, F54).
    if (!keepsObjects) return isKept(row) ? "out_of_scope" : "unwanted";
    if (needsMetadata(finding, everything, selectiveSync, replicable, attributes)) {
      const seen = await site.primary.head(listed.key);
      // What can not be asked now, or is gone by now, is for whoever looks at the key.
      if (seen.outcome !== "present") return finding === "equal" ? "stale" : finding;
      if (!(await site.scope.wants({ replicableName, key: listed.key }, seen.facts.metadata))) {
        return isKept(row) || listed.replica !== undefined ? "out_of_scope" : "unwanted";
      }
    }
    return finding === "equal" && verification && row?.verification_state !== "succeeded" ? "unverified" : finding;
  };

  return pMap(keys, async (key) => ({ key: key.listed.key, finding: await judgeOne(key) }), {
    concurrency: KEYS_IN_FLIGHT,
  });
};
