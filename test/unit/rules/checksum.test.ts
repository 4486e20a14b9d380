import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CHECKSUM_SCHEMES, fromStored, schemeOf } from "../../../shared/geo/checksum.ts";
import { digest } from "../../../shared/geo/digest.ts";

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
  const { checksum } = await digest("crc64nvme", chunked(new TextEncoder().encode("123456789"), 4));
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
        const whole = await digest(scheme, chunked(bytes, bytes.length + 1));
        expect(await digest(scheme, chunked(bytes, size))).toEqual(whole);
        expect(whole.size).toBe(bytes.length);
        expect(schemeOf(whole.checksum)).toBe(scheme);
      },
    ),
    { numRuns: 200 },
  );
});

test.each(["sha256", "sha512", "sha1", "md5"] as const)("%s is the platform's own", async (scheme) => {
  const bytes = new TextEncoder().encode("the same bytes");
  const { checksum } = await digest(scheme, chunked(bytes, 3));
  expect(checksum).toBe(`${scheme}:${createHash(scheme).update(bytes).digest("hex")}`);
});

test("a body that breaks off is an error and never a digest", async () => {
  await expect(digest("sha256", broken())).rejects.toThrow("connection reset");
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
])("%j is no checksum in our form", (text) => {
  expect(schemeOf(text)).toBeUndefined();
});
