import { describe, expect, test } from "vitest";
import { CAPACITIES_DEFAULT } from "../../../shared/geo/capacities.ts";
import { decodeGathered, encodeGathered, type GatheredStatus } from "../../../shared/geo/gathered-status.ts";

const FIGURES = { count: 3, p50Ms: 10, p99Ms: 20, maxMs: 30 };
const NO_LAG = { total: undefined, notify: undefined, queue: undefined, copy: undefined, verify: undefined };

const NOTHING: GatheredStatus = {
  site: { name: "tokyo", role: "secondary", region: "ap-northeast-1" },
  apiUrl: "https://geo.example",
  version: "1.2.3",
  gatheredAt: 1_000,
  types: [{ name: "cool_widget", plural: "cool_widgets" }],
  unverified: [],
  counted: undefined,
  settled: undefined,
  primary: undefined,
  keeps: "abc",
  problems: [],
};

const EVERYTHING: GatheredStatus = {
  ...NOTHING,
  unverified: ["cool_widget"],
  counted: {
    asOf: 900,
    lastChangeAt: 800,
    types: new Map([
      [
        "cool_widget",
        {
          cells: [
            { replicableName: "cool_widget", state: 2, verificationState: 2, rows: 5, bytes: 50 },
            { replicableName: "cool_widget", state: undefined, verificationState: 0, rows: 1, bytes: 2 },
          ],
          oldestUnsyncedTime: 7,
          backlogAges: [
            { upToSeconds: 60, rows: 1 },
            { upToSeconds: undefined, rows: 2 },
          ],
          lag: { ...NO_LAG, total: FIGURES, verify: FIGURES },
          lagSteps: [{ until: 850, figures: { count: 4, p50Ms: 250, p99Ms: 707 } }],
          audit: { at: 5, verdict: "exact", difference: 0 },
        },
      ],
    ]),
  },
  settled: {
    enabled: false,
    selectiveSync: { type: "namespaces", ids: ["7"] },
    syncObjectStorage: true,
    capacities: CAPACITIES_DEFAULT,
    minimumReverificationInterval: 90,
    blobDownloadTimeout: 28_800,
  },
  primary: { lastChangeAt: 700, keeps: "abc" },
  problems: [{ part: "flags", text: "The flags can not be read." }],
};

describe("what a site gathers", () => {
  test.each([
    ["everything", EVERYTHING],
    ["nothing", NOTHING],
    [
      "a site that is not restricted",
      { ...EVERYTHING, settled: { ...EVERYTHING.settled!, selectiveSync: { type: "none" } } },
    ],
    ["a primary that has counted nothing", { ...EVERYTHING, primary: { lastChangeAt: undefined, keeps: "x" } }],
  ] as const)("is read as it was written: %s", (_, gathered) => {
    expect(decodeGathered(encodeGathered(gathered))).toEqual(gathered);
  });

  test("leaves types out that have nothing to tell: they cost their names only", () => {
    const empty = {
      cells: [],
      oldestUnsyncedTime: undefined,
      backlogAges: [{ upToSeconds: 60, rows: 0 }],
      lag: NO_LAG,
      lagSteps: [],
      audit: undefined,
    };
    const text = encodeGathered({
      ...NOTHING,
      counted: { asOf: 1, lastChangeAt: undefined, types: new Map([["cool_widget", empty]]) },
    });
    expect(decodeGathered(text).counted?.types.size).toBe(0);
    expect(text.length).toBeLessThan(400);
  });

  test("is read of a site that is of an earlier version and tells no steps of its lag", () => {
    const told = JSON.parse(encodeGathered(EVERYTHING)) as {
      readonly counted: { readonly types: Record<string, { steps?: unknown }> };
    };
    delete told.counted.types["cool_widget"]?.steps;
    expect(decodeGathered(JSON.stringify(told)).counted?.types.get("cool_widget")).toMatchObject({ lagSteps: [] });
  });

  test("is read of a site that is of a later version and says more", () => {
    const later = { ...JSON.parse(encodeGathered(EVERYTHING)), weather: "fine" } as object;
    expect(decodeGathered(JSON.stringify(later))).toEqual(EVERYTHING);
  });

  test.each([
    ["no JSON", "{", "all of it"],
    ["another shape", '{"site": 5}', "site"],
  ])("can not be read when it is %s, and that is said", (_, text, field) => {
    expect(() => decodeGathered(text)).toThrow(expect.objectContaining({ code: "GEO_UNREADABLE_ROW" }) as Error);
    expect(() => decodeGathered(text)).toThrow(field);
  });
});
