import { describe, expect, test } from "vitest";
import type { CountedCell } from "../../../shared/geo/counters.ts";
import {
  type SiteRole,
  siteId,
  siteStatus,
  type StatusFacts,
  WITHOUT_MEANING,
} from "../../../shared/geo/site-status.ts";
import { coolWidget } from "../../../shared/replicables/cool-widget.ts";

const READ_AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const cell = (state: number | undefined, verificationState: number, rows: number, bytes = 0): CountedCell => ({
  replicableName: coolWidget.name,
  state,
  verificationState,
  rows,
  bytes,
});
const statusOf = (role: SiteRole, cells: readonly CountedCell[] | undefined, facts: Partial<StatusFacts> = {}) =>
  siteStatus({
    site: { name: "tokyo", role, region: "ap-northeast-1" },
    version: "1.2.3",
    enabled: true,
    replicables: [coolWidget],
    cells: cells && new Map([[coolWidget.name, cells]]),
    rollUp: undefined,
    unverified: new Set(),
    problems: [],
    source: "own",
    gatheredAt: undefined,
    lastChangeAt: undefined,
    primaryChangeAt: undefined,
    keepsTheSame: undefined,
    failedReports: 0,
    consistency: undefined,
    selectiveSync: undefined,
    namespaceIds: [],
    readAt: READ_AT,
    now: READ_AT,
    apiUrl: "https://geo.example",
    word: "geo_sites",
    ...facts,
  });

// Sync states: 0 pending, 1 started, 2 synced, 3 failed. Verification: 0 pending, 1 started, 2 succeeded, 3 failed, 4 disabled.
const SECONDARY_CELLS = [
  cell(0, 0, 1, 10),
  cell(1, 0, 2, 20),
  cell(3, 3, 4, 40),
  cell(2, 0, 8, 80),
  cell(2, 1, 16, 160),
  cell(2, 2, 32, 320),
  cell(2, 3, 64, 640),
  cell(2, 4, 128, 1_280),
];

describe("a secondary", () => {
  test("tells how much of what it knows of is synced, verified, failed and still queued", () => {
    expect(statusOf("secondary", SECONDARY_CELLS)).toMatchObject({
      cool_widgets_count: 255,
      cool_widgets_registry_count: 255,
      cool_widgets_synced_count: 248,
      cool_widgets_failed_count: 4,
      cool_widgets_verification_total_count: 120,
      cool_widgets_verified_count: 32,
      cool_widgets_verification_failed_count: 64,
      cool_widgets_synced_in_percentage: "97.25%",
      cool_widgets_verified_in_percentage: "12.55%",
      cool_widgets_checksummed_count: null,
      cool_widgets_queued_count: 3,
      cool_widgets_verification_queued_count: 24,
      cool_widgets_bytes: 2_550,
    });
  });

  test("never shows less than nothing, also when a row is just leaving one counter for another", () => {
    expect(statusOf("secondary", [cell(2, 2, -1, -10)])).toMatchObject({
      cool_widgets_count: 0,
      cool_widgets_synced_count: 0,
      cool_widgets_bytes: 0,
      cool_widgets_synced_in_percentage: "0.00%",
    });
  });
});

describe("a primary", () => {
  const cells = [0, 1, 2, 3, 4].map((state) => cell(undefined, state, 2 ** state, 10 * 2 ** state));

  test("tells how much of what it holds has a checksum, and leaves out what only a secondary knows", () => {
    expect(statusOf("primary", cells)).toMatchObject({
      primary: true,
      cool_widgets_count: 31,
      cool_widgets_checksum_total_count: 15,
      cool_widgets_checksummed_count: 4,
      cool_widgets_checksum_failed_count: 8,
      cool_widgets_registry_count: null,
      cool_widgets_synced_count: null,
      cool_widgets_synced_in_percentage: "0.00%",
      cool_widgets_queued_count: null,
      cool_widgets_verification_queued_count: 3,
      cool_widgets_bytes: 310,
    });
  });
});

