import type { ChecksumAlgorithm, ObjectFacts, StoredChecksum } from "./object-facts.ts";

/**
 * What proves that two versions hold the same bytes, and what only says so. A value is written with its scheme,
 * `sha256:<hex>`, so that it always tells how it was made, and is compared with values of its own scheme only.
 */

/** The schemes that S3 stores and this product can compute over bytes. */
const STORED_SCHEMES = ["sha256", "sha512", "sha1", "md5", "crc64nvme"] as const;
type StoredScheme = (typeof STORED_SCHEMES)[number];

/**
 * The schemes that are computed over every byte. `sha256-tree-64m` is the SHA-256 over the SHA-256 digests of the content's
 * pieces of 64 MiB, one after the other: pieces can be digested at the same time. Of no bytes there are no pieces.
 */
export const CHECKSUM_SCHEMES = [...STORED_SCHEMES, "sha256-tree-64m"] as const;
export type ChecksumScheme = (typeof CHECKSUM_SCHEMES)[number];

/** `<scheme>:<lower-case hex>`, over every byte. */
export type Checksum = `${ChecksumScheme}:${string}`;

/** `size:<decimal>`: the number of bytes and nothing else. */
type SizeChecksum = `size:${string}`;

/** `attested-<scheme>:<hex>`: a digest that S3 stores with an object. Whoever writes it has read no byte. */
type Attestation = `attested-${StoredScheme}:${string}`;

/** Whatever stands in a row. */
export type AnyChecksum = Checksum | SizeChecksum | Attestation;

/** A value of a row, by what it takes to compare it with another. */
export type ParsedChecksum =
  | { readonly by: "bytes"; readonly scheme: ChecksumScheme; readonly checksum: Checksum }
  | { readonly by: "size"; readonly checksum: SizeChecksum }
  /** `digest` is what S3 stores, as it would be written had the bytes been read. */
  | {
      readonly by: "attestation";
      readonly scheme: ChecksumScheme;
      readonly checksum: Attestation;
      readonly digest: Checksum;
    };

/** S3's algorithms of 64 bits or more that we can recompute; weaker ones (CRC32, CRC32C) prove too little. */
const SCHEME_OF: Readonly<Partial<Record<ChecksumAlgorithm, StoredScheme>>> = {
  CRC64NVME: "crc64nvme",
  SHA256: "sha256",
  SHA512: "sha512",
  SHA1: "sha1",
  MD5: "md5",
};

/** Bytes of each scheme's digest; a value of another length is not what it says. */
const DIGEST_BYTES: Readonly<Record<ChecksumScheme, number>> = {
  sha256: 32,
  sha512: 64,
  sha1: 20,
  md5: 16,
  crc64nvme: 8,
  "sha256-tree-64m": 32,
};

const CHECKSUM_PATTERN = /^(sha256-tree-64m|sha256|sha512|sha1|md5|crc64nvme):([0-9a-f]+)$/;
const ATTESTATION_PATTERN = /^attested-((?:sha256|sha512|sha1|md5|crc64nvme):[0-9a-f]+)$/;
const SIZE_PATTERN = /^size:(?:\d\d)+$/;

/** The digest in our own form, when S3's stored value names the whole content with at least 64 bits. */
export const fromStored = (stored: StoredChecksum | undefined): `${StoredScheme}:${string}` | undefined => {
  if (stored?.type !== "FULL_OBJECT") return undefined;
  const scheme = SCHEME_OF[stored.algorithm];
  if (scheme === undefined) return undefined;
  const bytes = Buffer.from(stored.value, "base64");
  return bytes.length === DIGEST_BYTES[scheme] ? `${scheme}:${bytes.toString("hex")}` : undefined;
};

/** The scheme of a digest over bytes; undefined when it is not one. */
export const schemeOf = (checksum: string): ChecksumScheme | undefined => {
  const match = CHECKSUM_PATTERN.exec(checksum);
  const scheme = match?.[1] as ChecksumScheme | undefined;
  return scheme !== undefined && match?.[2]?.length === DIGEST_BYTES[scheme] * 2 ? scheme : undefined;
};

/** What a value of a row is; undefined when it is nothing that was ever written here. */
export const parseChecksum = (text: string): ParsedChecksum | undefined => {
  // The patterns say of each text that it is what the type says.
  if (SIZE_PATTERN.test(text)) return { by: "size", checksum: text as SizeChecksum };
  const digest = (ATTESTATION_PATTERN.exec(text)?.[1] ?? text) as Checksum;
  const scheme = schemeOf(digest);
  if (scheme === undefined) return undefined;
  return digest === text
    ? { by: "bytes", scheme, checksum: digest }
    : { by: "attestation", scheme, checksum: text as Attestation, digest };
};

/** The digest that S3 itself vouches for, for the version that `facts` describes. */
export const attested = (facts: ObjectFacts): `${StoredScheme}:${string}` | undefined => fromStored(facts.checksum);

/** The same as it is written where nobody reads the bytes. */
export const attestation = (facts: ObjectFacts): Attestation | undefined => {
  const digest = attested(facts);
  return digest === undefined ? undefined : `attested-${digest}`;
};

/**
 * Geo's checksum of an object in object storage: its size in decimal digits, a 0 put in front when their number is odd,
 * since Geo keeps it in a column of bytes.
 */
export const sizeChecksum = (size: number): SizeChecksum => {
  const digits = String(size);
  return `size:${digits.length % 2 === 0 ? digits : `0${digits}`}`;
};

/** What a primary's object says whose bytes have changed while its version has not. */
export const differingText = (recorded: string, found: string, recordedSize: number, foundSize: number): string =>
  `Bytes differ from what was recorded of this version: recorded ${recorded} (${recordedSize} bytes), found ${found} (${foundSize} bytes)`;

/** Geo's words for a mismatch, and the values. */
export const mismatchText = (expected: string, found: string, expectedSize: number, foundSize: number): string =>
  `Checksum does not match the primary checksum: expected ${expected} (${expectedSize} bytes), found ${found} (${foundSize} bytes)`;
