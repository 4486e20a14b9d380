import type { ChecksumAlgorithm, ObjectFacts, StoredChecksum } from "./object-facts.ts";

/**
 * Which digests prove that two versions hold the same bytes. A digest is written with its scheme, `sha256:<hex>`, so that
 * a value always says how it was made.
 */

/** The schemes that this product can compute over bytes. */
export const CHECKSUM_SCHEMES = ["sha256", "sha512", "sha1", "md5", "crc64nvme"] as const;
export type ChecksumScheme = (typeof CHECKSUM_SCHEMES)[number];

/** `<scheme>:<lower-case hex>`. */
export type Checksum = `${ChecksumScheme}:${string}`;

/** What the primary computes when S3 stores nothing usable. */
export const COMPUTED_SCHEME: ChecksumScheme = "sha256";

/** S3's algorithms of 64 bits or more that we can recompute; weaker ones (CRC32, CRC32C) prove too little. */
const SCHEME_OF: Readonly<Partial<Record<ChecksumAlgorithm, ChecksumScheme>>> = {
  CRC64NVME: "crc64nvme",
  SHA256: "sha256",
  SHA512: "sha512",
  SHA1: "sha1",
  MD5: "md5",
};

/** Bytes of each scheme's digest; a stored value of another length is not what it says. */
const DIGEST_BYTES: Readonly<Record<ChecksumScheme, number>> = {
  sha256: 32,
  sha512: 64,
  sha1: 20,
  md5: 16,
  crc64nvme: 8,
};

const CHECKSUM_PATTERN = /^(sha256|sha512|sha1|md5|crc64nvme):([0-9a-f]+)$/;

/** The digest in our own form, when S3's stored value names the whole content with at least 64 bits. */
export const fromStored = (stored: StoredChecksum | undefined): Checksum | undefined => {
  if (stored?.type !== "FULL_OBJECT") return undefined;
  const scheme = SCHEME_OF[stored.algorithm];
  if (scheme === undefined) return undefined;
  const bytes = Buffer.from(stored.value, "base64");
  return bytes.length === DIGEST_BYTES[scheme] ? `${scheme}:${bytes.toString("hex")}` : undefined;
};

/** The scheme of a digest in our own form; undefined when it is not one. */
export const schemeOf = (checksum: string): ChecksumScheme | undefined => {
  const match = CHECKSUM_PATTERN.exec(checksum);
  const scheme = match?.[1] as ChecksumScheme | undefined;
  return scheme !== undefined && match?.[2]?.length === DIGEST_BYTES[scheme] * 2 ? scheme : undefined;
};

/** The digest that S3 itself vouches for, for the version that `facts` describes. */
export const attested = (facts: ObjectFacts): Checksum | undefined => fromStored(facts.checksum);

/** Geo's words for a mismatch, and the values. */
export const mismatchText = (expected: string, found: string, expectedSize: number, foundSize: number): string =>
  `Checksum does not match the primary checksum: expected ${expected} (${expectedSize} bytes), found ${found} (${foundSize} bytes)`;