describe("a site of either kind", () => {
  test("says who it is, when it looked and where its API is", () => {
    const id = siteId("tokyo");
    expect(statusOf("secondary", [])).toMatchObject({
      geo_node_id: id,
      name: "tokyo",
      primary: false,
      region: "ap-northeast-1",
      healthy: true,
      health_status: "Healthy",
      last_successful_status_check_timestamp: Date.UTC(2026, 0, 2, 3, 4, 5) / 1_000,
      updated_at: "2026-01-02T03:04:05.678Z",
      _links: {
        self: `https://geo.example/api/v4/geo_sites/${id}/status`,
        site: `https://geo.example/api/v4/geo_sites/${id}`,
      },
    });
  });

  test("shows zeros for a type that was never counted", () => {
    expect(statusOf("secondary", undefined, { cells: new Map() })).toMatchObject({
      cool_widgets_count: 0,
      cool_widgets_queued_count: 0,
      cool_widgets_bytes: 0,
    });
  });

  test.each<SiteRole>(["primary", "secondary"])("shows that it does not know, as a %s without its counts", (role) => {
    expect(statusOf(role, undefined, { problems: ["the counters can not be read"] })).toMatchObject({
      healthy: false,
      health: "the counters can not be read",
      last_successful_status_check_timestamp: null,
      cool_widgets_count: null,
      cool_widgets_synced_in_percentage: "0.00%",
      cool_widgets_queued_count: null,
      cool_widgets_verification_queued_count: null,
      cool_widgets_bytes: null,
    });
  });
});

const FIGURES = { count: 4, p50Ms: 1_500, p99Ms: 9_000, maxMs: 11_314 };
const ROLLED_UP = {
  oldestUnsyncedTime: 1_767_000_000,
  backlogAges: [
    { upToSeconds: 60, rows: 3 },
    { upToSeconds: undefined, rows: 1 },
  ],
  lag: { total: FIGURES, notify: FIGURES, queue: undefined, copy: FIGURES, verify: FIGURES },
  lagSteps: [{ until: READ_AT - 60_000, figures: { count: 3, p50Ms: 500, p99Ms: 2_000 } }],
  audit: { at: READ_AT - 1_000, verdict: "different", difference: 2 },
} as const;
const rollUp = (types: readonly (readonly [string, typeof ROLLED_UP])[]) => ({
  asOf: READ_AT - 500,
  types: new Map(types),
});

describe("what only a roll-up knows (F56, F58)", () => {
  const seconds = { count: 4, p50: 1.5, p99: 9, max: 11.314 };
  const recount = { verdict: "different", difference: 2, at: "2026-01-02T03:04:04.678Z" };

  test("is told of a secondary with its time: the oldest that waits, how late replicas were, and for how long the rest waits", () => {
    expect(statusOf("secondary", [], { rollUp: rollUp([[coolWidget.name, ROLLED_UP]]) })).toMatchObject({
      as_of: "2026-01-02T03:04:05.178Z",
      cool_widgets_oldest_unsynced_time: 1_767_000_000,
      cool_widgets_lag: { ...seconds, parts: { notify: seconds, queue: null, copy: seconds, verify: seconds } },
      cool_widgets_lag_steps: [{ until: new Date(READ_AT - 60_000).toISOString(), count: 3, p50: 0.5, p99: 2 }],
      cool_widgets_backlog_ages: [
        { up_to_seconds: 60, count: 3 },
        { up_to_seconds: null, count: 1 },
      ],
      cool_widgets_recount: recount,
    });
  });

  test("is -1 for the oldest when nothing waits, and no lag when nothing was verified", () => {
    expect(statusOf("secondary", [], { rollUp: rollUp([]) })).toMatchObject({
      cool_widgets_oldest_unsynced_time: -1,
      cool_widgets_lag: null,
      cool_widgets_lag_steps: [],
      cool_widgets_backlog_ages: [],
      cool_widgets_recount: null,
    });
  });

  test("is null before the first", () => {
    expect(statusOf("secondary", [])).toMatchObject({
      as_of: null,
      cool_widgets_oldest_unsynced_time: null,
      cool_widgets_lag: null,
      cool_widgets_lag_steps: null,
      cool_widgets_backlog_ages: null,
      cool_widgets_recount: null,
    });
  });

  test("is at a primary no more than whether its counts are right: nothing waits to be synced there", () => {
    expect(statusOf("primary", [], { rollUp: rollUp([[coolWidget.name, ROLLED_UP]]) })).toMatchObject({
      cool_widgets_oldest_unsynced_time: null,
      cool_widgets_lag_steps: null,
      cool_widgets_backlog_ages: null,
      cool_widgets_recount: recount,
    });
  });
});

