import { COPY_LIMITS, type CopyLimits } from "../../shared/geo/copy-limits.ts";
import type { DestroyParent } from "../../shared/geo/destroy.ts";
import { parseDestroyStep } from "../../shared/geo/destroy-step.ts";
import type { GeoEvent } from "../../shared/geo/geo-message.ts";
import { parseGeoMessage } from "../../shared/geo/read-message.ts";
import { parseRegistryRow, type RegistryRow, rowKey } from "../../shared/geo/registry-row.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { MemoryDestroyableBucket } from "../../shared/memory/destroyable-bucket.ts";
import { MemoryManifestStore } from "../../shared/memory/manifest-store.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import type { DestroyingSite } from "../../shared/ports/destroy.ts";
import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import {
  cancelDestroy,
  confirmDestroy,
  type DestroyAsking,
  requestDestroy,
  undoDestroy,
} from "../../shared/services/batch-destroy/ask-for-destroy.ts";
import { destroyProgress } from "../../shared/services/batch-destroy/describe-destroy.ts";
import { destroyStep } from "../../shared/services/batch-destroy/destroy-step.ts";
import { DestroyedVersions } from "../../shared/services/batch-destroy/destroyed-versions.ts";
import { theDestroy } from "../../shared/services/batch-destroy/stored-destroy.ts";
import { consumeEvents } from "../../shared/services/consume.ts";
import { SecondaryNote } from "../../shared/services/note-secondary.ts";
import { publishEvents } from "../../shared/services/publish.ts";
import { replicate } from "./removals.ts";
import { twoSites, type TwoSitesOptions } from "./two-sites.ts";

/** How long one step of the function may take, milliseconds. */
const STEP_MS = 240_000;

/** A secondary with its queues, beside the primary of a world. */
interface Follower {
  readonly site: SecondarySite;
  readonly ingest: MemoryQueue;
  readonly events: MemoryQueue;
  readonly replica: MemoryBucket;
  readonly registry: MemoryTable;
}

/** Works through a queue until it is empty; whether there was anything in it. */
const drain = async (from: MemoryQueue, work: (messages: readonly ReceivedMessage[]) => Promise<unknown>) => {
  let some = false;
  for (;;) {
    const messages = await from.receive(10);
    if (messages.length === 0) return some;
    some = true;
    await work(messages);
    await from.acknowledge(messages.map(({ id }) => id));
  }
};

