import { countedTable, readSiteStatus } from "../../shared/services/site-status.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import type { RowChange } from "../../shared/geo/counters.ts";
import { type GeoEvent, GeoMessage } from "../../shared/geo/geo-message.ts";
import { buildKey } from "../../shared/geo/key-pattern.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
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

/**
 * Two sites that replicate one type and nothing else, with that type switched on. The only place where the conformance kit
 * makes its world.
 */
export const loneWorld = (type: Replicable, options: Omit<TwoSitesOptions, "replicables"> = {}) => {
  const sites = twoSites({ ...options, replicables: [type] });
  const changes = { primary: recorded(sites.verificationState), secondary: recorded(sites.registry) };
  const key = keyFor(type, "42");
  const modelRecordId = matchKey([type], key)?.modelRecordId;
  if (modelRecordId === undefined) throw new Error(`${type.name} does not claim ${key}: does its filter leave it out?`);

  return {
    ...sites,
    /** A key of the type. */
    key,
    /** The same record's id, as events have it. */
    modelRecordId,
    /** The key of another record of the type. */
    otherKey: keyFor(type, "43"),
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
        [type],
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
