import { readSiteStatus } from "../../shared/services/site-status.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { countedTable, type RowChange } from "../../shared/geo/counters.ts";
import { type GeoEvent, GeoMessage } from "../../shared/geo/geo-message.ts";
import { buildKey } from "../../shared/geo/key-pattern.ts";
import {
  parseRegistryRow,
  parseVerificationStateRow,
  type RegistryRow,
  rowKey,
  type VerificationStateRow,
} from "../../shared/geo/registry-row.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { keyMatcher } from "../../shared/services/key-matcher.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { WALK_SETTINGS_DEFAULT, runWalks } from "../../shared/services/registry-consistency/run-walks.ts";
import { twoSites, type TwoSitesOptions } from "../support/two-sites.ts";

/** A key of the type: `42` is its record, `7` every owner, `file.bin` what is left. */
const keyFor = ({ keyPattern }: Replicable, id: string): string =>
  buildKey(
    keyPattern,
    Object.fromEntries(
      keyPattern.placeholders.map((name) => [name, name === "id" ? id : name === keyPattern.rest ? "file.bin" : "7"]),
    ),
  );

const recorded = (table: MemoryTable): readonly RowChange[] => {
  const changes: RowChange[] = [];
  table.onChange(({ sequenceNumber, before, after }) => {
    changes.push({
      sequenceNumber: String(sequenceNumber),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  });
  return changes;
};

/** The type with what it can not be without: a partitioned type has the keys of its partitions. */
const withPartitions = (type: Replicable): readonly Replicable[] =>
  type.partitioned ? [type, ...replicables.filter(({ partitionOf }) => partitionOf === type.name)] : [type];

/**
 * Two sites that replicate one type and nothing else, with that type switched on. The only place where the conformance kit
 * makes its world.
 */
export const loneWorld = async (type: Replicable, options: Omit<TwoSitesOptions, "replicables"> = {}) => {
  const types = withPartitions(type);
  const sites = twoSites({ ...options, replicables: types });
  await sites.primarySiteTable.update(setFlag(type.names.flags.replication, true, 0));
  const changes = { primary: recorded(sites.verificationState), secondary: recorded(sites.registry) };
  const placed = types.find(({ partitioned }) => !partitioned) ?? type;
  const key = keyFor(placed, "42");
  const owner = (await keyMatcher(types, sites.primary.switches))(key);
  if (owner === undefined) throw new Error(`${type.name} does not claim ${key}: does its filter leave it out?`);
  const ref = { replicableName: type.name, key };

  return {
    ...sites,
    /** A key of the type. */
    key,
    /** What an event says of it: the record's id, and when it is deleted the class that wrote it. */
    modelRecordId: owner.modelRecordId,
    uploader: owner.replicable.uploader,
    /** The key of another record of the type. */
    otherKey: keyFor(placed, "43"),
    /** The secondary's record of the key; undefined when there is none. */
    row: async (): Promise<RegistryRow | undefined> => {
      const item = await sites.registry.get(rowKey(ref));
      return item === undefined ? undefined : parseRegistryRow(item);
    },
    /** The primary's record of the key. */
    state: async (): Promise<VerificationStateRow | undefined> => {
      const item = await sites.verificationState.get(rowKey(ref));
      return item === undefined ? undefined : parseVerificationStateRow(item);
    },
    /** Carries what S3 has sent to the secondary's queue, and reads the events there without taking them. */
    published: async (): Promise<readonly GeoEvent[]> => {
      await sites.publish();
      return sites.queues.events.live.bodies.flatMap((body) => {
        const message = GeoMessage.parse(JSON.parse(body));
        return message.kind === "geo_events" ? message.events : [];
      });
    },
    /** Walks through both buckets, as the scheduler does once a week. */
    walk: () =>
      runWalks(
        {
          ...sites.secondary,
          settings: sites.settings,
          registry: sites.registry,
          siteTable: sites.siteTable,
          backfill: {
            name: "backfill",
            send: (messages) => sites.queues.events.live.send(messages),
            backlog: () => Promise.resolve(sites.queues.events.live.size),
          },
        },
        types,
        WALK_SETTINGS_DEFAULT,
        { stopAt: Infinity, keysPerRun: Infinity, askedFor: new Map() },
      ),
    /** The status of a site, from counters that have seen everything. */
    status: async (role: "primary" | "secondary"): Promise<Readonly<Record<string, unknown>>> => {
      const { siteTable, clock, telemetry } = sites;
      await countChanges(siteTable, { table: countedTable(role), shard: role, changes: changes[role] });
      const site = { name: role, role, region: "eu-west-1" };
      return readSiteStatus({ site, replicables: [type], siteTable, clock, telemetry }, "");
    },
  };
};
