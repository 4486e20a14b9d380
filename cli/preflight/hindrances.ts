import type { FeatureState } from "../../shared/client/contract.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { Connection } from "../connection.ts";
import { countOf, printable, shareText } from "../output/texts.ts";
import { type Complaint, ofStatus, ofUnreached } from "../status/complaints.ts";
import type { SeenSite, SeenSites } from "../status/seen-sites.ts";
import { isEmpty, sumOf, type TypeProgress, typesOf } from "../status/type-progress.ts";
import { backlogOf, complaintsAbout } from "./asked-site.ts";

/** Whether everything is where it should be, and what is not. */
export interface Findings {
  readonly hindrances: readonly Complaint[];
  /** What was left out on purpose, in sentences. */
  readonly notes: readonly string[];
  /** How many objects each secondary is to have, of types that are not switched off. */
  readonly secondaries: readonly { readonly name: string; readonly objects: number }[];
}

/** What is needed to judge a site. */
interface Judging {
  readonly replicables: readonly Replicable[];
  /** Types that are switched off at all sites. */
  readonly off: ReadonlySet<string>;
  /** Objects at the primary by type; empty when it could not be asked. */
  readonly atPrimary: ReadonlyMap<string, number>;
}

/** States in which a destroy is being done. */
const DESTROY_UNDER_WAY: ReadonlySet<string> = new Set(["planning", "destroying", "undoing"]);

/** Why a walk was begun that only makes sure, once a week. */
const ROUTINE_WALK = "scheduled";

const ofType = (name: string, type: TypeProgress, { atPrimary }: Judging, isFull: boolean): readonly Complaint[] => {
  const { replicableName, title, replicated, verified } = type;
  const at = { site: name };
  const list = `geo registry list --site ${name} --type ${replicableName}`;
  if (replicated === null) {
    return [
      { ...at, kind: "not_counted", problem: `could not count its ${title}`, remedy: `geo doctor --site ${name}` },
    ];
  }
  const wanted = atPrimary.get(replicableName) ?? 0;
  return [
    ...(replicated.done < replicated.total
      ? [
          {
            ...at,
            kind: "not_synced",
            problem: `${shareText(replicated.done, replicated.total)} of ${title} are synced`,
            remedy: replicated.queued > 0 ? `${list} --state pending` : `${list} --state failed`,
          },
        ]
      : []),
    ...(verified !== null && verified.done < verified.total
      ? [
          {
            ...at,
            kind: "not_verified",
            problem: `${shareText(verified.done, verified.total)} of ${title} are verified`,
            remedy: `${list} --verification-state pending`,
          },
        ]
      : []),
    ...(isFull && wanted > replicated.total
      ? [
          {
            ...at,
            kind: "not_known",
            problem: `knows of ${countOf(replicated.total, "object")} of ${title}, and the primary of ${countOf(wanted, "object")}`,
            remedy: `geo wait synced --site ${name} --type ${replicableName}`,
          },
        ]
      : []),
  ];
};

const ofWalks = (site: SeenSite, { off }: Judging): readonly Complaint[] => {
  const walks = Object.entries(site.status.registry_consistency ?? {}).filter(([type]) => !off.has(type));
  const unfinished = walks.filter(
    ([, { state, reason }]) => state === "never" || (state === "under_way" && reason !== ROUTINE_WALK),
  );
  if (unfinished.length === 0) return [];
  const types = unfinished.map(([type]) => type).join(", ");
  return [
    {
      site: site.name,
      kind: "not_compared",
      problem: `has not compared both sides to the end of ${countOf(unfinished.length, "type")}: ${types}`,
      remedy: `geo status --site ${site.name} --output json`,
    },
  ];
};

const ofSecondary = (site: SeenSite, judging: Judging): Findings => {
  const { name, status } = site;
  const types = typesOf(status, judging.replicables);
  const wanted = types.filter((type) => !judging.off.has(type.replicableName));
  const isFull = status.selective_sync_type === null;
  const left = types.filter((type) => judging.off.has(type.replicableName) && !isEmpty(type));
  const unverified = wanted.filter((type) => !isEmpty(type) && type.replicated !== null && type.verified === null);
  return {
    secondaries: [{ name, objects: sumOf(wanted.map(({ replicated }) => replicated)).total }],
    hindrances: [
      ...wanted.flatMap((type) => ofType(name, type, judging, isFull)),
      ...ofWalks(site, judging),
      ...(status.storage_shards_match === false
        ? [
            {
              site: name,
              kind: "keeps_other_types",
              problem: "keeps other types, or under other keys, than the primary",
              remedy: "deploy both sites from one configuration",
            },
          ]
        : []),
      ...(site.connection === undefined
        ? [
            {
              site: name,
              kind: "not_asked",
              problem: "was not asked itself, so that nobody knows what its queues hold",
              remedy: "name it in the file of sites (GEO_SITES_FILE), with a token",
            },
          ]
        : []),
    ],
    notes: [
      ...left.map(({ title }) => `${title} are switched off and were not looked at.`),
      ...unverified.map(({ title }) => `${title} are not verified at ${name}.`),
      ...(isFull ? [] : [`${name} keeps a selection only; what it does not want is not there.`]),
    ],
  };
};

