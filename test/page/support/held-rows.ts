import { countedTable } from "../../../shared/geo/counters.ts";
import { duePartition, rowKey } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../../shared/geo/replication-state.ts";
import type { SiteRole } from "../../../shared/geo/site-status.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import type { MemoryTable } from "../../../shared/memory/table.ts";
import { counterKey } from "../../../shared/tables/site/counter-item.ts";

/** What the sites of a `pagePair` hold: rows that can be looked at, and counts of a million and a half more. */

const MINUTE_MS = 60_000;

/** A row, in few words. */
interface GivenRow {
  readonly key: string;
  readonly state: keyof typeof REPLICATION_STATE;
  readonly verification: keyof typeof VERIFICATION_STATE;
  readonly columns?: Readonly<Record<string, string | number>>;
}

const DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const OTHER_DIGEST = "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

/** The key of an LFS object. */
export const lfsKey = (number: number): string => `lfs_objects/${number}/9f/86/d081884c7d659a2f${number}`;

/** The rows of LFS objects that there are: one that failed, one that differs, one that waits, and many that are fine. */
export const rowsOf = (now: number): readonly GivenRow[] =>
  Array.from({ length: 64 }, (_, index): GivenRow => {
    const key = lfsKey(index + 1);
    if (index === 3) {
      const columns = {
        last_sync_failure: "AccessDenied: the secondary's role may not read this object's key (KMS)",
        retry_at: now + 12 * MINUTE_MS,
        retry_count: 4,
      };
      return { key, state: "failed", verification: "pending", columns };
    }
    if (index === 7) {
      const columns = {
        verification_failure: "The replica's bytes are not the primary's",
        verification_checksum: DIGEST,
        verification_checksum_mismatched: OTHER_DIGEST,
        verification_retry_at: now + 3 * MINUTE_MS,
        verification_retry_count: 1,
      };
      return { key, state: "synced", verification: "failed", columns };
    }
    if (index === 11) return { key, state: "pending", verification: "pending" };
    return { key, state: "synced", verification: "succeeded", columns: { verification_checksum: DIGEST } };
  });

/** A row as its table has it. */
export const itemOf = ({ key, state, verification, columns }: GivenRow, now: number, role: SiteRole) => {
  const ref = { replicableName: "lfs_object", key };
  const isSettled = state === "synced" && verification === "succeeded";
  return {
    ...rowKey(ref),
    ...(role === "secondary" ? { state: REPLICATION_STATE[state] } : {}),
    verification_state: VERIFICATION_STATE[verification],
    created_at: now - 90 * MINUTE_MS,
    src_size: 4_812_331,
    rev: 1,
    ...(state === "synced" ? { last_synced_at: now - 42 * MINUTE_MS } : {}),
    ...(verification === "succeeded" ? { verified_at: now - 41 * MINUTE_MS } : {}),
    ...(isSettled
      ? {}
      : { due_pk: duePartition(ref), due_at: now + 5 * MINUTE_MS, waiting_since: now - 42 * MINUTE_MS }),
    ...columns,
  };
};

/** Counters: cell and rows, as `counter-item.ts` names them. Sync state, verification state. */
type Cells = Readonly<Record<string, number>>;

/** A million rows of which there is nothing but their counts. */
const SIMULATED: Readonly<Record<string, Cells>> = {
  lfs_object: { "2#2": 941_207, "2#0": 18_312, "0#0": 37_904, "3#0": 2_513 },
  job_artifact: { "2#2": 412_889, "2#0": 1_201, "0#0": 811 },
  package_file: { "2#2": 88_214 },
  upload: { "2#2": 51_377, "2#3": 12, "3#0": 9 },
  pages_deployment: { "2#2": 1_204, "2#0": 3 },
  terraform_state_version: { "2#2": 9_120 },
  ci_secure_file: { "2#4": 431 },
};

/** The same rows as the primary counts them: whether they have a checksum. */
const atPrimary = (cells: Cells): Cells => {
  const rows = Object.values(cells).reduce((sum, count) => sum + count, 0);
  return { "-#2": rows - 1_300 > 0 ? rows - 1_300 : rows, ...(rows - 1_300 > 0 ? { "-#0": 1_284, "-#3": 16 } : {}) };
};

const BYTES_EACH = 310_000;

/** Puts the counters of a site, as of a time. */
export const putCounts = (
  table: MemoryTable,
  role: SiteRole,
  now: number,
  lag: Readonly<Record<string, number>>,
): Promise<unknown> =>
  Promise.all(
    Object.entries(SIMULATED).map(([name, cells]) => {
      const counts = Object.entries(role === "primary" ? atPrimary(cells) : cells);
      return table.put({
        ...counterKey(countedTable(role), "simulated", name),
        ...Object.fromEntries(counts.map(([states, rows]) => [`c#${states}`, rows])),
        ...Object.fromEntries(counts.map(([states, rows]) => [`b#${states}`, rows * BYTES_EACH])),
        ...(role === "secondary" && (name === "lfs_object" || name === "job_artifact") ? lag : {}),
        as_of: now - 2_000,
        clock: now,
        n: 1,
      });
    }),
  );

/** How many versions were verified in each step of five minutes: within a second, within two, within six. */
const VERIFIED: readonly (readonly [fast: number, usual: number, slow: number])[] = [
  [210, 90, 2],
  [240, 80, 0],
  [190, 95, 1],
  [260, 120, 4],
  [230, 160, 22],
  [180, 240, 61],
  [200, 170, 18],
  [250, 90, 3],
  [240, 70, 0],
  [220, 110, 2],
  [260, 130, 6],
  [230, 95, 1],
  [240, 85, 0],
];

/** What had been verified by the end of a step, as a counter has it: sums of all before. */
export const lagAfter = (step: number): Readonly<Record<string, number>> => {
  const sum = (place: 0 | 1 | 2): number => VERIFIED.slice(0, step + 1).reduce((all, counts) => all + counts[place], 0);
  return { "l#t3": sum(0), "l#t6": sum(1), "l#t9": sum(2), "s#t": 1_000 * (sum(0) + 2 * sum(1) + 6 * sum(2)) };
};
