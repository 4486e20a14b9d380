import { judgeRecord, type ListedKey } from "../../geo/consistency.ts";
import { EVENT_ON_ITS_WAY_MS } from "../../geo/limits.ts";
import { parseVerificationStateRow, rowKey } from "../../geo/registry-row.ts";
import { EVERYTHING } from "../../geo/selective-sync.ts";
import type { ManyReader } from "../../ports/table.ts";
import type { Judged } from "../registry-consistency/judge-keys.ts";
import { listBothSides } from "../registry-consistency/list-both-sides.ts";
import type { WalkBase, Walker } from "../registry-consistency/walk-range.ts";

/** What walking needs of the primary: its listing, its records, and the queue of the function that keeps them. */
export interface RecordWalkingSite extends WalkBase {
  readonly verificationState: ManyReader;
}

/** The other side of a walk that has one side only. */
const NOTHING = { list: () => Promise.resolve({ objects: [] }) };

/**
 * F47. The primary's bucket against its own records: an object without one gets one. What is listed says nothing of records
 * whose object is gone; those are found when it is their time to be verified again, or tried again.
 */
export const recordWalker = (site: RecordWalkingSite): Walker => ({
  ...site,
  isWalked: ({ primaryChecksumming }) => primaryChecksumming,
  isPaused: () => Promise.resolve(false), // only secondaries are
  // The primary has all that there is; what has records is decided by flags alone.
  scopeOf: async ({ name }) => ({
    selectiveSync: EVERYTHING,
    keepsObjects: true,
    ruleChangedAt: 0,
    flagsChangedAt: await site.switches.changedAt(name),
  }),
  list: (range) => listBothSides(site.primary, NOTHING, range),
  judge: async ({ name: replicableName }, keys, everything) => {
    const refs = keys.map(({ listed: { key } }) => rowKey({ replicableName, key }));
    const items = await site.verificationState.getMany(refs);
    const rows = new Map(items.map((item) => parseVerificationStateRow(item)).map((row) => [row.sk, row]));
    const isYoungBefore = site.clock.now() - EVENT_ON_ITS_WAY_MS;
    const judgeOne = ({ key, source }: ListedKey): Judged => {
      if (source === undefined) return { key, finding: "unwanted" };
      // Not while flags have just changed: what came while the type was off has no event on its way.
      const mayBeYoung = !everything && source.lastModified > isYoungBefore;
      const finding = judgeRecord(source, rows.get(key));
      return { key, finding: mayBeYoung && finding !== "equal" ? "under_way" : finding };
    };
    return keys.map(({ listed }) => judgeOne(listed));
  },
});