describe("a type that is not verified (F56)", () => {
  const unverified = new Set([coolWidget.name]);

  test("has nulls for every count of verifications, and its other counts", () => {
    expect(statusOf("secondary", SECONDARY_CELLS, { unverified })).toMatchObject({
      cool_widgets_synced_count: 248,
      cool_widgets_verification_total_count: null,
      cool_widgets_verified_count: null,
      cool_widgets_verification_failed_count: null,
      cool_widgets_verified_in_percentage: "0.00%",
      cool_widgets_verification_queued_count: null,
    });
  });

  test("has at a primary nulls for every count of checksums", () => {
    expect(statusOf("primary", [cell(undefined, 2, 5)], { unverified })).toMatchObject({
      cool_widgets_count: 5,
      cool_widgets_checksum_total_count: null,
      cool_widgets_checksummed_count: null,
      cool_widgets_checksum_failed_count: null,
      cool_widgets_verification_queued_count: null,
    });
  });
});

describe("a status as a whole (F58)", () => {
  test("has every field that Geo's has, null where there is nothing of the kind", () => {
    const status = statusOf("secondary", []);
    for (const field of WITHOUT_MEANING) expect(status[field]).toBeNull();
    expect(status).toMatchObject({
      replication_slots_used_in_percentage: "0.00%",
      repositories_checked_in_percentage: "0.00%",
      missing_oauth_application: false,
      revision: null,
      version: "1.2.3",
      namespaces: [],
      status_reports_failed_count: 0,
    });
  });

  const times = { lastChangeAt: READ_AT - 10_000, primaryChangeAt: READ_AT - 3_000 };

  test("tells of a secondary how far the primary is, and how far it is itself, in seconds", () => {
    expect(statusOf("secondary", [], times)).toMatchObject({
      last_event_timestamp: Math.floor(READ_AT / 1_000) - 3,
      cursor_last_event_timestamp: Math.floor(READ_AT / 1_000) - 10,
    });
  });

  test("tells of a primary how far it is", () => {
    expect(statusOf("primary", [], times)).toMatchObject({
      last_event_timestamp: Math.floor(READ_AT / 1_000) - 10,
      cursor_last_event_timestamp: null,
    });
  });

  test.each([
    ["primary", undefined, true],
    ["secondary", undefined, null],
    ["secondary", true, true],
    ["secondary", false, false],
  ] as const)("says of a %s that keeps the same as the primary (%j): %j", (role, keepsTheSame, match) => {
    expect(statusOf(role, [], { keepsTheSame })).toMatchObject({ storage_shards_match: match });
  });

  test("links to a node under the older word", () => {
    const node = `https://geo.example/api/v4/geo_nodes/${siteId("tokyo")}`;
    expect(statusOf("secondary", [], { word: "geo_nodes" })._links).toEqual({ self: `${node}/status`, node });
  });

  test("names the namespaces that a secondary is restricted to", () => {
    expect(statusOf("secondary", [], { selectiveSync: "namespaces", namespaceIds: [7, "a"] })).toMatchObject({
      selective_sync_type: "namespaces",
      namespaces: [{ id: 7 }, { id: "a" }],
    });
  });
});