/** A site whose bucket does some things otherwise. */
export const withBucket = (site: DestroyingSite, otherwise: Partial<DestroyingSite["bucket"]>): DestroyingSite => ({
  ...site,
  bucket: new Proxy(site.bucket, {
    get: (target, name) => {
      const value: unknown = Reflect.get(Object.hasOwn(otherwise, name) ? otherwise : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }),
});

/** Uploads of a group: its id stands in the key. */
export const uploadsOf = (group: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `namespace_uploads/${group}/${index + 1}/avatar.png`);

/**
 * A primary that batch destroys, and two secondaries that follow it: `dublin` and `oslo`.
 * @param copies how the primary copies, by the size of objects. Default: S3's own limits
 */
export const destroyingWorld = (options: TwoSitesOptions = {}, copies: CopyLimits = COPY_LIMITS) => {
  const world = twoSites(options);
  const { clock, chance, primaryBucket, primarySiteTable } = world;
  const queue = (name: string) => new MemoryQueue({ name, clock, chance, visibilityTimeoutSeconds: 600 });

  const follower = (name: string): Follower => {
    const replica = new MemoryBucket({ name: `${name}-bucket`, clock, chance, region: "eu-north-1" });
    const registry = new MemoryTable({
      name: `${name}-registry`,
      indexes: [{ name: "due", pk: "due_pk", sk: "due_at", sortType: "number" }],
    });
    const site: SecondarySite = {
      ...world.secondary,
      name,
      replica: new MemoryReplicaBucket({ primary: primaryBucket, replica }),
      registry,
      siteTable: new MemoryTable({ name: `${name}-site` }),
      verificationQueue: queue(`${name}-verification`),
      destroyed: new DestroyedVersions(primarySiteTable, clock),
    };
    return { site, ingest: queue(`${name}-ingest`), events: queue(`${name}-events`), replica, registry };
  };
  const followers = [follower("dublin"), follower("oslo")] as const;
  const noted = Promise.all(
    followers.map(({ site: { name }, registry }) =>
      new SecondaryNote(world.primary, primarySiteTable, {
        name,
        region: "eu-north-1",
        registryTable: registry.name,
      }).refresh(),
    ),
  );
  const reported: string[] = [];
  primaryBucket.onEvent((body) => void reported.push(body));
  const announced: GeoEvent[] = [];

  const bucket = new MemoryDestroyableBucket(primaryBucket, {
    copyBytesMax: copies.singleCopyBytesMax,
    parts: copies.parts,
  });
  const manifests = new MemoryManifestStore();
  const site: DestroyingSite = {
    ...world.primary,
    replicables: world.replicables,
    bucket,
    copies,
    manifests,
    siteTable: primarySiteTable,
    geoEvents: {
      name: "geo-events",
      send: async (messages) => {
        for (const { body } of messages) {
          const parsed = parseGeoMessage(body);
          if ("message" in parsed && parsed.message.kind === "geo_events") announced.push(...parsed.message.events);
        }
        for (const { ingest } of followers) await ingest.send(messages);
        return { outcome: "sent" };
      },
    },
    secondaries: () => Promise.resolve(followers.map(({ site: { name }, registry }) => ({ name, registry }))),
  };
  const workflow = new MemoryWorkflow({ name: "batch-destroy", clock });
  const asking: DestroyAsking = {
    replicables: world.replicables,
    siteTable: primarySiteTable,
    destroys: workflow,
    clock,
    chance,
    telemetry: world.telemetry,
  };

  /** Carries what is under way to both secondaries, until nothing is. */
  const follow = async (who: readonly Follower[] = followers): Promise<void> => {
    for (let rounds = 0; rounds < 1_000; rounds += 1) {
      for (const body of reported.splice(0)) for (const { ingest } of followers) await ingest.send([{ body }]);
      let moved = false;
      for (const { site: secondary, ingest, events } of who) {
        const publishing = { ...world.publishing, events, verification: secondary.verificationQueue, parking: ingest };
        moved = (await drain(ingest, (messages) => publishEvents(publishing, messages))) || moved;
        const consuming = {
          site: secondary,
          replicables: world.replicables,
          parking: events,
          stopAt: clock.now() + STEP_MS,
        };
        const consumed = await drain(events, async (messages) => {
          for (const message of messages) await consumeEvents(consuming, message);
        });
        moved ||= consumed;
      }
      if (!moved && reported.length === 0) return;
    }
    throw new Error("the queues do not come to rest");
  };

  /** What the machine asks the function for. */
  const step = (input: unknown, by: DestroyingSite = site): Promise<unknown> =>
    destroyStep(by, parseDestroyStep(input), clock.now() + STEP_MS);

  const ask = (parent: DestroyParent, replicableName?: string) =>
    requestDestroy(asking, { replicableName, parent }, "an operator");

  const plan = async (parent: DestroyParent, replicableName?: string) => {
    const { id } = await ask(parent, replicableName);
    await step({ step: "build_manifest", destroy_id: id });
    return (await theDestroy(primarySiteTable, id)).record;
  };

  /** How often the machine was started for this. */
  const runOf = async (id: string, kind: "destroy" | "undo"): Promise<number> => {
    const { record } = await theDestroy(primarySiteTable, id);
    return kind === "destroy" ? record.destroy_runs : record.undo_runs;
  };

  const conclude = async (id: string, kind: "destroy" | "undo", by: DestroyingSite = site) =>
    step({ step: "conclude", destroy_id: id, work: kind, run: await runOf(id, kind) }, by);

  const work = async (id: string, kind: "destroy" | "undo", by: DestroyingSite = site) => {
    const { groups } = (await step({ step: "hand_out_slices", destroy_id: id, work: kind }, by)) as {
      readonly groups: readonly { readonly from: number; readonly to: number }[];
    };
    for (const one of groups) {
      const asked = { step: "work_on_group", destroy_id: id, work: kind };
      for (let group = { ...one, more: true, wait_seconds: 0 }; group.more;) {
        clock.advance(group.wait_seconds * 1_000);
        // What the step answers is what it is asked with next.
        group = (await step({ ...asked, group }, by)) as typeof group;
      }
    }
    await conclude(id, kind, by);
  };

  return {
    ...world,
    site,
    asking,
    workflow,
    bucket,
    manifests,
    followers,
    announced,
    follow,
    step,
    ask,
    plan,
    /** Puts an object under each key, and has both secondaries copy them. */
    putAll: async (keys: readonly string[], metadata: Readonly<Record<string, string>> = {}): Promise<void> => {
      for (const key of keys) primaryBucket.put(key, `body of ${key}`, { metadata });
      await world.settle();
      await follow();
    },
    replicateToFirst: (keys: readonly string[]) => replicate(world, keys),
    confirm: (id: string, count: number) => confirmDestroy(asking, id, count, "an operator"),
    undo: (id: string) => undoDestroy(asking, id),
    cancel: (id: string) => cancelDestroy(asking, id),
    /** What the machine does once it was started. */
    destroy: (id: string, by?: DestroyingSite) => work(id, "destroy", by),
    bringBack: (id: string, by?: DestroyingSite) => work(id, "undo", by),
    conclude,
    look: async (id: string, looks = 0, by?: DestroyingSite) =>
      step({ step: "look_at_secondaries", destroy_id: id, run: await runOf(id, "destroy"), looks }, by),
    progress: async (id: string) => {
      await noted;
      return destroyProgress(primarySiteTable, (await theDestroy(primarySiteTable, id)).record, clock.now());
    },
    /** Keys that a secondary shows. */
    shownBy: (index: 0 | 1): readonly string[] => followers[index].replica.keys(),
    /** A secondary's row of a key. */
    rowOf: async (index: 0 | 1, key: string): Promise<RegistryRow | undefined> => {
      const item = await followers[index].registry.get(rowKey(world.refOf(key)));
      return item === undefined ? undefined : parseRegistryRow(item);
    },
  };
};

export type DestroyingWorld = ReturnType<typeof destroyingWorld>;
