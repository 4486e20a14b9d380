import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChecksum, sizeChecksum } from "../../../shared/geo/checksum.ts";
import { checksumRules, expectationOf, isOfPolicy, isRead, vouchedFor } from "../../../shared/geo/checksum-policy.ts";
import { CRC64_OF_NOTHING, combineCrc64 } from "../../../shared/geo/crc64-combine.ts";
import { beginSavable, isSavable, startDigest, takeUpSavable } from "../../../shared/geo/digest.ts";
import type { ObjectFacts, StoredChecksum } from "../../../shared/geo/object-facts.ts";
import { readProgressOf, writeProgress } from "../../../shared/geo/read-progress.ts";
import { CHECKSUM_POLICIES, type ChecksumPolicy } from "../../../shared/geo/replicable.ts";
import { crc64nvmeBase64 } from "../../../shared/memory/crc64nvme.ts";
import { digestOf } from "../../support/digest-of.ts";

const facts = (checksum?: StoredChecksum): ObjectFacts => ({
  versionId: "v1",
  etag: '"e"',
  size: 100,
  lastModified: 0,
  metadata: {},
  headers: {},
  storageClass: "STANDARD",
  archived: false,
  customerKey: false,
  ...(checksum === undefined ? {} : { checksum }),
});

const CRC: StoredChecksum = { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: "AAAAAAAAAAE=" };
const CRC_TEXT = "crc64nvme:0000000000000001";
const SHA: StoredChecksum = {
  algorithm: "SHA256",
  type: "FULL_OBJECT",
  value: Buffer.alloc(32, 0xab).toString("base64"),
};
const SHA_TEXT = `sha256:${"ab".repeat(32)}`;
const OF_PARTS: StoredChecksum = { algorithm: "CRC64NVME", type: "COMPOSITE", value: "AAAAAAAAAAE=" };

const hexOf = async (bytes: Uint8Array): Promise<string> =>
  Buffer.from(crc64nvmeBase64(bytes), "base64").toString("hex");

const bodyOf = async function* (bytes: Uint8Array) {
  yield await Promise.resolve(bytes);
};

describe("what a type's replicas are compared with (F23)", () => {
  test.each<[ChecksumPolicy, string, StoredChecksum | undefined, object]>([
    ["stored_or_sha256", "a CRC64NVME", CRC, { vouched: CRC_TEXT }],
    ["stored_or_sha256", "a SHA-256", SHA, { vouched: SHA_TEXT }],
    ["stored_or_sha256", "a checksum of parts", OF_PARTS, { toCompute: "sha256" }],
    ["stored_or_sha256", "nothing", undefined, { toCompute: "sha256" }],
    ["sha256", "a CRC64NVME", CRC, { toCompute: "sha256" }],
    ["sha256", "a SHA-256", SHA, { toCompute: "sha256" }],
    ["sha256-tree-64m", "a SHA-256", SHA, { toCompute: "sha256-tree-64m" }],
    ["crc64nvme", "a CRC64NVME", CRC, { vouched: CRC_TEXT }],
    ["crc64nvme", "a SHA-256", SHA, { toCompute: "crc64nvme" }],
    ["crc64nvme", "nothing", undefined, { toCompute: "crc64nvme" }],
    ["size", "a CRC64NVME", CRC, { vouched: "size:0100" }],
    ["size", "nothing", undefined, { vouched: "size:0100" }],
    ["attested", "a CRC64NVME", CRC, { vouched: `attested-${CRC_TEXT}` }],
    ["attested", "a SHA-256", SHA, { vouched: `attested-${SHA_TEXT}` }],
    ["attested", "a checksum of parts", OF_PARTS, { toCompute: "sha256" }],
  ])("by the policy %s, where S3 stores %s", (policy, _stored, checksum, expected) => {
    expect(expectationOf(policy, facts(checksum))).toEqual(expected);
    expect(vouchedFor(policy, facts(checksum))).toBe("vouched" in expected ? expected.vouched : undefined);
  });

  test("is read, unless the value says that it was not", () => {
    expect(isRead(("sha256-tree-64m:" + "00".repeat(32)) as `sha256-tree-64m:${string}`)).toBe(true);
    expect(isRead("size:0100")).toBe(false);
    expect(isRead("attested-crc64nvme:0000000000000001")).toBe(false);
  });

  test("is what the type declares, and the default for a type that nobody declared", () => {
    const rules = checksumRules([{ name: "cool_widget", checksumPolicy: "size" }]);
    expect([rules.policyOf("cool_widget"), rules.policyOf("other")]).toEqual(["size", "stored_or_sha256"]);
  });

  test.each<[string, readonly ChecksumPolicy[]]>([
    [CRC_TEXT, ["stored_or_sha256", "crc64nvme"]],
    [SHA_TEXT, ["stored_or_sha256"]],
    [`sha256-tree-64m:${"ab".repeat(32)}`, []],
    ["size:0100", ["size"]],
    [`attested-${CRC_TEXT}`, ["attested"]],
    // Nobody can compare with it: whoever tries says so.
    ["md4:00", CHECKSUM_POLICIES],
  ])("once recorded as %s, is taken for their own by %j", (recorded, policies) => {
    expect(CHECKSUM_POLICIES.filter((policy) => isOfPolicy(policy, recorded))).toEqual(policies);
  });
});

