import { paginateScan } from "@aws-sdk/lib-dynamodb";
import { PutObjectCommand, DeleteObjectCommand } from "@aws-sdk/client-s3";
import { PublishBatchCommand } from "@aws-sdk/client-sns";
import pMap from "p-map";
import { clientsFor, type Clients } from "../../infra/local/clients.ts";
import type { Cloud } from "../../infra/local/cloud.ts";
import type { Deployment } from "../../infra/local/deploy.ts";
import { primaryNames, secondaryNames } from "../../shared/geo/physical-names.ts";
import { parseRegistryRow, type RegistryRow } from "../../shared/geo/registry-row.ts";
import { bucketNotification } from "../support/bucket-notification.ts";

/** The deployed pair as the bench uses it: puts objects, and looks at the registry. */
export interface BenchWorld {
  readonly cloud: Cloud;
  readonly deployment: Deployment;
  readonly primary: Clients;
  readonly secondary: Clients;
  readonly names: ReturnType<typeof primaryNames> & { readonly secondary: ReturnType<typeof secondaryNames> };
}

export const benchWorld = (cloud: Cloud, deployment: Deployment): BenchWorld => {
  const { config } = deployment;
  const [site] = config.secondaries;
  if (site === undefined) throw new Error("the deployment has no secondary site");
  return {
    cloud,
    deployment,
    primary: clientsFor(cloud, config.primary.region),
    secondary: clientsFor(cloud, site.region),
    names: { ...primaryNames(config, config.primary), secondary: secondaryNames(config, site) },
  };
};

/** Requests under way at a time. */
const IN_FLIGHT = 16;

/** Keys of a declared type, all with one beginning: `packages_package_files/7/<group><number>/file.bin`. */
export const benchKeys = (group: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${keyPrefix(group)}${String(index).padStart(4, "0")}/file.bin`);

/** What the keys of a group begin with. Groups are numbers: the ids in keys are. */
export const keyPrefix = (group: number): string => `packages_package_files/7/${group}`;

/** A digest that S3 stores with the object: 64 bits, which proves a copy, or 32, which does not. */
export type StoredChecksum = "CRC64NVME" | "CRC32";

/** Bytes of a small object. */
export const OBJECT_BYTES = 10_240;

/** Puts an object and says when the cloud had it, milliseconds since the epoch. */
export const put = async (
  { primary, names }: BenchWorld,
  key: string,
  edition: string,
  checksum: StoredChecksum = "CRC64NVME",
): Promise<number> => {
  const body = Buffer.alloc(OBJECT_BYTES, `${edition} ${key} `);
  await primary.s3.send(
    new PutObjectCommand({ Bucket: names.bucket, Key: key, Body: body, ChecksumAlgorithm: checksum }),
  );
  return Date.now();
};

/** Puts many objects, some at a time; when the cloud had each. */
export const putAll = async (
  world: BenchWorld,
  keys: readonly string[],
  edition: string,
  checksum?: StoredChecksum,
): Promise<ReadonlyMap<string, number>> =>
  new Map(
    await pMap(keys, async (key) => [key, await put(world, key, edition, checksum)] as const, {
      concurrency: IN_FLIGHT,
    }),
  );

/** Deletes many objects: each gets a delete marker. */
export const removeAll = async ({ primary, names }: BenchWorld, keys: readonly string[]): Promise<void> => {
  await pMap(keys, (key) => primary.s3.send(new DeleteObjectCommand({ Bucket: names.bucket, Key: key })), {
    concurrency: IN_FLIGHT,
  });
};

/** Says again what S3 has said before: that these keys were put. */
export const repeatEvents = async (world: BenchWorld, keys: readonly string[]): Promise<void> => {
  const { deployment, cloud, primary, names } = world;
  const { region } = deployment.config.primary;
  const notification = (key: string): string =>
    bucketNotification({ bucket: names.bucket, region, key, size: OBJECT_BYTES });
  const batches = Array.from({ length: Math.ceil(keys.length / 10) }, (_, index) =>
    keys.slice(index * 10, index * 10 + 10),
  );
  await pMap(
    batches,
    (batch) =>
      primary.sns.send(
        new PublishBatchCommand({
          TopicArn: `arn:aws:sns:${region}:${cloud.account}:${names.bucketEventsTopic}`,
          PublishBatchRequestEntries: batch.map((key, index) => ({
            Id: String(index),
            Message: notification(key),
          })),
        }),
      ),
    { concurrency: 4 },
  );
};

/** The registry's rows whose key begins with `prefix`, by key. A scan: this table is small, and the bench's own. */
export const registryRows = async (
  { secondary, names }: BenchWorld,
  prefix: string,
): Promise<ReadonlyMap<string, RegistryRow>> => {
  const rows = new Map<string, RegistryRow>();
  const pages = paginateScan(
    { client: secondary.dynamo },
    {
      TableName: names.secondary.registryTable,
      ConsistentRead: true,
      FilterExpression: "begins_with(sk, :prefix)",
      ExpressionAttributeValues: { ":prefix": prefix },
    },
  );
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const row = parseRegistryRow(item);
      rows.set(row.sk, row);
    }
  }
  return rows;
};

/** Whether the replica is what the source was, and has been read back. */
export const isVerified = (row: RegistryRow | undefined): boolean =>
  row?.state === "synced" && row.verification_state === "succeeded" && row.gen === row.done_gen;

/** The sites do not do their work, so there is nothing to measure. */
export class NothingReplicatesError extends Error {
  override readonly name = "NothingReplicatesError";
}

/** How long the first objects may take, cold starts included, milliseconds. */
const WARM_UP_LIMIT_MS = 40_000;
const WARM_UP_OBJECTS = 20;

/**
 * Puts some objects and waits until they are verified, so that every function that they need is warm.
 *
 * @throws {NothingReplicatesError} when they are not verified in time: measuring would take minutes and show nothing
 */
export const warmUp = async (world: BenchWorld, group: number): Promise<void> => {
  const keys = benchKeys(group, WARM_UP_OBJECTS);
  await putAll(world, keys, "warm");
  const { done, seen } = await lookUntil(
    () => registryRows(world, keyPrefix(group)),
    (rows) => keys.every((key) => isVerified(rows.get(key))),
    WARM_UP_LIMIT_MS,
  );
  if (done) return;
  const verified = keys.filter((key) => isVerified(seen.get(key))).length;
  throw new NothingReplicatesError(
    `of the first ${keys.length} objects ${verified} were verified within ${WARM_UP_LIMIT_MS / 1_000} s, ${seen.size} have ` +
      "a row in the registry. The cloud's log in .local/logs says what its functions did.",
  );
};

/** Milliseconds between two looks. */
const LOOK_EVERY_MS = 250;

/** Looks until `isDone`, or until time is up; what was seen last, and whether that was it. */
export const lookUntil = async <Seen>(
  look: () => Promise<Seen>,
  isDone: (seen: Seen) => boolean,
  limitMs: number,
): Promise<{ readonly done: boolean; readonly seen: Seen }> => {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (isDone(seen)) return { done: true, seen };
    if (Date.now() > deadline) return { done: false, seen };
    await new Promise((tick) => setTimeout(tick, LOOK_EVERY_MS));
  }
};
