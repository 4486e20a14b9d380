import { buffer } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { adminUrlOf, type DemoWorld } from "../../../infra/local/demo-world.ts";
import { embeddedWorld } from "../../../infra/local/embedded-world.ts";
import { stopEverything } from "../../../infra/local/processes.ts";
import { readCounts, readStatus, sumCounts } from "../../../infra/local/status-client.ts";
import { geoClient } from "../../../shared/client/client.ts";
import { siteId } from "../../../shared/geo/site-status.ts";
import { eventually } from "../../support/eventually.ts";

const worldUp: Promise<DemoWorld> = embeddedWorld();
afterAll(stopEverything);

const upload = (key: string, body: string, checksum: "CRC32" | "CRC64NVME") => ({
  key,
  body: Buffer.from(body),
  headers: { contentType: "text/plain" },
  metadata: {},
  tags: {},
  storageClass: "STANDARD",
  checksum,
});

test("replicates, verifies and counts what is put, and tells it over HTTP", async () => {
  const world = await worldUp;
  await world.primary.bucket.put(upload("cool_widgets/1/a b.bin", "attested", "CRC64NVME"));
  await world.primary.bucket.put(upload("cool_widgets/2/b.bin", "computed", "CRC32"));
  const all = await eventually(
    "both are counted as verified",
    async () => sumCounts(await readCounts(world.secondary, world.replicables)),
    ({ verified }) => verified === 2,
    10_000,
  );
  expect(all).toMatchObject({ rows: 2, synced: 2, verified: 2, failed: 0 });
  expect(sumCounts(await readCounts(world.primary, world.replicables))).toMatchObject({ rows: 2, verified: 2 });
});

test("puts right what somebody changes in the bucket of replicas", { timeout: 30_000 }, async () => {
  const { primary, secondary } = await worldUp;
  const key = "cool_widgets/3/c.bin";
  const replicaText = async () => {
    const found = await secondary.bucket.describe(key);
    if (found === undefined) return undefined;
    return (await buffer(await secondary.bucket.read(key, found.versionId))).toString();
  };
  await primary.bucket.put(upload(key, "ours", "CRC64NVME"));
  await eventually("it is replicated", replicaText, (text) => text === "ours", 10_000);
  await secondary.bucket.put(upload(key, "theirs", "CRC64NVME"));
  expect(await replicaText()).toBe("theirs");
  await eventually("it is the primary's again", replicaText, (text) => text === "ours", 15_000);
});

test("lets nobody in without the token", async () => {
  const { primary } = await worldUp;
  await expect(readStatus({ ...primary, adminToken: "let-me-in" })).rejects.toThrow("answered 403");
  expect((await fetch(`${primary.apiUrl}/api/v4/geo_sites/status`)).status).toBe(401);
});

test("serves the admin page of each site to whoever asks, with its script (F94)", async () => {
  const { primary, secondary } = await worldUp;
  for (const site of [primary, secondary]) {
    const page = await fetch(adminUrlOf(site));
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    const [, script = ""] = /src="([^"]+)"/.exec(await page.text()) ?? [];
    expect((await fetch(new URL(script, adminUrlOf(site)))).status).toBe(200);
  }
});

test("is steered as the deployed sites are", async () => {
  const { primary, secondary } = await worldUp;
  const [atPrimary, atSecondary] = [primary, secondary].map(({ apiUrl: url, adminToken: token }) =>
    geoClient({ url, token }),
  );
  const id = siteId(secondary.name);
  expect(await atSecondary?.changeSite(id, { files_max_capacity: 1 })).toMatchObject({ files_max_capacity: 1 });
  const flag = "geo_cool_widget_force_primary_checksumming";
  expect(await atPrimary?.setFeature(flag, true)).toMatchObject({ state: "on" });
  expect((await atSecondary?.features())?.find(({ name }) => name === flag)).toMatchObject({ state: "on" });
});

test("does to many rows what its API is asked for, as the deployed sites do", async () => {
  const { primary, secondary } = await worldUp;
  const key = "cool_widgets/77/d.bin";
  const version = async () => (await secondary.bucket.describe(key))?.versionId;
  await primary.bucket.put(upload(key, "copied twice", "CRC64NVME"));
  const first = await eventually("it is replicated", version, (found) => found !== undefined, 10_000);
  const api = geoClient({ url: secondary.apiUrl, token: secondary.adminToken });
  const id = siteId(secondary.name);
  const wish = { action: "resync", replicable_name: "cool_widget", keys: [key] };
  const begun = await api.askForBulkUpdate(id, wish);
  const done = await eventually(
    "its row has been asked",
    () => api.bulkUpdate(id, begun.id),
    ({ state }) => state !== "running",
    10_000,
  );
  expect(done).toMatchObject({ state: "succeeded", changed_count: 1 });
  await eventually("it is copied again", version, (found) => found !== first, 10_000);
  expect(await version()).not.toBe(first);
});

test("hands on what is sent to its API", async () => {
  const { secondary } = await worldUp;
  const release = (body: string) =>
    fetch(`${secondary.apiUrl}/api/v4/geo_sites/${siteId(secondary.name)}/removal_guards/cool_widget/release`, {
      method: "POST",
      headers: { "private-token": secondary.adminToken },
      body,
    });
  expect(await (await release('{"removals": "all"}')).json()).toEqual({
    message: '400 Bad request - removals: expected a whole number from 1 to 1000000000, got "all"',
  });
  expect((await release('{"removals": 5}')).status).toBe(404);
});

test("the primary tells the status of both sites, the secondary's as that last reported it (F61)", async () => {
  const { primary, secondary } = await worldUp;
  const names = [primary, secondary].map(({ name }) => name);
  const client = geoClient({ url: primary.apiUrl, token: primary.adminToken });
  const statuses = await client.siteStatuses();
  expect(statuses.map(({ name, healthy }) => [name, healthy])).toEqual(names.map((name) => [name, true]));
  expect((await client.sites()).map(({ name }) => name)).toEqual(names);
  const own = geoClient({ url: secondary.apiUrl, token: secondary.adminToken });
  expect((await own.siteStatuses()).map(({ name }) => name)).toEqual([secondary.name]);
});
