/**
 * How much a site does at the same time (F34): Geo's four settings under Geo's names, changed while the site runs. Each is
 * for the whole site and is divided evenly among the functions that may run at once; a function that runs works on at
 * least one key, so that a site never stands still, and a capacity below the number of its functions is as good as that
 * number.
 */
export interface Capacities {
  /** Objects of all types that are copied, or looked at for it, at once. */
  readonly files_max_capacity: number;
  /** Replicas that are read back by the verification function at once; at the primary, objects that are digested. */
  readonly verification_max_capacity: number;
  /** Kept for whoever scripts against Geo: no type of today has the strategies that it is for. */
  readonly repos_max_capacity: number;
  /** Kept for whoever scripts against Geo, as `repos_max_capacity`. */
  readonly container_repositories_max_capacity: number;
}
export type CapacityName = keyof Capacities;

/** The largest number of functions that AWS starts for one queue without being told otherwise, with a socket to spare each. */
const STANDARD = 2_880;

/**
 * What a site has that nobody has changed: sixty functions with 48 keys each for files and verification; Geo's own numbers
 * for what does nothing here.
 */
export const CAPACITIES_DEFAULT: Capacities = {
  files_max_capacity: STANDARD,
  verification_max_capacity: STANDARD,
  repos_max_capacity: 10,
  container_repositories_max_capacity: 2,
};

/** Each may be anything between; Geo's own form takes 1 to 999, for one machine. */
export const CAPACITY_BOUNDS = { least: 1, most: 100_000 } as const;

export const CAPACITY_NAMES = [
  "files_max_capacity",
  "verification_max_capacity",
  "repos_max_capacity",
  "container_repositories_max_capacity",
] as const satisfies readonly CapacityName[];

const shown = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value).slice(0, 64));

/** What is wrong with a capacity, in words; undefined when it may be set. */
export const findCapacityProblem = (name: CapacityName, value: unknown): string | undefined => {
  const { least, most } = CAPACITY_BOUNDS;
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
    ? undefined
    : `${name}: expected a whole number from ${least} to ${most}, got ${shown(value)}`;
};

/**
 * How many keys one function may have under way.
 * @param functions how many of them may run at once
 * @param most what one function has sockets for
 */
export const shareOf = (capacity: number, functions: number, most: number): number =>
  Math.min(Math.max(1, Math.floor(capacity / functions)), most);