describe("a value of a row", () => {
  test.each([
    [0, "size:00"],
    [7, "size:07"],
    [10, "size:10"],
    [100, "size:0100"],
    [2048, "size:2048"],
    [5_000_000_000, "size:5000000000"],
    [12_345_678_901, "size:012345678901"],
  ])("of %d bytes by their number is %s, as Geo keeps it", (size, text) => {
    expect(sizeChecksum(size)).toBe(text);
    expect(parseChecksum(text)).toEqual({ by: "size", checksum: text });
  });

  test("is told apart by what it takes to compare it", () => {
    expect(parseChecksum(CRC_TEXT)).toEqual({ by: "bytes", scheme: "crc64nvme", checksum: CRC_TEXT });
    expect(parseChecksum(`attested-${CRC_TEXT}`)).toEqual({
      by: "attestation",
      scheme: "crc64nvme",
      checksum: `attested-${CRC_TEXT}`,
      digest: CRC_TEXT,
    });
    const tree = `sha256-tree-64m:${"ab".repeat(32)}`;
    expect(parseChecksum(tree)).toEqual({ by: "bytes", scheme: "sha256-tree-64m", checksum: tree });
  });

  test.each([
    "",
    "size:",
    "size:1",
    "size:1.0",
    "size:010\n",
    `attested-attested-${CRC_TEXT}`,
    "attested-size:0100",
    `attested-sha256-tree-64m:${"ab".repeat(32)}`,
    "attested-crc64nvme:01",
    `sha256-tree-32m:${"ab".repeat(32)}`,
  ])("is not %j", (text) => {
    expect(parseChecksum(text)).toBeUndefined();
  });
});

describe("a tree", () => {
  test("is the SHA-256 over the SHA-256 digests of the pieces, however the bytes arrive", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat(200), { maxLength: 5 }),
        async (bytes, chunkBytes, cuts) => {
          const pieces: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += chunkBytes) {
            pieces.push(
              createHash("sha256")
                .update(bytes.subarray(at, at + chunkBytes))
                .digest(),
            );
          }
          const expected = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
          const running = startDigest("sha256-tree-64m", chunkBytes);
          const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
          ends.forEach((end, index) => running.update(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)));
          expect(await running.hex()).toBe(expected);
        },
      ),
    );
  });

  test("of no bytes is the SHA-256 of nothing", async () => {
    const { checksum } = await digestOf("sha256-tree-64m", bodyOf(new Uint8Array()));
    expect(checksum).toBe(`sha256-tree-64m:${createHash("sha256").digest("hex")}`);
  });
});

