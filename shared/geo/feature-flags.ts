import { quoted } from "./key-codec.ts";
import type { Replicable } from "./replicable.ts";

/**
 * Feature flags (F84, F85, F87): kept in one place, the primary's site table, read by every function of every site at most
 * seconds late, and changed without a deployment. Only what differs from the declarations is stored.
 */
export type FlagOverrides = Readonly<Record<string, boolean>>;

/** Whether objects are verified at all. Off: their digests are forgotten, and replicas are not read back. */
export const OBJECT_STORAGE_VERIFICATION = "geo_object_storage_verification";

/** Every flag with the value that it has when nobody has said anything. */
export const flagDefaults = (replicables: readonly Replicable[]): Readonly<Record<string, boolean>> => ({
  [OBJECT_STORAGE_VERIFICATION]: true,
  ...Object.fromEntries(
    replicables.flatMap(({ names, enabledByDefault }) => [
      [names.flags.replication, enabledByDefault],
      [names.flags.forcePrimaryChecksumming, enabledByDefault],
    ]),
  ),
});

/** What is on for one type. */
export interface TypeSwitches {
  /** Off: no events, no sync, no verification and no walks of the type; its rows and replicas stay as they are (F84). */
  readonly replication: boolean;
  /** Whether the primary keeps digests of the type's objects (F85, F87). */
  readonly primaryChecksumming: boolean;
  /** Whether secondaries verify their replicas of it (F84, F87). */
  readonly verification: boolean;
}

/** A type that takes part in everything. */
export const ALL_ON: TypeSwitches = { replication: true, primaryChecksumming: true, verification: true };

/** What the flags mean for one type. */
export const switchesOf = (
  { names, enabledByDefault }: Pick<Replicable, "names" | "enabledByDefault">,
  overrides: FlagOverrides,
): TypeSwitches => {
  const isOn = (flag: string, standard: boolean): boolean => overrides[flag] ?? standard;
  const replication = isOn(names.flags.replication, enabledByDefault);
  const objects = isOn(OBJECT_STORAGE_VERIFICATION, true);
  return {
    replication,
    primaryChecksumming: objects && (replication || isOn(names.flags.forcePrimaryChecksumming, enabledByDefault)),
    verification: objects && replication,
  };
};

/** The flags that matter to a type. */
export const flagsOf = ({ names }: Pick<Replicable, "names">): readonly string[] => [
  names.flags.replication,
  names.flags.forcePrimaryChecksumming,
  OBJECT_STORAGE_VERIFICATION,
];

/** What is wrong with the name of a flag, in words; undefined when there is such a flag. */
export const findFlagProblem = (replicables: readonly Replicable[], flag: string): string | undefined =>
  Object.hasOwn(flagDefaults(replicables), flag)
    ? undefined
    : `there is no flag ${quoted(flag)}; expected ${OBJECT_STORAGE_VERIFICATION}, or geo_<type>_replication or` +
      ` geo_<type>_force_primary_checksumming of ${replicables.map(({ name }) => name).join(", ")}`;
