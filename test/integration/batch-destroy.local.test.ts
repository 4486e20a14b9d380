import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import pMap from "p-map";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOCAL } from "../../infra/local/paths.ts";
import { geoClient } from "../../shared/client/client.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { killWorkers } from "../faults/cloud-processes.ts";
import { keptVersions } from "../faults/history.ts";
import { type OwnPoller, pollByOurselves } from "../faults/own-poller.ts";
import {
  cloud,
  type CloudSite,
  installation,
  namesOfFeed,
  namesOfSecondary,
  primary,
  secondaries,
} from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { listFunctions } from "../support/wire/tapped-functions.ts";

/**
 * How many objects one namespace has, 100 unless `S3_GEO_DESTROY_OBJECTS` says else: with more the workers are killed in
 * more places, and it takes its time. `S3_GEO_SECONDARIES=2` has two secondaries follow.
 */
const OBJECTS = Number(process.env["S3_GEO_DESTROY_OBJECTS"] ?? 100);
const NEIGHBOURS = 20;

/** A local cloud carries some tens of objects a second, and one or two only on a machine that does other things as well. */
const LIMIT_MS = 60_000 + OBJECTS * 1_000;
const PUTS_UNDER_WAY = 16;

/** To count many objects takes the cloud as much as to carry some: between two looks it has this long, milliseconds. */
const LOOK_EVERY_MS = 250 + OBJECTS;

/** Kills of the workers that hide objects, spread over what there is to hide. */
const KILLS = 2;
const FIGURES = join(LOCAL, "reports", "batch-destroy.json");

const NAMESPACE = randomInt(1, 2 ** 47);
const keysOf = (namespace: string | number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `namespace_uploads/${namespace}/${index + 1}/file.bin`);
const ours = keysOf(NAMESPACE, OBJECTS);
// One whose id begins with the other's.
const neighbours = keysOf(`${NAMESPACE}0`, NEIGHBOURS);

const client = geoClient({ url: primary.api_url, token: primary.admin_token });
const id = siteId(primary.name);

const SITES = [primary, ...secondaries];
const everySite = (count: number): Readonly<Record<string, number>> =>
  Object.fromEntries(SITES.map(({ name }) => [name, count]));

