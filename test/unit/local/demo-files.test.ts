import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { demoFiles, demoTypes } from "../../../infra/local/demo-files.ts";
import { matchKey } from "../../../shared/geo/replicable-match.ts";
import { replicables } from "../../../shared/replicables/index.ts";

const types = demoTypes(replicables);
const files = demoFiles(types, "seed");
const uploads = files.map((file) => file.upload());

/** What the ordinary files hold, for comparing. */
const small = (seed: string): string => {
  const hash = createHash("sha256");
  for (const file of demoFiles(types, seed).filter(({ key }) => key.includes("file-"))) hash.update(file.upload().body);
  return hash.digest("hex");
};

const sizeOf = (upload: (typeof uploads)[number]): number => upload.body.byteLength;

describe("the files of the demonstration", () => {
  test("are at least 300, under as many keys, from nothing to over 100 MB", () => {
    expect(files.length).toBeGreaterThanOrEqual(300);
    expect(new Set(files.map(({ key }) => key)).size).toBe(files.length);
    expect(Math.min(...uploads.map(sizeOf))).toBe(0);
    expect(Math.max(...uploads.map(sizeOf))).toBeGreaterThan(100_000_000);
  });

  test("are of five types that are on by default, each under a key of its type", () => {
    const names = new Set(files.map(({ replicableName }) => replicableName));
    expect(names.size).toBe(5);
    expect(replicables.filter(({ name, enabledByDefault }) => names.has(name) && !enabledByDefault)).toEqual([]);
    for (const { key, replicableName } of files) {
      expect(matchKey(replicables, key)?.replicable.name).toBe(replicableName);
    }
  });

  test("are of the first types where an installation has none of these", () => {
    const others = replicables.filter(({ name }) => ["upload", "user_upload", "cool_widget"].includes(name));
    expect(demoTypes(others).map(({ name }) => name)).toEqual(["cool_widget", "user_upload"]);
  });

  test.each([
    ["a space", / /],
    ["a plus", /\+/],
    ["a percent sign", /%/],
    ["a parent folder", /(^|\/)\.\.(\/|$)/],
    ["two slashes in a row", /\/\//],
    ["characters beyond ASCII", /\P{ASCII}/u],
    ["control characters", /\p{Cc}/u],
  ])("have %s in some keys", (_what, pattern) => {
    expect(files.filter(({ key }) => pattern.test(key)).length).toBeGreaterThan(0);
  });

  test("use all of the 1,024 bytes that a key may have, and never more", () => {
    const lengths = files.map(({ key }) => Buffer.byteLength(key));
    expect(Math.max(...lengths)).toBe(1_024);
    expect(lengths.filter((length) => length === 1_024)).toHaveLength(2);
  });

  test("bring every kind of checksum, metadata, headers, tags and more than one storage class", () => {
    expect(new Set(uploads.map(({ checksum }) => checksum))).toEqual(new Set(["CRC64NVME", "CRC32", "SHA256"]));
    expect(uploads.some(({ metadata }) => Object.keys(metadata).length > 0)).toBe(true);
    expect(uploads.some(({ tags }) => Object.keys(tags).length > 0)).toBe(true);
    expect(uploads.some(({ headers }) => headers.contentEncoding === "gzip")).toBe(true);
    expect(new Set(uploads.map(({ storageClass }) => storageClass)).size).toBeGreaterThan(1);
  });

  test("are the same for the same seed, and others for another", () => {
    expect(small("one")).toBe(small("one"));
    expect(small("one")).not.toBe(small("two"));
  });
});
