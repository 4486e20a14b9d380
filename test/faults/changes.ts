import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { uniqueKey } from "../integration/support/objects.ts";
import { primary } from "../support/cloud.ts";

/** A key that nobody else uses, and the part of it that stands unencoded wherever the key does. */
export const ownKey = (): { readonly key: string; readonly id: string } => {
  const key = uniqueKey();
  return { key, id: key.split("/")[1] ?? "" };
};

/** Longer than a packet, so that half of it is something, and different for each edition. */
export const content = (edition: string): string => `${edition} `.repeat(2_000);

/** S3 stores 64 bits of checksum with such an object, which prove a copy. */
export const STRONG = { ChecksumAlgorithm: "CRC64NVME" } as const;
/** S3 stores 32 bits with such an object: the primary reads it and announces its SHA-256. */
export const WEAK = { ChecksumAlgorithm: "CRC32" } as const;

/** Hides an object of the primary behind a delete marker. */
export const deleteOnPrimary = async (key: string): Promise<void> => {
  await primary.clients.s3.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key: key }));
};