/** How many objects of a namespace a site shows. */
const shownBy = async (site: CloudSite, namespace: string | number): Promise<number> => {
  let count = 0;
  for (let token: string | undefined; ;) {
    const page = await site.clients.s3.send(
      new ListObjectsV2Command({
        Bucket: site.bucket,
        Prefix: `namespace_uploads/${namespace}/`,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    count += page.Contents?.length ?? 0;
    token = page.NextContinuationToken;
    if (token === undefined) return count;
  }
};

/** How many objects of a namespace each site shows. */
const shown = async (namespace: string | number): Promise<Readonly<Record<string, number>>> =>
  Object.fromEntries(
    await Promise.all(SITES.map(async (site) => [site.name, await shownBy(site, namespace)] as const)),
  );

/** How many objects of the namespace each site hides by one delete marker and no more, though it heard of each twice. */
const hiddenOnce = async (): Promise<Readonly<Record<string, number>>> => {
  const counts = SITES.map(async (site) => {
    const kept = await keptVersions(site, `namespace_uploads/${NAMESPACE}/`);
    return [site.name, [...kept.values()].filter(({ markers, etag }) => markers === 1 && etag === undefined).length];
  });
  return Object.fromEntries(await Promise.all(counts));
};

/** Waits until each site shows so many objects of a namespace. */
const allShow = (fact: string, namespace: string | number, count: number): Promise<unknown> =>
  eventually(
    fact,
    () => shown(namespace),
    (counts) => Object.values(counts).every((one) => one === count),
    LIMIT_MS,
    LOOK_EVERY_MS,
  );

/** Seconds since then, to a tenth. */
const at = (start: number): number => Math.round((Date.now() - start) / 100) / 10;

const worker = `${installation}-${primary.name}-batch-destroy`;

/**
 * Every object's way to a secondary, in the order in which they are on it. The local cloud's one thread gives each of a
 * dozen queues one batch at a time, in turn; on Lambda each has pollers of its own.
 */
const WAYS = secondaries.flatMap((secondary) => [
  { site: primary, queue: namesOfFeed(secondary).ingestQueue, reader: `${secondary.name}-event-publisher` },
  { site: secondary, queue: namesOfSecondary(secondary).eventsQueue, reader: `${secondary.name}-event-consumer` },
]);

describe("a batch destroy", () => {
  const pollers: OwnPoller[] = [];
  beforeAll(async () => {
    if (cloud.endpoint === undefined) return;
    const regions = SITES.map(({ region }) => region);
    const functions = await listFunctions(cloud, regions, installation);
    for (const { site, queue, reader } of WAYS) {
      const found = functions.find(({ name }) => name === `${installation}-${reader}`);
      if (found === undefined) throw new Error(`no function ${reader} is deployed`);
      pollers.push(await pollByOurselves(site, queue, found));
    }
  });
  afterAll(async () => {
    for (const poller of pollers) await poller.stop();
  });

  test(
    `F81, F82: ${OBJECTS} objects of a namespace go from ${SITES.length} sites though its workers are killed, and come back`,
    { timeout: 4 * LIMIT_MS },
    async () => {
      const putting = Date.now();
      await pMap(
        [...ours, ...neighbours],
        (Key) => primary.clients.s3.send(new PutObjectCommand({ Bucket: primary.bucket, Key, Body: `body of ${Key}` })),
        { concurrency: PUTS_UNDER_WAY },
      );
      await allShow("all are replicated", NAMESPACE, OBJECTS);
      await allShow("so are the neighbours", `${NAMESPACE}0`, NEIGHBOURS);
      const replicatedIn = at(putting);

      const planning = Date.now();
      const { id: destroy } = await client.planDestroy(id, { namespace_id: NAMESPACE });
      const planned = await eventually(
        "it is planned",
        () => client.destroy(id, destroy),
        ({ state }) => state !== "planning",
        LIMIT_MS,
      );
      const plannedIn = at(planning);
      expect(planned).toMatchObject({
        state: "planned",
        object_count: OBJECTS,
        slices_count: Math.ceil(OBJECTS / 1_000),
      });
      expect(await shownBy(primary, NAMESPACE)).toBe(OBJECTS);
      await expect(client.confirmDestroy(id, destroy, OBJECTS + 1)).rejects.toMatchObject({ reason: "conflict" });

      const destroying = Date.now();
      await client.confirmDestroy(id, destroy, OBJECTS);
      /** How much was destroyed when workers were killed: with several slices, nothing yet and some of it. */
      const killedAt: number[] = [];
      const done = await eventually(
        "it is destroyed, and its workers are killed on the way",
        async () => {
          const progress = await client.destroy(id, destroy);
          const due = (killedAt.length * OBJECTS) / KILLS;
          const isDue = planned.slices_count === 1 || progress.destroyed_count >= due;
          if (killedAt.length < KILLS && isDue && (await killWorkers(worker)) > 0) {
            killedAt.push(progress.destroyed_count);
          }
          return progress;
        },
        ({ state }) => state !== "destroying",
        LIMIT_MS,
      );
      const destroyedIn = at(destroying);
      // A single slice may be through before anybody looks a second time.
      expect(killedAt.length).toBeGreaterThanOrEqual(planned.slices_count > 1 ? KILLS : 0);
      expect(done).toMatchObject({
        state: "destroyed",
        destroyed_count: OBJECTS,
        events_count: OBJECTS,
        kept_count: 0,
        failed_count: 0,
      });
      expect(await shownBy(primary, NAMESPACE)).toBe(0);
      await allShow("no secondary shows any", NAMESPACE, 0);
      await eventually(
        "the destroy knows it",
        () => client.destroy(id, destroy),
        ({ secondaries: followers, slices_count: slices }) =>
          secondaries.every(({ name }) => followers[name]?.slices_followed_count === slices),
        LIMIT_MS,
      );
      const followedIn = at(destroying);
      expect(await shown(`${NAMESPACE}0`)).toEqual(everySite(NEIGHBOURS));
      expect(await hiddenOnce()).toEqual(everySite(OBJECTS));

      const undoing = Date.now();
      await client.undoDestroy(id, destroy);
      const undone = await eventually(
        "it is undone",
        () => client.destroy(id, destroy),
        ({ state }) => state !== "undoing",
        LIMIT_MS,
      );
      const undoneIn = at(undoing);
      expect(undone).toMatchObject({ state: "undone", restored_count: OBJECTS, not_restored_count: 0 });
      expect(await shownBy(primary, NAMESPACE)).toBe(OBJECTS);
      await allShow("and replicated again", NAMESPACE, OBJECTS);
      const figures = {
        objects: OBJECTS,
        secondaries: secondaries.length,
        killed_when_destroyed: killedAt,
        seconds: {
          replicated: replicatedIn,
          planned: plannedIn,
          destroyed: destroyedIn,
          followed: followedIn,
          undone: undoneIn,
          replicated_again: at(undoing),
        },
      };
      await mkdir(dirname(FIGURES), { recursive: true });
      await writeFile(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
      console.log(JSON.stringify(figures));
    },
  );
});
