import {
  GetBucketNotificationConfigurationCommand,
  ListObjectVersionsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { paginateScan } from "@aws-sdk/lib-dynamodb";
import pMap from "p-map";
import { parseRegistryRow, type RegistryRow } from "../../shared/geo/registry-row.ts";
import { type CloudSite, names, primary, secondary } from "../support/cloud.ts";

/** Puts under way at a time. */
const IN_FLIGHT = 16;

/** Has the primary's bucket tell nobody of its changes for as long as `change` takes: what happens then is history. */
const unannounced = async (change: () => Promise<unknown>): Promise<void> => {
  const { s3 } = primary.clients;
  const Bucket = primary.bucket;
  const { $metadata: _, ...before } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
  const tell = (configuration: typeof before) =>
    s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: configuration }));
  await tell({});
  try {
    await change();
  } finally {
    await tell(before);
  }
};

/** Puts small objects on the primary of which no event will ever tell, each with its key as content. */
export const putHistory = (keys: readonly string[]): Promise<void> =>
  unannounced(() =>
    pMap(
      keys,
      (Key) =>
        primary.clients.s3.send(
          new PutObjectCommand({ Bucket: primary.bucket, Key, Body: Key, ChecksumAlgorithm: "CRC64NVME" }),
        ),
      { concurrency: IN_FLIGHT },
    ),
  );

/** What a site keeps of one key. */
export interface KeptVersions {
  readonly versions: number;
  readonly markers: number;
  /** Of the current version; undefined where a marker is current. */
  readonly etag: string | undefined;
}

/** What a site keeps of every key with a prefix. */
export const keptVersions = async (site: CloudSite, prefix: string): Promise<ReadonlyMap<string, KeptVersions>> => {
  const kept = new Map<string, KeptVersions>();
  const of = (key: string): KeptVersions => kept.get(key) ?? { versions: 0, markers: 0, etag: undefined };
  let markers: { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await site.clients.s3.send(
      new ListObjectVersionsCommand({ Bucket: site.bucket, Prefix: prefix, ...markers }),
    );
    for (const { Key = "", ETag, IsLatest } of page.Versions ?? []) {
      const so = of(Key);
      kept.set(Key, { ...so, versions: so.versions + 1, etag: IsLatest === true ? ETag : so.etag });
    }
    for (const { Key = "" } of page.DeleteMarkers ?? []) kept.set(Key, { ...of(Key), markers: of(Key).markers + 1 });
    if (page.IsTruncated !== true) return kept;
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
};

/** The secondary's rows whose keys have a prefix. A scan: this table is a test's own. */
export const rowsWith = async (prefix: string): Promise<readonly RegistryRow[]> => {
  const rows: RegistryRow[] = [];
  const pages = paginateScan(
    { client: secondary.clients.dynamo },
    {
      TableName: names.secondary.registryTable,
      ConsistentRead: true,
      FilterExpression: "begins_with(sk, :prefix)",
      ExpressionAttributeValues: { ":prefix": prefix },
    },
  );
  for await (const { Items = [] } of pages) rows.push(...Items.map(parseRegistryRow));
  return rows;
};