describe("two CRCs", () => {
  test("combine to the CRC of the bytes one after the other", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), async (a, b) => {
        const both = await hexOf(Buffer.concat([a, b]));
        expect(combineCrc64(await hexOf(a), await hexOf(b), b.length)).toBe(both);
      }),
    );
  });

  test("combine over sizes that no number of 32 bits holds", () => {
    // Zeros after a CRC, a few at a time and all at once: 2^33 bytes twice are 2^34 bytes.
    const start = "ae8b14860a799888";
    const once = combineCrc64(start, CRC64_OF_NOTHING, 2 ** 34);
    const twice = combineCrc64(combineCrc64(start, CRC64_OF_NOTHING, 2 ** 33), CRC64_OF_NOTHING, 2 ** 33);
    expect(once).toBe(twice);
    expect(once).not.toBe(start);
  });
});

describe("a digest that is saved", () => {
  test("is taken up as if it had never been put away", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), async (a, b) => {
        const first = await beginSavable("sha256");
        first.add(a, a.length);
        const second = await takeUpSavable("sha256", first.save());
        second?.add(b, b.length);
        expect(second?.hex()).toBe(createHash("sha256").update(a).update(b).digest("hex"));

        const crc = await beginSavable("crc64nvme");
        crc.add(Buffer.from(await hexOf(a), "hex"), a.length);
        const taken = await takeUpSavable("crc64nvme", crc.save());
        taken?.add(Buffer.from(await hexOf(b), "hex"), b.length);
        expect(taken?.hex()).toBe(await hexOf(Buffer.concat([a, b])));
      }),
    );
  });

  test("takes at most 156 characters, however much was digested", async () => {
    const digest = await beginSavable("sha256-tree-64m");
    for (let piece = 0; piece < 1_000; piece += 1) digest.add(new Uint8Array(32).fill(piece), 64 * 1024 * 1024);
    expect(digest.save()).toHaveLength(156);
    expect((await beginSavable("crc64nvme")).save()).toHaveLength(16);
  });

  test("can not be taken up from what something else has written", async () => {
    expect(await takeUpSavable("sha256", "AAAA")).toBeUndefined();
    expect(await takeUpSavable("sha256", Buffer.alloc(116).toString("base64"))).toBeUndefined();
    expect(await takeUpSavable("crc64nvme", "AAAA")).toBeUndefined();
  });

  test("is of a scheme that has such a state", () => {
    expect(["sha256", "sha256-tree-64m", "crc64nvme", "sha512", "sha1", "md5"].filter(isSavable)).toEqual([
      "sha256",
      "sha256-tree-64m",
      "crc64nvme",
    ]);
  });
});

describe("how far a version was read", () => {
  const pin = { versionId: "v1", etag: '"e"' };
  const progress = { scheme: "crc64nvme", offset: 64, state: "00000000000000ff" } as const;
  const written = writeProgress(pin, progress);

  test("is read as it was written, and takes little of a row", async () => {
    expect(readProgressOf(written, pin, "crc64nvme")).toEqual(progress);
    const state = (await beginSavable("sha256")).save();
    const longest = writeProgress(
      { versionId: "v".repeat(40), etag: `"${"e".repeat(40)}"` },
      { scheme: "sha256-tree-64m", offset: 5 * 2 ** 40, state },
    );
    expect(longest.length).toBeLessThan(400);
  });

  test("says nothing about another version, another state of the same id, or another scheme", () => {
    expect(readProgressOf(written, { ...pin, versionId: "v2" }, "crc64nvme")).toBeUndefined();
    expect(readProgressOf(written, { ...pin, etag: '"f"' }, "crc64nvme")).toBeUndefined();
    expect(readProgressOf(written, pin, "sha256")).toBeUndefined();
    const odd = written.replace("crc64nvme", "md5");
    expect(readProgressOf(odd, pin, "md5")).toBeUndefined();
  });

  test.each([undefined, "", "{", "null", "[]", '{"scheme":"crc64nvme"}'])("is nothing when the row says %j", (text) => {
    expect(readProgressOf(text, pin, "crc64nvme")).toBeUndefined();
  });
});

test("one object at a time is read in parallel", () => {
  const { lane } = checksumRules([]);
  const leave = lane.enter();
  expect(lane.enter()).toBeUndefined();
  leave?.();
  expect(lane.enter()).toBeTypeOf("function");
});
