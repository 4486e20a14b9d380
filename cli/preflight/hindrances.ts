import type { FeatureState } from "../../shared/client/contract.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { Connection } from "../connection.ts";
import { countOf, printable, shareText } from "../output/texts.ts";
import { type Complaint, ofStatus, ofUnreached } from "../status/complaints.ts";
import type { SeenSite, SeenSites } from "../status/seen-sites.ts";
import { isEmpty, sumOf, type TypeProgress, typesOf } from "../status/type-progress.ts";
import { backlogOf, complaintsAbout } from "./asked-site.ts";
import { type Ground, groundOf, ofMissingPrimary, ofUnproven, ofUnverified } from "./unproven.ts";
import { ofUnsettledRows } from "./unsettled-rows.ts";

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
  readonly ground: Ground;
}

/** States in which a destroy is being done. */
const DESTROY_UNDER_WAY: ReadonlySet<string> = new Set(["planning", "destroying", "undoing"]);

/** What is missing of a type at a secondary. */
const ofType = (name: string, { replicableName, title, replicated, verified }: TypeProgress): readonly Complaint[] => {
  const list = `geo registry list --site ${name} --type ${replicableName}`;
  return [
    ...(replicated !== null && replicated.done < replicated.total
      ? [
          {
            site: name,
            kind: "not_synced",
            problem: `${shareText(replicated.done, replicated.total)} of ${title} are synced`,
            remedy: replicated.queued > 0 ? `${list} --state pending` : `${list} --state failed`,
          },
        ]
      : []),
    ...(verified !== null && verified.done < verified.total
      ? [
          {
            site: name,
            kind: "not_verified",
            problem: `${shareText(verified.done, verified.total)} of ${title} are verified`,
            // Those that wait for the primary's digest are neither pending nor failed.
            remedy: `${list} --verification-state ${verified.queued > 0 ? "pending" : "disabled"}`,
          },
        ]
      : []),
  ];
};

const ofSecondary = (site: SeenSite, { replicables, ground }: Judging): Findings => {
  const { name, status } = site;
  const types = typesOf(status, replicables);
  const wanted = types.filter((type) => !ground.off.has(type.replicableName));
  const left = types.filter(
    (type) =>
      ground.off.has(type.replicableName) && !isEmpty(type) && (ground.atPrimary.get(type.replicableName) ?? 0) === 0,
  );
  return {
    secondaries: [{ name, objects: sumOf(wanted.map(({ replicated }) => replicated)).total }],
    hindrances: [
      ...wanted.flatMap((type) => ofType(name, type)),
      ...ofUnproven(site, wanted, ground),
      ...ofUnverified(site, wanted),
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
    ],
    notes: [
      ...left.map(({ title }) => `${title} are switched off and were not looked at.`),
      ...(status.selective_sync_type === null
        ? []
        : [`${name} keeps a selection only; what it does not want is not there.`]),
    ],
  };
};

/** Checksums that a primary still has to compute. Those that failed are told of by its status. */
const ofChecksums = (name: string, { title, objects, checksummed }: TypeProgress): readonly Complaint[] => {
  if (checksummed === null) return [];
  // Records without a checksum may be counted as objects alone.
  const total = Math.max(checksummed.total, objects ?? 0);
  return checksummed.done + checksummed.failed >= total
    ? []
    : [
        {
          site: name,
          kind: "not_checksummed",
          problem: `${shareText(checksummed.done, total)} of ${title} have a checksum`,
          remedy: `geo status --site ${name} --watch`,
        },
      ];
};

/** Types that are off and of which the primary has objects, or of which nobody knows whether it has. */
const ofSwitchedOff = (
  name: string,
  types: readonly TypeProgress[],
  { replicables, ground }: Judging,
): readonly Complaint[] =>
  types.flatMap(({ replicableName, title, objects }): readonly Complaint[] => {
    const declared = replicables.find((one) => one.name === replicableName);
    if (declared === undefined || !ground.off.has(replicableName)) return [];
    const complaint = {
      site: name,
      kind: "switched_off",
      remedy: `geo flag set ${declared.names.flags.replication} on`,
    };
    if (objects !== null && objects > 0) {
      const problem = `has ${countOf(objects, "object")} of ${title}, which are switched off and not replicated`;
      return [{ ...complaint, problem }];
    }
    // What is off by its declaration is not in use.
    return declared.enabledByDefault && ground.uncounted.has(replicableName)
      ? [{ ...complaint, problem: `does not count its ${title}, which are switched off and not replicated` }]
      : [];
  });