const ofQueues = async (connection: Connection): Promise<readonly Complaint[]> =>
  complaintsAbout(
    connection,
    "its queues",
    () => backlogOf(connection),
    (queues) =>
      queues.flatMap(({ queue, messages, deadLetters }): readonly Complaint[] => {
        const site = connection.site.name;
        const remedy = `geo doctor --site ${site}`;
        return [
          ...(messages === null
            ? [{ site, kind: "backlog_unknown", problem: `could not say what its queue ${queue} holds`, remedy }]
            : messages > 0
              ? [
                  {
                    site,
                    kind: "backlog",
                    problem: `has about ${countOf(messages, "message")} in its queue ${queue}`,
                    remedy: connection.site.primary
                      ? `geo status --site ${site} --watch`
                      : `geo wait verified --site ${site}`,
                  },
                ]
              : []),
          ...((deadLetters ?? 0) > 0
            ? [
                {
                  site,
                  kind: "dead_letters",
                  problem: `has given up on ${countOf(deadLetters ?? 0, "message")} of its queue ${queue}`,
                  remedy,
                },
              ]
            : []),
        ];
      }),
  );

const ofBulkUpdates = async (connection: Connection): Promise<readonly Complaint[]> =>
  complaintsAbout(
    connection,
    "bulk updates",
    () => connection.client.bulkUpdates(connection.site.id),
    (updates) =>
      updates
        .filter(({ state }) => state === "running")
        .map(({ id, action }) => ({
          site: connection.site.name,
          kind: "bulk_update",
          problem: `is doing a bulk update (${printable(action)})`,
          remedy: `geo bulk show ${id} --watch --site ${connection.site.name}`,
        })),
  );

const ofGuards = async (connection: Connection): Promise<readonly Complaint[]> =>
  complaintsAbout(
    connection,
    "its removal guards",
    () => connection.client.removalGuards(connection.site.id),
    (guards) =>
      guards
        .filter(({ paused_at: pausedAt }) => pausedAt !== null)
        .map(({ replicable_name: type, paused_at: pausedAt }) => ({
          site: connection.site.name,
          kind: "removals_held_back",
          problem: `holds removals of ${type} back since ${pausedAt ?? "an unknown time"}`,
          remedy: `geo removals list --site ${connection.site.name}`,
        })),
  );

const ofDestroys = async (connection: Connection): Promise<readonly Complaint[]> =>
  complaintsAbout(
    connection,
    "batch destroys",
    () => connection.client.destroys(connection.site.id),
    (destroys) =>
      destroys
        .filter(({ state }) => DESTROY_UNDER_WAY.has(state))
        .map(({ id, state }) => ({
          site: connection.site.name,
          kind: "destroy",
          problem: `has a destroy under way (${state})`,
          remedy: `geo destroy show ${id} --watch`,
        })),
  );

const ofConnection = async (connection: Connection): Promise<readonly Complaint[]> =>
  (
    await Promise.all([
      ofQueues(connection),
      ofBulkUpdates(connection),
      connection.site.primary ? ofDestroys(connection) : ofGuards(connection),
    ])
  ).flat();

const primaryCounts = (sites: readonly SeenSite[], replicables: readonly Replicable[]): ReadonlyMap<string, number> =>
  new Map(
    sites
      .filter(({ primary }) => primary)
      .flatMap(({ status }) =>
        typesOf(status, replicables).map(({ replicableName, checksummed }) => [
          replicableName,
          checksummed?.total ?? 0,
        ]),
      ),
  );

const switchedOff = (features: readonly FeatureState[], replicables: readonly Replicable[]): ReadonlySet<string> => {
  const off = new Set(features.filter(({ state }) => state === "off").map(({ name }) => name));
  return new Set(replicables.filter(({ names }) => off.has(names.flags.replication)).map(({ name }) => name));
};

/**
 * Everything that stands in the way of failing over, at every site that is seen (F99).
 * @param features what is switched on and off at all sites
 * @param now milliseconds since the epoch
 */
export const findHindrances = async (
  sites: SeenSites,
  features: readonly FeatureState[],
  { replicables, now }: { readonly replicables: readonly Replicable[]; readonly now: number },
): Promise<Findings> => {
  const judging: Judging = {
    replicables,
    off: switchedOff(features, replicables),
    atPrimary: primaryCounts(sites.seen, replicables),
  };
  const secondaries = sites.seen.filter(({ primary }) => !primary).map((site) => ofSecondary(site, judging));
  const connections = sites.seen.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
  const asked = await Promise.all(connections.map(ofConnection));
  return {
    hindrances: [
      ...ofUnreached(sites),
      ...(sites.seen.some(({ primary }) => primary)
        ? []
        : [
            {
              site: "the primary",
              kind: "no_primary",
              problem: "was not asked, so that nobody knows whether everything has been heard of",
              remedy: "name it in the file of sites (GEO_SITES_FILE), with a token",
            },
          ]),
      ...sites.seen.flatMap((site) => ofStatus(site, now, replicables, judging.off)),
      ...secondaries.flatMap(({ hindrances }) => hindrances),
      ...asked.flat(),
    ],
    notes: secondaries.flatMap(({ notes }) => notes),
    secondaries: secondaries.flatMap((one) => one.secondaries),
  };
};
