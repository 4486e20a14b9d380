import { judgeKeys } from "./judge-keys.ts";
import { listBothSides } from "./list-both-sides.ts";
import type { Walker, WalkingSite } from "./walk-range.ts";

/** The registry's consistency: both buckets, side by side, against a secondary's rows. */
export const registryWalker = (site: WalkingSite): Walker => ({
  ...site,
  isWalked: ({ replication }) => replication,
  isPaused: async () => !(await site.settings.read()).enabled,
  scopeOf: async ({ name }) => {
    const { selectiveSync, scopeChangedAt } = await site.settings.read();
    return {
      selectiveSync,
      keepsObjects: await site.scope.keepsObjects(),
      ruleChangedAt: scopeChangedAt,
      flagsChangedAt: await site.switches.changedAt(name),
    };
  },
  list: (range) => listBothSides(site.primary, site.replica, range),
  judge: (replicable, keys, everything) => judgeKeys(site, replicable, keys, everything),
});
