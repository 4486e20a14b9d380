import { describe, expect, test } from "vitest";
import { isUploadOf, type OpenUpload, tagsDigest, uploadColumns, uploadOf } from "../../../shared/geo/open-upload.ts";
import { parseRegistryRow } from "../../../shared/geo/registry-row.ts";

const UPLOAD: OpenUpload = { id: "u", versionId: "v", etag: '"e"', tags: tagsDigest({}), partBytes: 5 };
const rowWith = (columns: object) => parseRegistryRow({ pk: "p#000", sk: "key", state: 1, ...columns });

describe("the upload that a row names", () => {
  test("is what was written there", () => {
    expect(uploadOf(rowWith(uploadColumns(UPLOAD)))).toEqual(UPLOAD);
  });

  test.each(Object.keys(uploadColumns(UPLOAD)))("is none where %s is missing", (column) => {
    const { [column]: _missing, ...rest } = uploadColumns(UPLOAD) as Record<string, unknown>;
    expect(uploadOf(rowWith(rest))).toBeUndefined();
  });
});

describe("an upload", () => {
  const source = { versionId: UPLOAD.versionId, etag: UPLOAD.etag };

  test("is gone on with while it is a copy of this version with these tags", () => {
    expect(isUploadOf(UPLOAD, source, UPLOAD.tags)).toBe(true);
  });

  test.each([
    ["another version", { ...source, versionId: "w" }, UPLOAD.tags],
    ["other bytes", { ...source, etag: '"f"' }, UPLOAD.tags],
    ["other tags", source, tagsDigest({ a: "1" })],
  ])("is not gone on with for %s", (_what, wanted, tags) => {
    expect(isUploadOf(UPLOAD, wanted, tags)).toBe(false);
  });
});

test("tags are told apart by what they are and not by their order", () => {
  expect(tagsDigest({ a: "1", b: "2" })).toBe(tagsDigest({ b: "2", a: "1" }));
  const others = [{}, { a: "1" }, { a: "2" }, { a: "1", b: "2" }, { "a=1&b": "2" }, { a: "1=b" }];
  expect(new Set(others.map((tags) => tagsDigest(tags))).size).toBe(others.length);
});
