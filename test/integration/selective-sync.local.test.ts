import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GeoClient, geoClient } from "../../shared/client/client.ts";
import {
  countsOf,
  type FeatureState,
  RemovalGuardsContract,
  type SiteSettingsAnswer,
} from "../../shared/client/contract.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { dependencyProxyBlob } from "../../shared/replicables/dependency-proxy-blob.ts";
import { lfsObject } from "../../shared/replicables/lfs-object.ts";
import { type CloudSite, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { startOften } from "../support/wire/start-often.ts";
import { objectAt, putOnPrimary, registryRow, verified, versionsAt } from "./support/objects.ts";

/**
 * This suite has the sites to itself: a rule holds for every type. All others are switched off while there is one, so that
 * it takes no other suite's replicas away.
 */
const TYPES = [dependencyProxyBlob, lfsObject];
const [GROUP, OTHER_GROUP, SUBGROUP] = [1, 2, 3].map((digit) => digit * 2 ** 40 + randomInt(1, 2 ** 40));

/** Owned by what their keys say, and by what their metadata says, the last one by nobody. */
const OF_GROUP = `dependency_proxy_blobs/${GROUP}/1/layer.gz`;
const OF_OTHER_GROUP = `dependency_proxy_blobs/${OTHER_GROUP}/2/layer.gz`;
const OF_SUBGROUP = `lfs_objects/${SUBGROUP}/model.bin`;
const OF_NOBODY = `lfs_objects/${OTHER_GROUP}/model.bin`;
const ALL = [OF_GROUP, OF_OTHER_GROUP, OF_SUBGROUP, OF_NOBODY];

/** Everybody hears of a change within half a minute, a walk is started each minute, and has its way to go. */
const WALKED_WITHIN_MS = 240_000;

const clientOf = ({ api_url: url, admin_token: token }: CloudSite): GeoClient => geoClient({ url, token });
const [atPrimary, atSecondary] = [clientOf(primary), clientOf(secondary)];
const ID = siteId(secondary.name);

const isOurs = ({ name }: FeatureState): boolean => TYPES.some(({ names }) => names.flags.replication === name);

/** The types that take part while this suite does not run. */
let takingPart: readonly FeatureState[] = [];
let siteBefore: SiteSettingsAnswer | undefined;
let leaveToSchedule: () => Promise<void> = () => Promise.resolve();

beforeAll(async () => {
  leaveToSchedule = await startOften("registry-consistency", secondary.region);
  siteBefore = await atSecondary.site(ID);
  takingPart = (await atPrimary.features()).filter(
    ({ name, state }) => name.endsWith("_replication") && state === "on",
  );
  for (const flag of takingPart) if (!isOurs(flag)) await atPrimary.setFeature(flag.name, false);
});

afterAll(async () => {
  await leaveToSchedule();
  // The rule first: nothing may be on while it could be taken away by it.
  if (siteBefore !== undefined) {
    const { files_max_capacity: files } = siteBefore;
    await atSecondary.changeSite(ID, { selective_sync_type: null, files_max_capacity: files });
  }
  for (const { name, overridden } of takingPart) {
    await (overridden ? atPrimary.setFeature(name, true) : atPrimary.resetFeature(name));
  }
});

/** How many objects of the two types the site says that it has. */
const counted = async (): Promise<readonly (number | null)[]> => {
  const status = await atSecondary.siteStatus(ID);
  return TYPES.map(({ names }) => countsOf(status, names).registryCount);
};

/** Which of the keys the secondary shows. */
const shown = async (keys: readonly string[] = ALL): Promise<readonly string[]> => {
  const objects = await Promise.all(keys.map((key) => objectAt(secondary, key)));
  return keys.filter((_, index) => objects[index] !== undefined);
};

const removals = async (): Promise<readonly number[]> => {
  const guards = await fetch(`${secondary.api_url}/api/v4/geo_sites/${ID}/removal_guards`, {
    headers: { "private-token": secondary.admin_token },
  });
  const told = RemovalGuardsContract.parse(await guards.json());
  return TYPES.map(({ name }) => told.find(({ replicable_name: of }) => of === name)?.removals ?? 0);
};

/** Puts objects of a type until one has not been followed: by then everybody has heard that the type is switched off. */
const putUnheard = async (): Promise<string> => {
  let number = 0;
  const next = async () => {
    number += 1;
    const [off, on] = [`lfs_objects/${GROUP}/${number}.bin`, `dependency_proxy_blobs/${GROUP}/9/${number}.gz`];
    await putOnPrimary(off, off);
    await putOnPrimary(on, on); // its own event comes later, and is not held up
    await verified(on);
    return { off, row: await registryRow(off) };
  };
  return (await eventually("an object of a type that is off is not followed", next, ({ row }) => row === undefined))
    .off;
};

test(
  "an operator narrows what a running site keeps, switches a type off and on, and widens it again",
  { timeout: 3 * WALKED_WITHIN_MS },
  async () => {
    // One key at a time in each function: slower, and the same.
    expect(await atSecondary.changeSite(ID, { files_max_capacity: 1 })).toMatchObject({ files_max_capacity: 1 });
    for (const key of ALL) {
      const metadata = key === OF_SUBGROUP ? { "geo-namespace": `${GROUP}/${SUBGROUP}` } : {};
      await putOnPrimary(key, key, { Metadata: metadata });
    }
    for (const key of ALL) await verified(key);
    const before = await eventually("they are counted", counted, (counts) =>
      counts.every((count) => (count ?? 0) >= 2),
    );
    const [blobs, lfs] = before.map((count) => count ?? 0) as [number, number];
    const removedBefore = await removals();

    const narrowed = await atSecondary.changeSite(ID, {
      selective_sync_type: "namespaces",
      selective_sync_namespace_ids: [GROUP ?? 0],
    });
    expect(narrowed).toMatchObject({ selective_sync_type: "namespaces", selective_sync_namespace_ids: [GROUP] });
    const wanted = [OF_GROUP, OF_SUBGROUP];
    await eventually("what left is gone", shown, (keys) => keys.join() === wanted.join(), WALKED_WITHIN_MS);
    const [blobsLeft = 0, lfsLeft = 0] = await eventually(
      "and is not counted any more",
      counted,
      ([ofBlobs, ofLfs]) => (ofBlobs ?? blobs) < blobs && (ofLfs ?? lfs) < lfs,
    );
    console.log(`narrowed to one group: ${blobs} -> ${blobsLeft} blobs, ${lfs} -> ${lfsLeft} LFS objects`);
    for (const key of [OF_OTHER_GROUP, OF_NOBODY]) {
      expect(await registryRow(key)).toBeUndefined();
      expect(await versionsAt(secondary, key)).toMatchObject({ versions: 1, markers: [expect.any(String)] });
    }
    // Each went through the removal guard.
    expect((await removals()).map((count, index) => count - (removedBefore[index] ?? 0))).toEqual([
      expect.toSatisfy((count: number) => count >= 1),
      expect.toSatisfy((count: number) => count >= 1),
    ]);

    expect(await atPrimary.setFeature(lfsObject.names.flags.replication, false)).toMatchObject({ state: "off" });
    const unheard = await putUnheard();
    expect(await shown([OF_SUBGROUP, unheard])).toEqual([OF_SUBGROUP]);

    expect(await atPrimary.setFeature(lfsObject.names.flags.replication, true)).toMatchObject({ state: "on" });
    const widened = await atSecondary.changeSite(ID, { selective_sync_type: null, files_max_capacity: 2_880 });
    expect(widened).toMatchObject({ selective_sync_type: null, selective_sync_namespace_ids: [] });
    await eventually(
      "all are there again, and what was put while its type was off",
      () => shown([...ALL, unheard]),
      (keys) => keys.length === ALL.length + 1,
      WALKED_WITHIN_MS,
    );
    for (const key of [...ALL, unheard]) await verified(key);
    const after = await eventually(
      "and are counted",
      counted,
      ([ofBlobs, ofLfs]) => (ofBlobs ?? 0) >= blobs && (ofLfs ?? 0) >= lfs,
    );
    console.log(`widened again: ${after.join(" blobs, ")} LFS objects`);
  },
);

/** What a call that is refused is told. */
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "no refusal",
    (error: unknown) => String(error),
  );

test("a secondary refuses to change a flag, and either site settings that make no sense", async () => {
  expect(await refusal(atSecondary.setFeature(lfsObject.names.flags.replication, false))).toContain("409");
  expect(await refusal(atSecondary.changeSite(ID, { files_max_capacity: 0 }))).toContain("answered 400");
  const atOne = siteId(primary.name);
  expect(await refusal(atPrimary.changeSite(atOne, { selective_sync_type: "shards" }))).toContain("answered 400");
  expect(await atSecondary.features()).toEqual(await atPrimary.features());
});
