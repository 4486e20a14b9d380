import type { ListPage } from "../../shared/ports/object-store.ts";
import { runWalks, WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import type { WalkingSite } from "../../shared/services/registry-consistency/walk-range.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import type { TwoSites } from "./two-sites.ts";

/** Most keys in one request for many items (DynamoDB's API reference, BatchGetItem). */
const BATCH_KEYS_MAX = 100;

/** What a walk asked of the world. */
export interface WalkRequests {
  /** LIST calls, those that look where to cut a range included. */
  readonly lists: { primary: number; replica: number };
  /** BatchGetItem requests, and the keys that they name. */
  rowBatches: number;
  rowKeys: number;
  /** Messages to the backfill queue. */
  messages: number;
}

type Listing = Pick<WalkingSite["primary"], "list">;

/** A secondary that walks, with a backfill queue of its own, and counts of what that costs. */
export const walkingSecondary = (
  world: TwoSites,
  /** What is walked. Default: what the world holds. */
  walked: Partial<
    Pick<WalkingSite, "registry"> & {
      readonly primary: Listing;
      readonly replica: Listing;
      /** Stands in for the backfill queue, which is then empty. */
      readonly takes: WalkingSite["backfill"]["send"];
    }
  > = {},
) => {
  const { primary = world.secondary.primary, replica = world.secondary.replica, registry = world.registry } = walked;
  const requests: WalkRequests = { lists: { primary: 0, replica: 0 }, rowBatches: 0, rowKeys: 0, messages: 0 };
  const { clock, chance } = world;
  const backfill = new MemoryQueue({ name: "backfill", clock, chance, visibilityTimeoutSeconds: 1_800 });
  const counted = (side: "primary" | "replica", { list }: Listing) => ({
    list: (options: Parameters<typeof list>[0]): Promise<ListPage> => {
      requests.lists[side] += 1;
      return list(options);
    },
  });
  const site: WalkingSite = {
    ...world.secondary,
    settings: world.settings,
    primary: {
      ...counted("primary", { list: (options) => primary.list(options) }),
      head: (key) => world.secondary.primary.head(key),
    },
    replica: counted("replica", { list: (options) => replica.list(options) }),
    registry: {
      getMany: (keys) => {
        requests.rowBatches += Math.ceil(keys.length / BATCH_KEYS_MAX);
        requests.rowKeys += keys.length;
        return registry.getMany(keys);
      },
    },
    siteTable: world.siteTable,
    backfill: {
      name: backfill.name,
      send: (messages) => {
        requests.messages += messages.length;
        return (walked.takes ?? ((some) => backfill.send(some)))(messages);
      },
      backlog: () => Promise.resolve(backfill.size),
    },
  };
  /** One run; of what is left out, nothing bounds it. */
  const walk = (
    settings: Partial<typeof WALK_SETTINGS_DEFAULT> = {},
    run: Partial<Parameters<typeof runWalks>[3]> = {},
  ) =>
    runWalks(
      site,
      world.replicables,
      { ...WALK_SETTINGS_DEFAULT, ...settings },
      { stopAt: Infinity, keysPerRun: Infinity, askedFor: new Map(), ...run },
    );
  return { site, requests, backfill, walk };
};
