import { describe, expect, test } from "vitest";
import {
  batchesOf,
  BATCHES_PER_ROUND,
  largeCopyName,
  PARTS_PER_BATCH,
  readLargeCopyStep,
} from "../../../shared/geo/large-copy.ts";
import { EXECUTION_NAME } from "../../../shared/geo/physical-names.ts";

const REF = { replicableName: "cool_widget", key: "cool_widgets/1/ü file?.bin" };
const SOURCE = { versionId: "v1", etag: '"e"' };
const FIRST = { failures: 0, replaces: undefined };
const UPLOAD = { id: "u".repeat(200), versionId: "v1", etag: '"e"', tags: "t", partBytes: 5_000_000_000 };

const wanted = (missing: readonly number[]) => ({ ref: REF, upload: UPLOAD, size: 50e12, missing, epoch: 3 });

describe("the name of an execution", () => {
  test("is one for everybody who asks for the same copy", () => {
    expect(largeCopyName(REF, SOURCE, FIRST)).toBe(largeCopyName({ ...REF }, { ...SOURCE }, FIRST));
    expect(largeCopyName(REF, SOURCE, { failures: 12_345, replaces: "r1" })).toMatch(EXECUTION_NAME);
  });

  test("is another one for another key, version, content, try or replica that it replaces", () => {
    const names = [
      largeCopyName(REF, SOURCE, FIRST),
      largeCopyName(REF, SOURCE, { ...FIRST, failures: 1 }),
      largeCopyName(REF, SOURCE, { ...FIRST, replaces: "r1" }),
      largeCopyName({ ...REF, key: "other" }, SOURCE, FIRST),
      largeCopyName({ ...REF, replicableName: "other" }, SOURCE, FIRST),
      largeCopyName(REF, { ...SOURCE, versionId: "v2" }, FIRST),
      largeCopyName(REF, { ...SOURCE, etag: '"f"' }, FIRST),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("what is handed out", () => {
  const all = Array.from({ length: 10_000 }, (_, index) => index + 1);

  test("is every missing part once, the lowest first, a round at a time", () => {
    const batches = batchesOf(wanted(all));
    expect(batches).toHaveLength(BATCHES_PER_ROUND);
    expect(batches.flatMap(({ numbers }) => numbers)).toEqual(all.slice(0, PARTS_PER_BATCH * BATCHES_PER_ROUND));
    expect(batchesOf(wanted([7, 9])).map(({ numbers }) => numbers)).toEqual([[7, 9]]);
    expect(batchesOf(wanted([]))).toEqual([]);
  });

  test("fits between two states, with the longest key and upload there may be", () => {
    const longest = { ...wanted(all), ref: { ...REF, key: "\u{1F600}".repeat(256) } };
    expect(Buffer.byteLength(JSON.stringify(batchesOf(longest)))).toBeLessThan(128 * 1024);
  });

  test("is read by the function as it was handed out", () => {
    for (const batch of batchesOf(wanted(all)))
      expect(readLargeCopyStep(JSON.parse(JSON.stringify(batch)))).toEqual(batch);
  });
});

test.each([
  [{}],
  [{ step: "copy_everything" }],
  [{ step: "advance", key: "k", version_id: "v" }],
  [
    {
      step: "copy_parts",
      replicable_name: "cool_widget",
      key: "k",
      upload_id: "u",
      version_id: "v",
      etag: "e",
      size: 0,
      part_bytes: 1,
      numbers: [1],
      epoch: 0,
    },
  ],
  [
    {
      step: "copy_parts",
      replicable_name: "cool_widget",
      key: "k",
      upload_id: "u",
      version_id: "v",
      etag: "e",
      size: 1,
      part_bytes: 1,
      numbers: [],
      epoch: 0,
    },
  ],
])("%j is no step", (input) => {
  expect(() => readLargeCopyStep(input)).toThrow(expect.objectContaining({ code: "GEO_WORKFLOW_REQUEST" }));
});
