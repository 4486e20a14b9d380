import { parseRegistryRow, type RegistryRow, rowKey } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import type { Asked, Attempt, AttemptAt, Held } from "../../shared/services/blob-sync/attempt.ts";
import { step } from "../../shared/services/blob-sync/blob-sync.ts";
import type { TwoSites } from "./two-sites.ts";

/** Single steps of attempts, on rows that whole lives come to only now and then. */

/** The key that all of them are about. */
export const STEPPED_KEY = "cool_widgets/42/widget.bin";

export type Columns = Readonly<Record<string, string | number | boolean>>;

/** Writes a row as it is said, of a generation that somebody else has counted. */
export const putRow = async (world: TwoSites, columns: Columns): Promise<void> => {
  await world.registry.put({
    ...rowKey(world.refOf(STEPPED_KEY)),
    state: REPLICATION_STATE.pending,
    gen: 1,
    rev: 1,
    ...columns,
  });
};

export const rowNow = async (world: TwoSites): Promise<RegistryRow> =>
  parseRegistryRow(await world.registry.get(rowKey(world.refOf(STEPPED_KEY))));

/** What somebody asks for whose token is `mine`. */
export const asked = (world: TwoSites, cause: Asked["cause"]): Asked => ({
  ref: world.refOf(STEPPED_KEY),
  token: "mine",
  cause,
  stopAt: Infinity,
  epoch: 0,
});

export const stepOf = (world: TwoSites, attempt: Exclude<Attempt, AttemptAt<"ended">>): Promise<Attempt> =>
  step(world.secondary, attempt);

/** An attempt that holds the row, which is written as it is said. */
export const held = async (world: TwoSites, columns: Columns = {}): Promise<Held> => {
  await putRow(world, { state: REPLICATION_STATE.started, attempt_token: "mine", claimed_gen: 1, ...columns });
  return {
    ref: world.refOf(STEPPED_KEY),
    token: "mine",
    row: await rowNow(world),
    claimedGen: 1,
    wrote: false,
    ownTaintUntil: undefined,
    upload: undefined,
    uploadOver: false,
    looks: 0,
    replicaListed: false,
    passes: 1,
    stopAt: Infinity,
    epoch: 0,
  };
};