const ofPrimary = (site: SeenSite, judging: Judging): readonly Complaint[] => {
  const types = typesOf(site.status, judging.replicables);
  const wanted = types.filter((type) => !judging.ground.off.has(type.replicableName));
  return [
    ...ofUnproven(site, wanted, judging.ground),
    ...wanted.flatMap((type) => ofChecksums(site.name, type)),
    ...ofSwitchedOff(site.name, types, judging),
  ];
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

/** What queues hold, by the site's name. */
export type QueuesSeen = ReadonlyMap<string, readonly Complaint[]>;

const connectionsOf = (seen: readonly SeenSite[]): readonly Connection[] =>
  seen.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));

/**
 * What is in the queues of all sites that can be asked. They are asked before statuses are: what leaves a queue between the
 * two is in the status, and what is asked the other way round may be in neither.
 */
export const lookAtQueues = async ({ seen }: SeenSites): Promise<QueuesSeen> =>
  new Map(
    await Promise.all(
      connectionsOf(seen).map(async (connection) => [connection.site.name, await ofQueues(connection)] as const),
    ),
  );

const ofConnection = async (connection: Connection, queues: QueuesSeen): Promise<readonly Complaint[]> => {
  const { name: site, primary } = connection.site;
  const notAsked = {
    site,
    kind: "not_asked",
    problem: "did not answer at first, and was not asked about its queues",
    remedy: `geo doctor --site ${site}`,
  };
  const [updates, held] = await Promise.all([
    ofBulkUpdates(connection),
    primary ? ofDestroys(connection) : ofGuards(connection),
  ]);
  return [...(queues.get(site) ?? [notAsked]), ...updates, ...held];
};

/**
 * Everything that stands in the way of failing over, at every site that is seen (F99), by what sites count.
 * @param queues what queues held before the sites told their status
 * @param features what is switched on and off at all sites
 * @param now milliseconds since the epoch
 */
export const findHindrances = async (
  sites: SeenSites,
  queues: QueuesSeen,
  features: readonly FeatureState[],
  { replicables, now }: { readonly replicables: readonly Replicable[]; readonly now: number },
): Promise<Findings> => {
  const judging: Judging = { replicables, ground: groundOf(sites.seen, features, replicables) };
  const secondaries = sites.seen.filter(({ primary }) => !primary).map((site) => ofSecondary(site, judging));
  const asked = await Promise.all(connectionsOf(sites.seen).map((connection) => ofConnection(connection, queues)));
  return {
    hindrances: [
      ...ofUnreached(sites),
      ...ofMissingPrimary(sites.seen),
      ...sites.seen.flatMap((site) => ofStatus(site, now, replicables, judging.ground.off)),
      ...sites.seen.filter(({ primary }) => primary).flatMap((site) => ofPrimary(site, judging)),
      ...secondaries.flatMap(({ hindrances }) => hindrances),
      ...asked.flat(),
    ],
    notes: secondaries.flatMap(({ notes }) => notes),
    secondaries: secondaries.flatMap((one) => one.secondaries),
  };
};

/** What registries list as unfinished at secondaries whose counters tell of nothing. */
export const findUnsettledRows = async (
  { seen }: SeenSites,
  features: readonly FeatureState[],
  replicables: readonly Replicable[],
): Promise<readonly Complaint[]> => {
  const ground = groundOf(seen, features, replicables);
  const found = await Promise.all(
    seen
      .filter(({ primary }) => !primary)
      .map((site) => {
        const types = typesOf(site.status, replicables).filter((type) => !ground.off.has(type.replicableName));
        return ofUnsettledRows(site, types, "verified", { ground, replicables });
      }),
  );
  return found.flat();
};
