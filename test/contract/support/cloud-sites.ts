import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import type { Cloud } from "../../../infra/local/cloud.ts";
import { s3PartCopier, s3Reader, s3Writer } from "../../../shared/aws/clients.ts";
import { S3Bucket } from "../../../shared/aws/s3-bucket.ts";
import { S3ReplicaBucket } from "../../../shared/aws/s3-replica-bucket.ts";
import type { ObjectWorld, Upload } from "../object-world.ts";
import type { ReplicaUnderTest } from "../replica-bucket.contract.ts";
import { PRIMARY_REGION, SECONDARY_REGION, uniqueName } from "./contract-cloud.ts";

const worldOf = (client: S3Client, bucket: string): ObjectWorld => ({
  async put(key, body, upload = {}) {
    const { VersionId, ETag } = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentLength: Buffer.byteLength(body),
        ...described(upload),
      }),
    );
    return { versionId: VersionId ?? "null", etag: ETag ?? "" };
  },
  async deleteCurrent(key) {
    const { VersionId } = await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    return { versionId: VersionId ?? "null" };
  },
  async deleteVersion(key, versionId) {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  },
});

const described = ({ headers = {}, metadata = {}, tags = {}, storageClass, checksum = "crc64nvme" }: Upload) => ({
  Metadata: metadata,
  ContentType: headers.contentType,
  ContentEncoding: headers.contentEncoding,
  ContentDisposition: headers.contentDisposition,
  ContentLanguage: headers.contentLanguage,
  CacheControl: headers.cacheControl,
  Tagging: new URLSearchParams(tags).toString(),
  StorageClass: storageClass as StorageClass | undefined,
  ChecksumAlgorithm: checksum === "sha256" ? ("SHA256" as const) : ("CRC64NVME" as const),
});

const makeBucket = async (client: S3Client, region: string, bucket: string): Promise<void> => {
  await client.send(
    new CreateBucketCommand({
      Bucket: bucket,
      ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } }),
    }),
  );
  await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
};

const removeBucket = async (client: S3Client, bucket: string): Promise<void> => {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const all = [...Versions, ...DeleteMarkers];
    if (all.length === 0) break;
    for (const { Key, VersionId } of all) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    }
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
};

export interface CloudSites extends ReplicaUnderTest {
  /** A bucket that does not exist. */
  readonly missing: S3Bucket;
  remove(): Promise<void>;
}

/** Two new buckets in two regions. */
export const cloudSites = async (cloud: Cloud): Promise<CloudSites> => {
  const accountId = cloud.account;
  const client = s3Reader(PRIMARY_REGION);
  const secondaryClient = s3Reader(SECONDARY_REGION);
  const bucket = uniqueName("primary");
  const replicaBucket = uniqueName("replica");
  await makeBucket(client, PRIMARY_REGION, bucket);
  await makeBucket(secondaryClient, SECONDARY_REGION, replicaBucket);
  return {
    primary: new S3Bucket({ client, bucket, accountId }),
    missing: new S3Bucket({ client, bucket: uniqueName("missing"), accountId }),
    replica: new S3ReplicaBucket({
      client: secondaryClient,
      writer: s3Writer(SECONDARY_REGION),
      copier: s3PartCopier(SECONDARY_REGION),
      bucket: replicaBucket,
      primaryBucket: bucket,
      accountId,
      timeLimitMs: () => 30_000,
    }),
    primaryWorld: worldOf(client, bucket),
    replicaWorld: worldOf(secondaryClient, replicaBucket),
    async remove() {
      await removeBucket(client, bucket);
      await removeBucket(secondaryClient, replicaBucket);
    },
  };
};
