import { randomInt } from "node:crypto";
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { matchKey } from "../../../shared/geo/replicable-match.ts";
import { parseRegistryRow, type RegistryRow, rowKey } from "../../../shared/geo/registry-row.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { type CloudSite, names, primary, secondary } from "../../support/cloud.ts";
import { eventually } from "../../support/eventually.ts";

/** A key that nobody else uses: tests share the sites. */
export const uniqueKey = (filename = "widget.bin"): string => `cool_widgets/${randomInt(1, 2 ** 47)}/${filename}`;

/** Puts an object on the primary. */
export const putOnPrimary = async (
  key: string,
  body: string | Uint8Array,
  options: Omit<PutObjectCommandInput, "Bucket" | "Key" | "Body"> = {},
): Promise<void> => {
  await primary.clients.s3.send(new PutObjectCommand({ Bucket: primary.bucket, Key: key, Body: body, ...options }));
};

/** The table of a key's type and where its row is. */
export const refOf = (key: string) => {
  const match = matchKey(replicables, key);
  if (match === undefined) throw new Error(`${JSON.stringify(key)} is of no type`);
  return { replicableName: match.replicable.name, key };
};

/** The secondary's row for a key. */
export const registryRow = async (key: string): Promise<RegistryRow | undefined> => {
  const { Item } = await secondary.clients.dynamo.send(
    new GetCommand({ TableName: names.secondary.registryTable, Key: rowKey(refOf(key)), ConsistentRead: true }),
  );
  return Item === undefined ? undefined : parseRegistryRow(Item);
};

/** What a site answers, or nothing when it says that the object is not there (any more). */
const unlessGone = async <Answer>(answer: Promise<Answer>): Promise<Answer | undefined> => {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
    throw error;
  }
};

/** Everything that travels with an object, as a site has it; undefined when it has none. */
export const objectAt = async (site: CloudSite, key: string) => {
  const target = { Bucket: site.bucket, Key: key };
  const { s3 } = site.clients;
  const got = await unlessGone(s3.send(new GetObjectCommand(target)));
  const tagging = await unlessGone(s3.send(new GetObjectTaggingCommand(target)));
  const text = await got?.Body?.transformToString();
  if (got === undefined || tagging === undefined) return undefined;
  return {
    text,
    metadata: got.Metadata,
    contentType: got.ContentType,
    cacheControl: got.CacheControl,
    contentDisposition: got.ContentDisposition,
    storageClass: got.StorageClass ?? "STANDARD",
    tags: Object.fromEntries((tagging.TagSet ?? []).map(({ Key, Value }) => [Key, Value])),
  };
};

/** Versions and markers that a site keeps of a key. */
export const versionsAt = async (site: CloudSite, key: string) => {
  const { Versions = [], DeleteMarkers = [] } = await site.clients.s3.send(
    new ListObjectVersionsCommand({ Bucket: site.bucket, Prefix: key }),
  );
  return { versions: Versions.length, markers: DeleteMarkers.map(({ VersionId }) => VersionId) };
};

/** Waits until a key's row says that its present version was copied and verified after `sinceMs`. */
export const verified = (key: string, sinceMs = 0, withinMs?: number): Promise<RegistryRow | undefined> =>
  eventually(
    `${JSON.stringify(key)} is synced and verified`,
    () => registryRow(key),
    (row) => row?.state === "synced" && row.verification_state === "succeeded" && (row.last_synced_at ?? 0) >= sinceMs,
    withinMs,
  );

/** Waits until the secondary's object is equal to the primary's in everything that travels with it. */
export const sameOnBothSites = async (key: string) =>
  eventually(
    `${JSON.stringify(key)} is the same on both sites`,
    async () => ({ primary: await objectAt(primary, key), secondary: await objectAt(secondary, key) }),
    (both) => both.primary !== undefined && JSON.stringify(both.primary) === JSON.stringify(both.secondary),
  );

/**
 * Waits until what was put and sent before has been read: an object that is put now has arrived. Queues keep no order,
 * so this is no proof; but what comes later would have to be later than a whole copy and its verification.
 */
export const everythingBeforeIsRead = async (): Promise<void> => {
  const key = uniqueKey("follows.txt");
  await putOnPrimary(key, "follows");
  await verified(key);
};
