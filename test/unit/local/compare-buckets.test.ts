import { beforeEach, describe, expect, test } from "vitest";
import { compareBuckets } from "../../../infra/local/compare-buckets.ts";
import { type DemoBucket, VersionGoneError } from "../../../infra/local/demo-bucket.ts";
import { memoryDemoBucket } from "../../../infra/local/memory-demo-bucket.ts";
import { MemoryBucket } from "../../../shared/memory/bucket.ts";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";

const bucket = (name: string) => new MemoryBucket({ name, clock: new ManualClock(), chance: new SeededChance(1) });

let primary: MemoryBucket;
let secondary: MemoryBucket;

beforeEach(() => {
  primary = bucket("primary");
  secondary = bucket("secondary");
});

const compare = (options?: Parameters<typeof compareBuckets>[2]) =>
  compareBuckets(memoryDemoBucket(primary), memoryDemoBucket(secondary), options);

describe("two buckets", () => {
  test("are the same when every current object is, whatever their histories", async () => {
    primary.put("a", "old");
    primary.put("a", "new", { metadata: { m: "1", n: "2" }, tags: { t: "1" } });
    secondary.put("a", "new", { metadata: { n: "2", m: "1" }, tags: { t: "1" } });
    secondary.put("b", "deleted");
    secondary.deleteCurrent("b");
    expect(await compare()).toEqual({ keys: 1, bytes: 3, differences: [] });
  });

  test("differ by a key that only one of them has", async () => {
    primary.put("a", "x");
    secondary.put("b", "x");
    const { differences } = await compare();
    expect(differences).toEqual([
      { key: "a", what: "is missing on the secondary" },
      { key: "b", what: "is still on the secondary, and not on the primary" },
    ]);
  });

  test("differ by one byte of the same length", async () => {
    primary.put("a", "abc");
    secondary.put("a", "abd");
    const { differences } = await compare();
    expect(differences).toHaveLength(1);
    expect(differences[0]?.what).toMatch(/^SHA-256: ba7816bf\S+ on the primary, \S+ on the secondary$/);
  });

  test("differ by bytes that rotted under a checksum that says they are fine", async () => {
    primary.put("a", "abc");
    const { versionId } = secondary.put("a", "abc");
    secondary.corrupt("a", versionId, Buffer.from("abd"));
    expect((await compare()).differences).toHaveLength(1);
  });

  test.each([
    ["metadata", { metadata: { m: "2" } }],
    ["headers", { headers: { contentType: "text/html" } }],
    ["tags", { tags: { t: "2" } }],
    ["storage class", { storageClass: "STANDARD_IA" }],
  ])("differ by %s", async (name, options) => {
    primary.put("a", "x");
    secondary.put("a", "x", options);
    expect((await compare()).differences.map(({ what }) => what)).toEqual([expect.stringMatching(`^${name}: `)]);
  });

  test("are compared only in the keys that count", async () => {
    primary.put("unclaimed/a", "x");
    expect(await compare({ counts: (key) => !key.startsWith("unclaimed/") })).toMatchObject({
      keys: 0,
      differences: [],
    });
  });

  test("are looked at again where a key changed meanwhile", async () => {
    primary.put("a", "x");
    secondary.put("a", "x");
    let failures = 2;
    const elusive: DemoBucket = {
      ...memoryDemoBucket(primary),
      read: (key, versionId) =>
        (failures -= 1) >= 0
          ? Promise.reject(new VersionGoneError("gone"))
          : memoryDemoBucket(primary).read(key, versionId),
    };
    expect(await compareBuckets(elusive, memoryDemoBucket(secondary))).toMatchObject({ differences: [] });
  });
});
