import { describe, expect, test } from "vitest";
import { DESTROY_LIMITS } from "../../../shared/geo/destroy.ts";
import {
  assertDestroyable,
  decodeManifest,
  encodeManifest,
  type ManifestLine,
} from "../../../shared/geo/destroy-manifest.ts";
import { matchKey } from "../../../shared/geo/replicable-match.ts";
import { replicables } from "../../../shared/replicables/index.ts";

const KEY = "lfs_objects/1/4c/8e";
const line = (rest: Partial<ManifestLine> = {}): ManifestLine => ({
  key: KEY,
  version_id: "v1",
  etag: '"e"',
  size: 3,
  last_modified: 5,
  storage_class: "STANDARD",
  replicable_name: "lfs_object",
  model_record_id: "1",
  uploader_class: "LfsObjectUploader",
  ...rest,
});

const matching = (key: string) => matchKey(replicables, key);
const check = (lines: readonly ManifestLine[], isOf = () => true): void => {
  assertDestroyable(lines, matching, isOf);
};
const refusal = (text: string) =>
  expect.objectContaining({ code: "GEO_DESTROY_REFUSED", message: expect.stringContaining(text) as string }) as Error;

describe("a slice", () => {
  test("of objects of the parent may be destroyed", () => {
    expect(() => check([line(), line({ key: "lfs_objects/2/4c/8e", model_record_id: "2" })])).not.toThrow();
    expect(() => check(Array.from({ length: DESTROY_LIMITS.sliceObjects }, () => line()))).not.toThrow();
  });

  test.each(["", " "])("with the record id %j is refused as a whole (F83)", (id) => {
    expect(() => check([line(), line({ model_record_id: id })])).toThrow(
      refusal(`"${KEY}" has no model record id, expected one of each object; nothing was destroyed`),
    );
  });

  test.each([
    ["a key of no type", line({ key: "elsewhere/1" }), "elsewhere/1"],
    ["a key of another type than it says", line({ replicable_name: "package_file" }), KEY],
  ])("with %s is refused as a whole", (_what, foreign, shown) => {
    expect(() => check([line(), foreign])).toThrow(refusal(`"${shown}" is not an object of what is to be destroyed`));
  });

  test("with an object of somebody else is refused as a whole", () => {
    expect(() => check([line()], () => false)).toThrow(refusal("is not an object of what is to be destroyed"));
  });

  test("of more objects than a slice may have is refused", () => {
    expect(() => check(Array.from({ length: DESTROY_LIMITS.sliceObjects + 1 }, () => line()))).toThrow(
      refusal(`a slice of ${DESTROY_LIMITS.sliceObjects + 1} objects`),
    );
  });
});

describe("a manifest that nobody can have frozen", () => {
  const text = encodeManifest([line(), line()]);

  test.each([
    ["a line that is no JSON", `${text}rubbish\n`, "line 3 of a manifest can not be read (the line)"],
    ["a line without fields", `{}\n${text}`, "line 1 of a manifest can not be read (key, version_id, etag,"],
    ["a field too many", text.replace("{", '{"more":1,'), "line 1 of a manifest can not be read (the line)"],
  ])("is refused, and named by its first line that can not be read: %s", (_what, changed, message) => {
    expect(() => decodeManifest(changed)).toThrow(refusal(message));
  });
});
