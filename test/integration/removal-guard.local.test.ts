import { randomInt, randomUUID } from "node:crypto";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ReleaseContract, RemovalGuardsContract } from "../../shared/client/contract.ts";
import { formatToken } from "../../shared/geo/tokens.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { notificationBody } from "../../shared/memory/bucket-event.ts";
import { removalGuardKey } from "../../shared/tables/site/removal-guard-item.ts";
import { names, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { sendTo } from "./support/messages.ts";
import { objectAt, putOnPrimary, registryRow, verified } from "./support/objects.ts";

/** No other suite uses this type: tests share the sites, and a guard is one for all objects of a type. */
const TYPE = "package_file";
const LIMIT = 2;
const KEYS = [1, 2, 3, 4].map((file) => `packages_package_files/${randomInt(1, 2 ** 47)}/${file}/file.tgz`);

const guards = `${secondary.api_url}/api/v4/geo_sites/${siteId(secondary.name)}/removal_guards`;
const call = (url: string, token: string, init: RequestInit = {}) =>
  fetch(url, { ...init, headers: { "private-token": token } });
const release = (token: string, body: unknown) =>
  call(`${guards}/${TYPE}/release`, token, { method: "POST", body: JSON.stringify(body) });

const guard = { TableName: names.secondary.siteTable, Key: removalGuardKey(TYPE) };

/** An hour that has begun, with a limit that a few objects reach. */
beforeAll(async () => {
  const begun = { window_started_at: Date.now(), removals: 0, removal_limit: LIMIT };
  await secondary.clients.dynamo.send(new PutCommand({ TableName: guard.TableName, Item: { ...guard.Key, ...begun } }));
});
afterAll(() => secondary.clients.dynamo.send(new DeleteCommand(guard)));

const deleteAll = async (keys: readonly string[]): Promise<void> => {
  for (const Key of keys) await primary.clients.s3.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key }));
};

/** What S3 sends when somebody deletes the keys again. (Not every local cloud does.) */
const hintAt = async (keys: readonly string[]): Promise<void> => {
  for (const key of keys) {
    const { bucket, region } = primary;
    const event = { name: "ObjectRemoved:DeleteMarkerCreated", bucket, region, key, time: Date.now() } as const;
    const body = notificationBody({ ...event, versionId: randomUUID(), requestId: randomUUID() });
    await sendTo(primary, names.feed.ingestQueue, body);
  }
};

const shown = async (): Promise<readonly string[]> => {
  const objects = await Promise.all(KEYS.map((key) => objectAt(secondary, key)));
  return KEYS.filter((_, index) => objects[index] !== undefined);
};

test("more deletions than the guard lets through wait for an operator, who releases them", async () => {
  for (const key of KEYS) await putOnPrimary(key, key);
  for (const key of KEYS) await verified(key);
  await deleteAll(KEYS);

  const rows = () => Promise.all(KEYS.map(registryRow));
  await eventually("the guard holds two of four back", rows, (seen) => {
    const heldBack = seen.filter((row) => row?.state === "failed" && row.blocked_reason === "removal_guard");
    return heldBack.length === KEYS.length - LIMIT && seen.filter((row) => row === undefined).length === LIMIT;
  });
  const kept = await shown();
  expect(kept).toHaveLength(KEYS.length - LIMIT);
  for (const key of kept) {
    expect(await registryRow(key)).toMatchObject({
      last_sync_failure: `Removal held back by the guard: more than ${LIMIT} objects of ${TYPE} would be removed within an hour; release the guard if that is wanted`,
    });
  }

  const told = await call(guards, secondary.admin_token);
  expect(told.status).toBe(200);
  const stands = RemovalGuardsContract.parse(await told.json()).find(({ replicable_name: name }) => name === TYPE);
  expect(stands).toMatchObject({ removals: LIMIT, limit: LIMIT, release: null });
  expect(stands?.paused_at).not.toBeNull();

  expect((await release(formatToken(new Uint8Array(32)), { removals: 2 })).status).toBe(403);
  expect((await release(secondary.admin_token, { removals: "all" })).status).toBe(400);
  const released = await release(secondary.admin_token, { removals: 2, minutes: 30 });
  expect(released.status).toBe(200);
  expect(ReleaseContract.parse(await released.json())).toMatchObject({
    replicable_name: TYPE,
    paused_at: null,
    release: { removals: 2 },
    retried_within_seconds: 1_800,
  });

  // Their retry is a quarter of an hour away at least; a hint does not wait for it.
  await hintAt(kept);
  await eventually("what was released is gone", shown, (seen) => seen.length === 0);
  await eventually("and so are the rows", rows, (seen) => seen.every((row) => row === undefined));
});
