import { afterAll, expect, test } from "vitest";
import type { DemoWorld } from "../../../infra/local/demo-world.ts";
import { embeddedWorld } from "../../../infra/local/embedded-world.ts";
import { stopEverything } from "../../../infra/local/processes.ts";
import { readCounts, readStatus, sumCounts } from "../../../infra/local/status-client.ts";
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

test("lets nobody in without the token", async () => {
  const { primary } = await worldUp;
  await expect(readStatus({ ...primary, adminToken: "let-me-in" })).rejects.toThrow("answered 403");
  expect((await fetch(`${primary.apiUrl}/api/v4/geo_sites/status`)).status).toBe(401);
});
