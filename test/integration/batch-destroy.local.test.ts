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
import { type OwnPoller, pollByOurselves } from "../faults/own-poller.ts";
import { cloud, type CloudSite, installation, names, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { listFunctions } from "../support/wire/tapped-functions.ts";

/**
 * How many objects one namespace has, 100 unless `S3_GEO_DESTROY_OBJECTS` says else: with more the workers are killed in
 * more places, and it takes its time.
 */
const OBJECTS = Number(process.env["S3_GEO_DESTROY_OBJECTS"] ?? 100);
const NEIGHBOURS = 20;

/** A local cloud carries some tens of objects a second, and one or two only on a machine that does other things as well. */
const LIMIT_MS = 60_000 + OBJECTS * 1_000;
const PUTS_UNDER_WAY = 16;
const FIGURES = join(LOCAL, "reports", "batch-destroy.json");

const NAMESPACE = randomInt(1, 2 ** 47);
const keysOf = (namespace: string | number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `namespace_uploads/${namespace}/${index + 1}/file.bin`);
const ours = keysOf(NAMESPACE, OBJECTS);
// One whose id begins with the other's.
const neighbours = keysOf(`${NAMESPACE}0`, NEIGHBOURS);

const client = geoClient({ url: primary.api_url, token: primary.admin_token });
const id = siteId(primary.name);

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

/** Seconds since then, to a tenth. */
const at = (start: number): number => Math.round((Date.now() - start) / 100) / 10;

const worker = `${installation}-${primary.name}-batch-destroy`;

/**
 * Every object's way to the secondary, in the order in which they are on it. The local cloud's one thread gives each of a
 * dozen queues one batch at a time, in turn; on Lambda each has pollers of its own.
 */
const WAY = [
  { site: primary, queue: names.feed.ingestQueue, reader: "event-publisher" },
  { site: secondary, queue: names.secondary.eventsQueue, reader: "event-consumer" },
] as const;

describe("a batch destroy", () => {
  const pollers: OwnPoller[] = [];
  beforeAll(async () => {
    if (cloud.endpoint === undefined) return;
    const functions = await listFunctions(cloud, [primary.region, secondary.region], installation);
    for (const { site, queue, reader } of WAY) {
      const found = functions.find(({ name }) => name.endsWith(`-${reader}`));
      if (found === undefined) throw new Error(`no function ${reader} is deployed`);
      pollers.push(await pollByOurselves(site, queue, found));
    }
  });
  afterAll(async () => {
    for (const poller of pollers) await poller.stop();
  });

  test(
    `F81, F82: ${OBJECTS} objects of a namespace go from both sites though its workers are killed, and come back`,
    { timeout: 4 * LIMIT_MS },
    async () => {
      await pMap(
        [...ours, ...neighbours],
        (Key) => primary.clients.s3.send(new PutObjectCommand({ Bucket: primary.bucket, Key, Body: `body of ${Key}` })),
        { concurrency: PUTS_UNDER_WAY },
      );
      await eventually(
        "all are replicated",
        () => shownBy(secondary, NAMESPACE),
        (n) => n === OBJECTS,
        LIMIT_MS,
      );
      await eventually(
        "so are the neighbours",
        () => shownBy(secondary, `${NAMESPACE}0`),
        (n) => n === NEIGHBOURS,
        LIMIT_MS,
      );

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
      let kills = 0;
      const done = await eventually(
        "it is destroyed, and its workers are killed on the way",
        async () => {
          if (kills < 2) kills += await killWorkers(worker);
          return client.destroy(id, destroy);
        },
        ({ state }) => state !== "destroying",
        LIMIT_MS,
      );
      const destroyedIn = at(destroying);
      expect(done).toMatchObject({
        state: "destroyed",
        destroyed_count: OBJECTS,
        events_count: OBJECTS,
        kept_count: 0,
        failed_count: 0,
      });
      expect(await shownBy(primary, NAMESPACE)).toBe(0);
      await eventually(
        "the secondary shows none",
        () => shownBy(secondary, NAMESPACE),
        (n) => n === 0,
        LIMIT_MS,
      );
      await eventually(
        "the destroy knows it",
        () => client.destroy(id, destroy),
        ({ secondaries, slices_count: slices }) => secondaries[secondary.name]?.slices_followed_count === slices,
        LIMIT_MS,
      );
      const followedIn = at(destroying);
      expect([await shownBy(primary, `${NAMESPACE}0`), await shownBy(secondary, `${NAMESPACE}0`)]).toEqual([
        NEIGHBOURS,
        NEIGHBOURS,
      ]);

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
      await eventually(
        "and replicated again",
        () => shownBy(secondary, NAMESPACE),
        (n) => n === OBJECTS,
        LIMIT_MS,
      );
      const figures = {
        objects: OBJECTS,
        kills,
        seconds: { planned: plannedIn, destroyed: destroyedIn, followed: followedIn, undone: undoneIn },
      };
      await mkdir(dirname(FIGURES), { recursive: true });
      await writeFile(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
      console.log(JSON.stringify(figures));
    },
  );
});
