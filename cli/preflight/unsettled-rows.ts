import type { Replicable } from "../../shared/geo/replicable.ts";
import { listRegistries } from "../registry/list-registries.ts";
import type { Complaint } from "../status/complaints.ts";
import type { SeenSite } from "../status/seen-sites.ts";
import type { TypeProgress } from "../status/type-progress.ts";
import { complaintsAbout } from "./asked-site.ts";
import type { Ground } from "./unproven.ts";

/** States in which something is still to be done. Their rows stand in an index, so that asking for one is cheap. */
const UNSETTLED_SYNC = ["pending", "started", "failed"] as const;
const UNSETTLED_VERIFICATION = ["pending", "started", "failed"] as const;

interface AskedState {
  readonly option: "--state" | "--verification-state";
  readonly state: string;
  readonly wish: { readonly replicationState: string } | { readonly verificationState: string };
}

const syncStates: readonly AskedState[] = UNSETTLED_SYNC.map((state) => ({
  option: "--state",
  state,
  wish: { replicationState: state.toUpperCase() },
}));

const verificationStates: readonly AskedState[] = UNSETTLED_VERIFICATION.map((state) => ({
  option: "--verification-state",
  state,
  wish: { verificationState: state.toUpperCase() },
}));

/**
 * Rows that a secondary's registry lists as unfinished: they are asked for once its counters tell of none, since counters
 * that stand still look as if all was done. One row of each state is enough, of each type of which either site has
 * counted objects, or of every type where none has.
 * @param goal whether rows have to be verified as well
 */
export const ofUnsettledRows = async (
  site: SeenSite,
  types: readonly TypeProgress[],
  goal: "synced" | "verified",
  { ground, replicables }: { readonly ground: Ground; readonly replicables: readonly Replicable[] },
): Promise<readonly Complaint[]> => {
  const { connection, name } = site;
  if (connection === undefined) return []; // that nobody asked it is a complaint of its own
  const ask = async (type: TypeProgress, { option, state, wish }: AskedState): Promise<readonly Complaint[]> => {
    const remedy = `geo registry list --site ${name} --type ${type.replicableName} ${option} ${state}`;
    const replicable = replicables.find((one) => one.name === type.replicableName);
    if (replicable === undefined) {
      const problem = `keeps ${type.title}, a type that this version of the command can not ask for`;
      return [{ site: name, kind: "not_asked", problem, remedy: "use the command of the version that is deployed" }];
    }
    const { registries, next } = await listRegistries(connection.client, [{ replicable, wish }], 1, undefined);
    if (registries.length === 0 && next === null) return [];
    const what = option === "--state" ? state : `${state} in verification`;
    const problem =
      registries.length === 0
        ? `could not search all of its ${type.title} for one that is ${what}`
        : `lists an object of ${type.title} that is ${what}, of which its counters have not told`;
    return [{ site: name, kind: registries.length === 0 ? "not_asked" : "unsettled_row", problem, remedy }];
  };
  const filled = types.filter(
    ({ replicableName, objects }) => (objects ?? 0) > 0 || (ground.atPrimary.get(replicableName) ?? 0) > 0,
  );
  // Where nothing at all is counted, counting may never have begun.
  const asked = filled.length > 0 ? filled : types;
  return complaintsAbout(
    connection,
    "its registry",
    async () => {
      const found: Complaint[] = [];
      for (const type of asked) {
        const isRead = goal === "verified" && type.verified !== null;
        const states = isRead ? [...syncStates, ...verificationStates] : syncStates;
        found.push(...(await Promise.all(states.map((state) => ask(type, state)))).flat());
      }
      return found;
    },
    (found) => found,
  );
};
