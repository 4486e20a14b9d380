import { describe, expect, test } from "vitest";
import { decideAbsent, decidePresent, sameEntries, type Seen } from "../../../shared/geo/decide.ts";
import type { ObjectFacts, StoredChecksum } from "../../../shared/geo/object-facts.ts";
import { parseRegistryRow } from "../../../shared/geo/registry-row.ts";

const CRC: StoredChecksum = { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: "AAAAAAAAAAE=" };
const OTHER_CRC: StoredChecksum = { ...CRC, value: "AAAAAAAAAAI=" };

const facts = (changes: Partial<ObjectFacts> = {}): ObjectFacts => ({
  versionId: "v1",
  etag: '"a"',
  size: 3,
  lastModified: 0,
  checksum: CRC,
  metadata: {},
  headers: {},
  storageClass: "STANDARD",
  archived: false,
  customerKey: false,
  ...changes,
});
const present = (changes?: Partial<ObjectFacts>): Seen => ({ found: "present", facts: facts(changes) });
const absent: Seen = { found: "absent" };
const row = (columns: Record<string, string | number | boolean> = {}) =>
  parseRegistryRow({ pk: "cool_widget#000", sk: "k", state: 1, gen: 1, ...columns });
const NAMING = { src_version_id: "v1", src_etag: '"a"', rep_version_id: "r1", rep_etag: '"a"' };
const replica = (changes: Partial<ObjectFacts> = {}): Seen => present({ versionId: "r1", ...changes });

/** Both halves of the rule, as an attempt asks it. */
const decide = (of: ReturnType<typeof row>, source: Seen, there: Seen) =>
  source.found === "absent" ? decideAbsent(there) : decidePresent(of, source.facts, there);
type Decision = ReturnType<typeof decide>;

const cases: readonly (readonly [string, Parameters<typeof decide>, Decision])[] = [
  ["nothing on either side is settled as absent", [row(), absent, absent], { do: "settle_absent" }],
  ["a replica without a source is removed, on its ETag", [row(), absent, replica()], { do: "remove", etag: '"a"' }],
  [
    "a replica without a source is removed even if it was read and found wrong",
    [row({ checksum_mismatch: true }), absent, replica()],
    { do: "remove", etag: '"a"' },
  ],
  [
    "a source without a replica is copied onto nothing",
    [row(NAMING), present(), absent],
    { do: "copy", replica: { expect: "nothing" } },
  ],
  [
    "the replica that the row names is settled",
    [row(NAMING), present({ checksum: OTHER_CRC }), replica()],
    { do: "settle_synced", because: "named", versionId: "r1", etag: '"a"' },
  ],
  [
    "an equal replica that no row names is adopted",
    [row(), present(), replica()],
    { do: "settle_synced", because: "adopt", versionId: "r1", etag: '"a"' },
  ],
];

test.each(cases)("%s", (_name, input, decision) => {
  expect(decide(...input)).toEqual(decision);
});

const COPY_OVER: Decision = { do: "copy", replica: { expect: "version_with_etag", etag: '"a"' } };

test.each<readonly [string, Parameters<typeof decide>]>([
  ["another source version", [row({ ...NAMING, src_version_id: "v0" }), present({ checksum: OTHER_CRC }), replica()]],
  [
    "another source ETag under the same version id, as `null` versions have (R36)",
    [row({ ...NAMING, src_etag: '"b"' }), present({ checksum: OTHER_CRC }), replica()],
  ],
  [
    "another replica version than the row names (R11)",
    [row(NAMING), present({ checksum: OTHER_CRC }), replica({ versionId: "r2" })],
  ],
  ["another digest", [row(), present(), replica({ checksum: OTHER_CRC })]],
  ["another size", [row(), present(), replica({ size: 4 })]],
  ["other user metadata (R24)", [row(), present({ metadata: { a: "1" } }), replica({ metadata: { a: "2" } })]],
  ["more user metadata on one side", [row(), present({ metadata: { a: "1" } }), replica()]],
  ["another storage class", [row(), present({ storageClass: "STANDARD_IA" }), replica()]],
  ["another content type", [row(), present({ headers: { contentType: "text/plain" } }), replica()]],
  ["another cache control", [row(), present(), replica({ headers: { cacheControl: "no-store" } })]],
  [
    "a digest of parts, which names no content",
    [row(), present({ checksum: { ...CRC, type: "COMPOSITE" } }), replica({ checksum: { ...CRC, type: "COMPOSITE" } })],
  ],
  [
    "a digest of 32 bits",
    [
      row(),
      present({ checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "AAAAAQ==" } }),
      replica({ checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "AAAAAQ==" } }),
    ],
  ],
  [
    "a replica that was read and found wrong, though the row names it (F26)",
    [row({ ...NAMING, checksum_mismatch: true }), present(), replica()],
  ],
])("a replica is copied over for %s", (_name, input) => {
  expect(decide(...input)).toEqual(COPY_OVER);
});

describe("equal as sets of name and value", () => {
  test.each([
    [{}, {}, true],
    [{ a: "1", b: "2" }, { b: "2", a: "1" }, true],
    [{ a: "1" }, {}, false],
    [{}, { a: "1" }, false],
    [{ a: "1" }, { a: "2" }, false],
    [{ a: "1" }, { b: "1" }, false],
    [{ a: "1" }, { a: "1", b: "2" }, false],
  ])("%j and %j: %s", (a, b, equal) => {
    expect(sameEntries(a, b)).toBe(equal);
  });
});

test("a replica is copied anew when somebody has asked for that, whatever the row and S3 say of it (F18)", () => {
  const again = { do: "copy", replica: { expect: "version_with_etag", etag: '"a"' } };
  expect(decide(row({ ...NAMING, resync_requested: true }), present(), replica())).toEqual(again);
  expect(decide(row({ resync_requested: true }), present(), replica())).toEqual(again);
});

test("metadata or a header that the replica lacks is a reason to copy", () => {
  const copy = { do: "copy" };
  expect(decide(row(), present({ metadata: { a: "1" } }), replica())).toMatchObject(copy);
  expect(decide(row(), present({ metadata: { a: "1" } }), replica({ metadata: { a: "2" } }))).toMatchObject(copy);
  expect(decide(row(), present({ headers: { contentType: "a/b" } }), replica())).toMatchObject(copy);
});
