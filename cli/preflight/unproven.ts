import type { FeatureState } from "../../shared/client/contract.ts";
import { OBJECT_STORAGE_VERIFICATION } from "../../shared/geo/feature-flags.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { countOf } from "../output/texts.ts";
import type { Complaint } from "../status/complaints.ts";
import type { SeenSite } from "../status/seen-sites.ts";
import { isEmpty, type TypeProgress, typesOf } from "../status/type-progress.ts";

/**
 * What keeps the numbers of a secondary from proving that everything is there: it may not have been asked, may not have
 * counted, or may not have heard of everything. `wait` and `preflight` believe no number before there is nothing of this.
 */

/** What is on, and what the primary has. */
export interface Ground {
  /** Types that are not replicated at any site. */
  readonly off: ReadonlySet<string>;
  /** Those of them whose objects the primary does not count either. */
  readonly uncounted: ReadonlySet<string>;
  /** Objects at the primary by type; empty when it was not seen. */
  readonly atPrimary: ReadonlyMap<string, number>;
}

const primaryCounts = (sites: readonly SeenSite[], replicables: readonly Replicable[]): ReadonlyMap<string, number> =>
  new Map(
    sites
      .filter(({ primary }) => primary)
      .flatMap(({ status }) =>
        typesOf(status, replicables).map(({ replicableName, objects }) => [replicableName, objects ?? 0]),
      ),
  );

/** @param features what is switched on and off at all sites */
export const groundOf = (
  sites: readonly SeenSite[],
  features: readonly FeatureState[],
  replicables: readonly Replicable[],
): Ground => {
  const off = new Set(features.filter(({ state }) => state === "off").map(({ name }) => name));
  const replicated = new Set(
    replicables.filter(({ names }) => !off.has(names.flags.replication)).map(({ name }) => name),
  );
  // A partition rests while the type that it is a part of is replicated (F90).
  const isOff = ({ name, partitionOf }: Replicable): boolean =>
    !replicated.has(name) || (partitionOf !== undefined && replicated.has(partitionOf));
  const isUncounted = ({ names }: Replicable): boolean =>
    off.has(OBJECT_STORAGE_VERIFICATION) || off.has(names.flags.forcePrimaryChecksumming);
  const resting = replicables.filter(isOff);
  return {
    off: new Set(resting.map(({ name }) => name)),
    uncounted: new Set(resting.filter(isUncounted).map(({ name }) => name)),
    atPrimary: primaryCounts(sites, replicables),
  };
};

/** Whether there is no primary that could tell what is missing. */
export const ofMissingPrimary = (sites: readonly SeenSite[]): readonly Complaint[] =>
  sites.some(({ primary }) => primary)
    ? []
    : [
        {
          site: "the primary",
          kind: "no_primary",
          problem: "was not asked, so that nobody knows whether everything has been heard of",
          remedy: "name it in the file of sites (GEO_SITES_FILE), with a token",
        },
      ];

/** Whether nobody but the primary tells of a site: what it last reported says nothing of its queues, nor of now. */
export const ofUnasked = ({ name, connection }: SeenSite): readonly Complaint[] =>
  connection !== undefined
    ? []
    : [
        {
          site: name,
          kind: "not_asked",
          problem: "was not asked itself, so that nobody knows what its queues hold",
          remedy: "name it in the file of sites (GEO_SITES_FILE), with a token",
        },
      ];

/** Why a walk was begun that only makes sure, once a week. */
const ROUTINE_WALK = "scheduled";

/** Whether both sides have been compared to the end, of every type that is looked at. */
const ofWalks = ({ name, status, connection }: SeenSite, types: readonly TypeProgress[]): readonly Complaint[] => {
  if (connection === undefined) return []; // it was not asked at all
  const complaint = { site: name, kind: "not_compared" };
  const walks = status.registry_consistency;
  if (walks === null) {
    const problem = "could not say whether it has compared both sides to the end";
    return [{ ...complaint, problem, remedy: `geo doctor --site ${name}` }];
  }
  const unfinished = types.filter(({ replicableName }) => {
    const walk = walks[replicableName];
    return walk === undefined || walk.state === "never" || (walk.state === "under_way" && walk.reason !== ROUTINE_WALK);
  });
  if (unfinished.length === 0) return [];
  const names = unfinished.map(({ replicableName }) => replicableName).join(", ");
  return [
    {
      ...complaint,
      problem: `has not compared both sides to the end of ${countOf(unfinished.length, "type")}: ${names}`,
      remedy: `geo status --site ${name} --output json`,
    },
  ];
};

/** Whether a site has counted a type, and a secondary has heard of as many objects as its primary has. */
const ofCounts = ({ name, primary, status }: SeenSite, type: TypeProgress, ground: Ground): readonly Complaint[] => {
  const { replicableName, title, objects } = type;
  if (objects === null) {
    return [
      { site: name, kind: "not_counted", problem: `could not count its ${title}`, remedy: `geo doctor --site ${name}` },
    ];
  }
  const wanted = ground.atPrimary.get(replicableName) ?? 0;
  // Of a site that wants a selection nobody knows how many it would be.
  if (primary || status.selective_sync_type !== null || wanted <= objects) return [];
  return [
    {
      site: name,
      kind: "not_known",
      problem: `knows of ${countOf(objects, "object")} of ${title}, and the primary of ${countOf(wanted, "object")}`,
      remedy: `geo wait synced --site ${name} --type ${replicableName}`,
    },
  ];
};

/** What keeps the numbers of a site from being a proof. @param types those that are looked at */
export const ofUnproven = (site: SeenSite, types: readonly TypeProgress[], ground: Ground): readonly Complaint[] => [
  ...ofUnasked(site),
  ...(site.primary ? [] : ofWalks(site, types)),
  ...types.flatMap((type) => ofCounts(site, type, ground)),
];

/** Types that a secondary has objects of and reads none of them back. */
export const ofUnverified = ({ name, primary }: SeenSite, types: readonly TypeProgress[]): readonly Complaint[] =>
  types
    .filter((type) => !primary && type.replicated !== null && type.verified === null && !isEmpty(type))
    .map(({ title }) => ({
      site: name,
      kind: "verification_off",
      problem: `does not verify its ${title}: nobody has read them back`,
      remedy: `geo flag set ${OBJECT_STORAGE_VERIFICATION} on`,
    }));
