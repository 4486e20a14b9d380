import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { attested, CHECKSUM_SCHEMES, fromStored, mismatchText, schemeOf } from "../../../shared/geo/checksum.ts";
import { drain } from "../../../shared/geo/digest.ts";
import { digestOf } from "../../support/digest-of.ts";

const chunked = async function* (bytes: Uint8Array, size: number) {
  for (let start = 0; start < bytes.length; start += size)
    yield await Promise.resolve(bytes.subarray(start, start + size));
};

const broken = async function* () {
  yield await Promise.resolve(new Uint8Array(3));
  throw new Error("connection reset");
};

test("the digest of S3's CRC64NVME is the published check value, as S3 prints it", async () => {
  // Catalogue of parametrised CRC algorithms, CRC-64/NVME: check("123456789") = 0xae8b14860a799888
  const { checksum } = await digestOf("crc64nvme", chunked(new TextEncoder().encode("123456789"), 4));
  expect(checksum).toBe("crc64nvme:ae8b14860a799888");
  const stored = Buffer.from("ae8b14860a799888", "hex").toString("base64");
  expect(fromStored({ algorithm: "CRC64NVME", type: "FULL_OBJECT", value: stored })).toBe(checksum);
});

test("a digest does not depend on how the bytes arrive, and tells their number", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom(...CHECKSUM_SCHEMES),
      async (bytes, size, scheme) => {
        const whole = await digestOf(scheme, chunked(bytes, bytes.length + 1));
        expect(await digestOf(scheme, chunked(bytes, size))).toEqual(whole);
        expect(whole.size).toBe(bytes.length);
        expect(schemeOf(whole.checksum)).toBe(scheme);
      },
    ),
    { numRuns: 200 },
  );
});

test.each(["sha256", "sha512", "sha1", "md5"] as const)("%s is the platform's own", async (scheme) => {
  const bytes = new TextEncoder().encode("the same bytes");
  const { checksum } = await digestOf(scheme, chunked(bytes, 3));
  expect(checksum).toBe(`${scheme}:${createHash(scheme).update(bytes).digest("hex")}`);
});

test.each([
  ["SHA256", "sha256", 32],
  ["SHA512", "sha512", 64],
  ["SHA1", "sha1", 20],
  ["MD5", "md5", 16],
  ["CRC64NVME", "crc64nvme", 8],
] as const)("S3's %s is taken as %s, if it has %i bytes", (algorithm, scheme, length) => {
  const stored = (bytes: number) =>
    ({ algorithm, type: "FULL_OBJECT", value: Buffer.alloc(bytes, 0xab).toString("base64") }) as const;
  expect(fromStored(stored(length))).toBe(`${scheme}:${"ab".repeat(length)}`);
  expect(fromStored(stored(length - 1))).toBeUndefined();
  expect(fromStored(stored(length + 1))).toBeUndefined();
  expect(schemeOf(`${scheme}:${"ab".repeat(length)}`)).toBe(scheme);
});

test("what S3 vouches for is the checksum that it stores with the version", () => {
  const facts = {
    versionId: "v1",
    etag: '"e"',
    size: 3,
    lastModified: 0,
    metadata: {},
    headers: {},
    storageClass: "STANDARD",
    archived: false,
    customerKey: false,
  };
  const checksum = { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: "AAAAAAAAAAE=" } as const;
  expect(attested({ ...facts, checksum })).toBe("crc64nvme:0000000000000001");
  expect(attested(facts)).toBeUndefined();
});

test("a mismatch is told in Geo's words, with both digests and both sizes", () => {
  expect(mismatchText("sha256:aa", "sha256:bb", 5, 6)).toBe(
    "Checksum does not match the primary checksum: expected sha256:aa (5 bytes), found sha256:bb (6 bytes)",
  );
});

test("reading stops after the first chunk that comes when the time is up, and says how far it came", async () => {
  let asked = 0;
  const taken: number[] = [];
  const reading = drain(
    chunked(new Uint8Array(10), 3),
    (chunk) => void taken.push(chunk.byteLength),
    () => (asked += 1) === 2,
  );
  await expect(reading).rejects.toMatchObject({ code: "GEO_OUT_OF_TIME", message: "time was up after 6 bytes" });
  expect(taken).toEqual([3, 3]);
});

test("a body that breaks off is an error and never a digest", async () => {
  await expect(digestOf("sha256", broken())).rejects.toThrow("connection reset");
});

test.each([
  ["a digest of parts", { algorithm: "SHA256", type: "COMPOSITE", value: "AA==" }],
  ["32 bits", { algorithm: "CRC32", type: "FULL_OBJECT", value: "AAAAAQ==" }],
  ["an algorithm that is not recomputed here", { algorithm: "XXHASH3", type: "FULL_OBJECT", value: "AAAAAAAAAAE=" }],
  ["a value of the wrong length", { algorithm: "SHA256", type: "FULL_OBJECT", value: "AAAA" }],
  ["nothing", undefined],
] as const)("%s proves nothing about content", (_name, stored) => {
  expect(fromStored(stored)).toBeUndefined();
});

test.each([
  "",
  "sha256:",
  "sha256:00",
  "sha256:" + "g".repeat(64),
  "md4:" + "0".repeat(32),
  "crc64nvme:" + "0".repeat(17),
  "SHA256:" + "0".repeat(64),
  " sha256:" + "0".repeat(64),
  "sha256:" + "0".repeat(64) + "\n",
  "sha256:" + "0".repeat(64) + "g",
])("%j is no checksum in our form", (text) => {
  expect(schemeOf(text)).toBeUndefined();
});
