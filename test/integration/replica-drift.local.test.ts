import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import type { RegistryRow } from "../../shared/geo/registry-row.ts";
import { primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { objectAt, putOnPrimary, registryRow, uniqueKey, verified, versionsAt } from "./support/objects.ts";

const replica = (key: string) => ({ Bucket: secondary.bucket, Key: key });

/** A replicated object of a key that nobody else uses. */
const replicated = async (body: string, tags?: string): Promise<string> => {
  const key = uniqueKey();
  await putOnPrimary(key, body, tags === undefined ? {} : { Tagging: tags });
  await verified(key);
  return key;
};

/** Puts an object into the bucket of replicas, as somebody else would; its version. */
const putOnSecondary = async (key: string, body: string): Promise<string> => {
  const { VersionId } = await secondary.clients.s3.send(new PutObjectCommand({ ...replica(key), Body: body }));
  if (VersionId === undefined) throw new Error(`${secondary.bucket} keeps no versions`);
  return VersionId;
};

const textOfVersion = async (key: string, VersionId: string): Promise<string | undefined> => {
  const { Body } = await secondary.clients.s3.send(new GetObjectCommand({ ...replica(key), VersionId }));
  return Body?.transformToString();
};

/** Waits until the replica is the primary's again and its row has settled the touch. */
const putRight = (key: string, text: string, before: RegistryRow | undefined) =>
  eventually(
    `${key} is the primary's again`,
    async () => ({ object: await objectAt(secondary, key), row: await registryRow(key) }),
    ({ object, row }) =>
      object?.text === text &&
      row !== undefined &&
      row.gen > (before?.gen ?? 0) &&
      row.gen === row.done_gen &&
      row.verification_state === "succeeded",
  );

describe.concurrent("what somebody else does to the bucket of replicas", () => {
  test("an object that is overwritten there is copied again, and what they wrote stays as a version", async () => {
    const key = await replicated("ours");
    const before = await registryRow(key);
    const theirs = await putOnSecondary(key, "theirs");
    const { row } = await putRight(key, "ours", before);
    expect(row?.rep_version_id).not.toBe(before?.rep_version_id);
    expect(await textOfVersion(key, theirs)).toBe("theirs");
  });

  test("an object that is deleted there comes back", async () => {
    const key = await replicated("ours");
    const before = await registryRow(key);
    await secondary.clients.s3.send(new DeleteObjectCommand(replica(key)));
    await putRight(key, "ours", before);
    expect(await versionsAt(secondary, key)).toMatchObject({ versions: 2, markers: [expect.any(String)] });
  });

  test("tags that are changed there are the primary's again", async () => {
    const key = await replicated("ours", "colour=red");
    const before = await registryRow(key);
    await secondary.clients.s3.send(
      new PutObjectTaggingCommand({ ...replica(key), Tagging: { TagSet: [{ Key: "colour", Value: "green" }] } }),
    );
    await putRight(key, "ours", before);
    expect(await objectAt(secondary, key)).toMatchObject({ tags: { colour: "red" } });
  });

  test("an object that the primary never had is hidden behind a delete marker, and its version stays", async () => {
    const key = uniqueKey("foreign.txt");
    const foreign = await putOnSecondary(key, "foreign");
    await eventually(
      "it is hidden",
      () => versionsAt(secondary, key),
      ({ markers }) => markers.length > 0,
    );
    expect(await versionsAt(secondary, key)).toMatchObject({ versions: 1, markers: [expect.any(String)] });
    expect(await textOfVersion(key, foreign)).toBe("foreign");
    expect(await objectAt(primary, key)).toBeUndefined();
  });

  test("a deleted object that is brought back there by removing our delete marker is hidden again", async () => {
    const key = await replicated("ours");
    await primary.clients.s3.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key: key }));
    const { markers } = await eventually(
      "its deletion has been replicated",
      () => versionsAt(secondary, key),
      (seen) => seen.markers.length === 1,
    );
    await secondary.clients.s3.send(new DeleteObjectCommand({ ...replica(key), VersionId: markers[0] }));
    await eventually(
      "it is hidden again, by another marker",
      () => versionsAt(secondary, key),
      (seen) => seen.markers.length === 1 && seen.markers[0] !== markers[0],
    );
    expect(await objectAt(secondary, key)).toBeUndefined();
  });
});

test("our own copies are reported like any other change, and nobody looks again because of them", async () => {
  const keys = await Promise.all(Array.from({ length: 5 }, (_, index) => replicated(`ours ${index}`)));
  const rows = await Promise.all(keys.map(registryRow));
  // Reports are read in the order in which they came, more or less: the copies' have been read when that of what was put
  // after them has had its effect.
  const foreign = uniqueKey("follows.txt");
  await putOnSecondary(foreign, "foreign");
  await eventually(
    "what was reported last has had its effect",
    () => versionsAt(secondary, foreign),
    ({ markers }) => markers.length > 0,
  );
  const after = await Promise.all(keys.map(registryRow));
  expect(after.map((row) => [row?.gen, row?.rev])).toEqual(rows.map((row) => [row?.gen, row?.rev]));
  const { Versions = [] } = await secondary.clients.s3.send(
    new ListObjectVersionsCommand({ Bucket: secondary.bucket, Prefix: keys[0] ?? "" }),
  );
  expect(Versions).toHaveLength(1);
});
