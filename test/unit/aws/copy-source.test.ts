import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copySource } from "../../../shared/aws/copy-source.ts";

/** How S3 reads it: the version behind the last `?`, then bucket and key at the first slash, percent-decoded. */
const read = (source: string): { readonly bucket: string; readonly key: string; readonly versionId: string } => {
  const query = source.lastIndexOf("?versionId=");
  const path = decodeURIComponent(source.slice(0, query));
  const slash = path.indexOf("/");
  return {
    bucket: path.slice(0, slash),
    key: path.slice(slash + 1),
    versionId: decodeURIComponent(source.slice(query + "?versionId=".length)),
  };
};

describe("a copy source", () => {
  it("names exactly the key and version that were given, whatever is in them", () => {
    const hostile = fc.constantFrom(
      "?versionId=",
      "%20",
      "+",
      "/",
      "//",
      "..",
      "&",
      "#",
      " ",
      "\u{FFFF}",
      "\u0001",
      "é",
    );
    const key = fc
      .array(fc.oneof(hostile, fc.string({ unit: "binary" })), { minLength: 1 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(key, fc.string({ minLength: 1 }), (name, versionId) => {
        const source = copySource("bucket", name, versionId);
        expect(source).toMatch(/^[\w.~%/-]+\?versionId=[\w.~%-]+$/);
        expect(read(source)).toEqual({ bucket: "bucket", key: name, versionId });
      }),
    );
  });

  it("keeps slashes as they are", () => {
    expect(copySource("b", "a//b/../c/", "null")).toBe("b/a//b/../c/?versionId=null");
  });
});
