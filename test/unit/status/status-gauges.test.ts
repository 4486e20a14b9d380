import { describe, expect, test } from "vitest";
import type { GatheredStatus, GatheredType } from "../../../shared/geo/gathered-status.ts";
import { gaugesOfStatus } from "../../../shared/geo/status-gauges.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import { tellStatus } from "../../../shared/services/tell-status.ts";

const NOW = 1_800_000_000_000;

const cell = (state: number | undefined, verificationState: number, rows: number) => ({
  replicableName: "upload",
  state,
  verificationState,
  rows,
  bytes: rows * 10,
});

const UPLOADS = {
  cells: [cell(2, 2, 7), cell(2, 3, 1), cell(3, 0, 2), cell(0, 0, 3), cell(1, 0, 1), cell(2, 0, -20)],
  oldestUnsyncedTime: NOW / 1_000 - 90,
  lag: { total: { count: 4, p50Ms: 500, p99Ms: 900, maxMs: 1_000 } },
};

/** A status with the parts that gauges are made of. */
const gathered = (
  role: "primary" | "secondary",
  types: Readonly<Record<string, unknown>>,
  over: Partial<GatheredStatus> = {},
): GatheredStatus =>
  ({
    site: { name: "ireland", role, region: "eu-west-1" },
    gatheredAt: NOW,
    problems: [],
    counted: {
      asOf: NOW,
      lastChangeAt: NOW,
      types: new Map(Object.entries(types)) as ReadonlyMap<string, GatheredType>,
    },
    ...over,
  }) as GatheredStatus; // the parts that nothing here reads are left out

describe("the gauges of a status (F62, F63)", () => {
  test("of a secondary are each type's rows by what became of them, and the age of the oldest that waits", () => {
    const { types, backlogAge } = gaugesOfStatus(
      gathered("secondary", { upload: { ...UPLOADS, cells: UPLOADS.cells.slice(0, 5) } }),
    );
    expect(types).toEqual([
      {
        replicable_name: "upload",
        rows: 14,
        bytes: 140,
        synced: 8,
        failed: 2,
        queued: 4,
        verified: 7,
        verification_failed: 1,
        oldest_seconds: 90,
        lag_p50_ms: 500,
        lag_p99_ms: 900,
      },
    ]);
    expect(backlogAge).toBe(90);
  });

  test("of a primary say nothing of syncing, and nothing waits there", () => {
    const { types, backlogAge } = gaugesOfStatus(
      gathered("primary", { upload: { ...UPLOADS, cells: [cell(undefined, 2, 5)], oldestUnsyncedTime: undefined } }),
    );
    expect(types).toMatchObject([
      { rows: 5, verified: 5, synced: undefined, failed: undefined, oldest_seconds: undefined },
    ]);
    expect(backlogAge).toBeUndefined();
  });

  test("are the oldest of all types, and 0 when nothing waits", () => {
    const quiet = { cells: [cell(2, 2, 1)], oldestUnsyncedTime: undefined, lag: {} };
    expect(gaugesOfStatus(gathered("secondary", { a: quiet, b: UPLOADS })).backlogAge).toBe(90);
    expect(gaugesOfStatus(gathered("secondary", { a: quiet })).backlogAge).toBe(0);
    expect(gaugesOfStatus(gathered("secondary", {})).backlogAge).toBe(0);
  });

  test("are never below zero while rows change, and leave out what has no rows", () => {
    const { types } = gaugesOfStatus(gathered("secondary", { upload: UPLOADS, empty: { ...UPLOADS, cells: [] } }));
    expect(types).toEqual([]);
    const ahead = { ...UPLOADS, oldestUnsyncedTime: NOW / 1_000 + 5 };
    expect(gaugesOfStatus(gathered("secondary", { upload: ahead })).backlogAge).toBe(0);
  });

  test("do not tell of a backlog where a pause was asked for (F98), nor of counts that could not be read", () => {
    const settled = { enabled: false } as GatheredStatus["settled"]; // no other setting counts here
    expect(gaugesOfStatus(gathered("secondary", { upload: UPLOADS }, { settled })).backlogAge).toBeUndefined();
    const going = { enabled: true } as GatheredStatus["settled"];
    expect(gaugesOfStatus(gathered("secondary", { upload: UPLOADS }, { settled: going })).backlogAge).toBe(90);
    const nothing = { backlogAge: undefined, types: [] };
    expect(gaugesOfStatus(gathered("secondary", {}, { counted: undefined }))).toEqual(nothing);
    const problems = [{ part: "counters", text: "The counters can not be read." }] as const;
    expect(gaugesOfStatus(gathered("secondary", { upload: UPLOADS }, { problems }))).toEqual(nothing);
  });
});

test("a status that was gathered is told as a sign of life, an age, and a line for each type (F63)", () => {
  const telemetry = new MemoryTelemetry();
  const cells = UPLOADS.cells.slice(0, 5);
  tellStatus(telemetry, gathered("secondary", { upload: { ...UPLOADS, cells } }));
  tellStatus(telemetry, gathered("primary", { lfs_object: { ...UPLOADS, cells } }));
  expect(telemetry.total("StatusGathered")).toBe(2);
  expect(telemetry.values("BacklogAge")).toEqual([90]);
  expect(telemetry.linesOf("type_status").map(({ fields }) => fields["replicable_name"])).toEqual([
    "upload",
    "lfs_object",
  ]);
});
