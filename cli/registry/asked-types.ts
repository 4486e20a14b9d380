import type { SiteStatusAnswer } from "../../shared/client/contract.ts";
import { parseGlobalId } from "../../shared/geo/global-id.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { selectedRows } from "../bulk/selected-rows.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import type { TypeWish } from "./list-registries.ts";

/** States that a registry can be asked for by: a tombstone is shown to nobody. */
export const STATES: readonly string[] = Object.keys(REPLICATION_STATE).filter((state) => state !== "absent");
export const VERIFICATION_STATES: readonly string[] = Object.keys(VERIFICATION_STATE);

/** Orders of a list, within each type. */
export const SORTS: readonly string[] = ["id", "last_synced_at", "verified_at"].flatMap((by) => [
  `${by}_asc`,
  `${by}_desc`,
]);

/** What is asked for, as it was typed. */
export interface AskedRegistries {
  readonly type?: string | undefined;
  readonly state?: string | undefined;
  readonly verificationState?: string | undefined;
  readonly id?: readonly string[] | undefined;
  readonly keyword?: string | undefined;
  readonly sort?: string | undefined;
}

const usage = (message: string): CommandError => new CommandError(EXIT.usage, message);

/** One of some words, in whatever case it was typed; as GraphQL spells it. */
const enumOf = (option: string, given: string | undefined, words: readonly string[]): string | undefined => {
  if (given === undefined) return undefined;
  if (words.includes(given.toLowerCase())) return given.toUpperCase();
  throw usage(`${option} is ${JSON.stringify(given)}, expected one of ${words.join(", ")}`);
};

/** @throws CommandError with all types, when it is none */
export const typeNamed = (name: string, replicables: readonly Replicable[]): Replicable => {
  const found = replicables.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw usage(`--type is ${JSON.stringify(name)}, expected one of ${replicables.map((one) => one.name).join(", ")}`);
};

/** The type of a registry's id. @throws CommandError of what is no id, or of no type's registry */
export const typeOfId = (id: string, replicables: readonly Replicable[]): Replicable => {
  const named = parseGlobalId(id);
  if ("problem" in named) throw usage(`--id: ${named.problem}`);
  const found = replicables.find(({ names }) => names.registryClass === named.registryClass);
  if (found !== undefined) return found;
  const classes = replicables.map(({ names }) => names.registryClass).join(", ");
  throw usage(`--id is of ${JSON.stringify(named.registryClass)}, expected one of ${classes}`);
};

/** The types that are to be looked through: the one that was named, or those that have such rows by the site's counters. */
const typesOf = (
  asked: AskedRegistries,
  status: SiteStatusAnswer,
  replicables: readonly Replicable[],
): readonly Replicable[] => {
  const ofIds = asked.id?.map((id) => typeOfId(id, replicables));
  if (asked.type !== undefined) {
    const type = typeNamed(asked.type, replicables);
    const other = ofIds?.find(({ name }) => name !== type.name);
    if (other === undefined) return [type];
    throw usage(`--type is ${JSON.stringify(type.name)}, and an --id is of ${other.name}`);
  }
  if (ofIds !== undefined) return [...new Set(ofIds)];
  if (asked.keyword !== undefined) {
    const match = matchKey(replicables, asked.keyword);
    if (match !== undefined) return [match.replicable];
    throw usage("--keyword is no whole S3 key of any type; expected one, or --type with it for the id of a record");
  }
  const wish = {
    action: "resync",
    ...(asked.state === undefined ? {} : { replication_state: asked.state.toLowerCase() }),
    ...(asked.verificationState === undefined ? {} : { verification_state: asked.verificationState.toLowerCase() }),
  };
  const filled = new Set(
    selectedRows(wish, status, replicables).flatMap(({ replicableName, rows }) => (rows ? [replicableName] : [])),
  );
  return replicables.filter(({ name }) => filled.has(name));
};

/**
 * What is to be asked of which type.
 * @throws CommandError that names what was expected and what came
 */
export const askedTypes = (
  asked: AskedRegistries,
  status: SiteStatusAnswer,
  replicables: readonly Replicable[],
): readonly TypeWish[] => {
  const wish = {
    replicationState: enumOf("--state", asked.state, STATES),
    verificationState: enumOf("--verification-state", asked.verificationState, VERIFICATION_STATES),
    keyword: asked.keyword,
    sort: enumOf("--sort", asked.sort, SORTS),
  };
  return typesOf(asked, status, replicables).map((replicable) => {
    const ids = asked.id?.filter((id) => typeOfId(id, replicables).name === replicable.name);
    return { replicable, wish: { ...wish, ...(ids === undefined ? {} : { ids }) } };
  });
};
