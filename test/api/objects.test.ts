import { describe, expect, test } from "vitest";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { openRemovalWindow } from "../../shared/tables/site/removal-guard-item.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { apiSite } from "./support/site.ts";

const OBJECTS = `/api/v4/geo_sites/${siteId("frankfurt")}/objects`;
const LFS = "lfs_objects/42/4c/8e/31 f2+ü";
const ACHIEVEMENT = "achievement_uploads/7/42/badge.png";

/** A time of the row, and as it is told. */
const at = (minute: number): number => Date.UTC(2026, 4, 1, 12, minute);
const told = (minute: number): string => new Date(at(minute)).toISOString();

type Api = ReturnType<typeof apiSite>;

const ask = async (api: Api, query: string, scope: "read_geo" | "admin_geo" = "admin_geo", path = OBJECTS) => {
  const response = await api.call(`${path}${query}`, { headers: { "PRIVATE-TOKEN": await api.token({ scope }) } });
  return { status: response.status, answer: (await response.json()) as Readonly<Record<string, unknown>> };
};

const look = (api: Api, key: string) => ask(api, `?key=${encodeURIComponent(key)}`);

const put = (
  api: Api,
  replicableName: string,
  key: string,
  columns: Readonly<Record<string, number | string | boolean>>,
) => api.rowTable.put({ ...rowKey({ replicableName, key }), ...columns });

describe("what a secondary knows of a key", () => {
  test("is its whole row, with whatever the row does not say as null", async () => {
    const api = apiSite();
    await put(api, "lfs_object", LFS, { state: 0 });
    const { status, answer } = await look(api, LFS);
    expect(status).toBe(200);
    expect(answer).toEqual({
      key: LFS,
      role: "secondary",
      replicable_name: "lfs_object",
      claimed_because: expect.stringContaining("of lfs_object claims it") as string,
      enabled: true,
      type: { replication: true, verification: true },
      selective_sync: { type: null, wanted: true },
      removal_guard: {
        replicable_name: "lfs_object",
        removals: 0,
        limit: null,
        window_started_at: null,
        paused_at: null,
        release: null,
      },
      record: {
        kind: "replica",
        state: "pending",
        source: { version_id: null, etag: null, size: null, last_modified: null },
        replica: { version_id: null, etag: null },
        generation: { counted: 0, claimed: 0, done: 0 },
        verification_state: "pending",
        verification_scheme: null,
        verification_checksum: null,
        primary_checksum: null,
        checksum_mismatch: false,
        verification_failure: null,
        verification_retry_count: 0,
        verification_retry_at: null,
        verification_started_at: null,
        verified_at: null,
        partly_read: false,
        retry_count: 0,
        retry_at: null,
        last_sync_failure: null,
        failure_kind: null,
        blocked_reason: null,
        missing_on_primary: false,
        resync_requested: false,
        lease: null,
        verification_lease: null,
        quarantined_until: null,
        copied_in_parts: false,
        due_at: null,
        created_at: null,
        last_synced_at: null,
        last_event_at: null,
        waiting_since: null,
      },
    });
  });

  test("tells of a copy that failed and is held by somebody, of a replica that differs, and of its quarantine", async () => {
    const api = apiSite();
    const ours = `sha256:${"a".repeat(64)}`;
    const theirs = `sha256:${"b".repeat(64)}`;
    await put(api, "lfs_object", LFS, {
      state: 3,
      src_version_id: "sv",
      src_etag: '"se"',
      src_size: 12,
      src_last_modified: at(0),
      rep_version_id: "rv",
      rep_etag: '"re"',
      gen: 5,
      claimed_gen: 4,
      done_gen: 3,
      verification_state: 3,
      verification_checksum: ours,
      verification_checksum_mismatched: theirs,
      checksum_mismatch: true,
      verification_failure: "it differs",
      verification_retry_count: 2,
      verification_retry_at: at(1),
      verification_started_at: at(2),
      verified_at: at(3),
      verification_progress: "{}",
      retry_count: 7,
      retry_at: at(4),
      last_sync_failure: "Access to the object was denied: no",
      blocked_reason: "a person",
      missing_on_primary: true,
      resync_requested: true,
      attempt_token: "attempt",
      lease_until: at(5),
      v_token: "verifier",
      v_lease: at(6),
      taint_until: at(7),
      upload_id: "upload",
      due_at: at(8),
      created_at: at(9),
      last_synced_at: at(10),
      last_event_at: at(11),
      waiting_since: at(12),
    });
    const { answer } = await look(api, LFS);
    expect(answer["record"]).toEqual({
      kind: "replica",
      state: "failed",
      source: { version_id: "sv", etag: '"se"', size: 12, last_modified: told(0) },
      replica: { version_id: "rv", etag: '"re"' },
      generation: { counted: 5, claimed: 4, done: 3 },
      verification_state: "failed",
      verification_scheme: "sha256",
      verification_checksum: ours,
      primary_checksum: theirs,
      checksum_mismatch: true,
      verification_failure: "it differs",
      verification_retry_count: 2,
      verification_retry_at: told(1),
      verification_started_at: told(2),
      verified_at: told(3),
      partly_read: true,
      retry_count: 7,
      retry_at: told(4),
      last_sync_failure: "Access to the object was denied: no",
      failure_kind: "forbidden",
      blocked_reason: "a person",
      missing_on_primary: true,
      resync_requested: true,
      lease: { holder: "attempt", until: told(5) },
      verification_lease: { holder: "verifier", until: told(6) },
      quarantined_until: told(7),
      copied_in_parts: true,
      due_at: told(8),
      created_at: told(9),
      last_synced_at: told(10),
      last_event_at: told(11),
      waiting_since: told(12),
    });
  });

  test.each([
    [`attested-crc64nvme:${"0".repeat(16)}`, "attested-crc64nvme"],
    ["size:12", "size"],
    ["of an unknown version", null],
  ])("names the scheme of %s", async (checksum, scheme) => {
    const api = apiSite();
    await put(api, "lfs_object", LFS, { state: 2, verification_checksum: checksum, src_checksum: "size:12" });
    expect((await look(api, LFS)).answer["record"]).toMatchObject({
      verification_scheme: scheme,
      primary_checksum: "size:12",
    });
  });

  test("is no record where there is none, by a few reads of single items and no listing", async () => {
    const api = apiSite();
    const reads: string[] = [];
    for (const table of [api.siteTable, api.rowTable, api.primarySiteTable]) {
      table.interference = { before: ({ kind }) => void reads.push(kind) };
    }
    const { status, answer } = await look(api, LFS);
    expect({ status, answer }).toMatchObject({ status: 200, answer: { replicable_name: "lfs_object", record: null } });
    // Some of them are about the token that the test makes, and the authorizer's.
    expect(reads).not.toContain("query");
    expect(reads.length).toBeLessThan(10);
  });

  test("names no type of a key that no pattern claims, and says so", async () => {
    expect((await look(apiSite(), "somewhere/else")).answer).toEqual({
      key: "somewhere/else",
      role: "secondary",
      replicable_name: null,
      claimed_because: "no type's pattern claims the key: it is replicated by nobody",
      enabled: true,
      type: null,
      selective_sync: null,
      removal_guard: null,
      record: null,
    });
  });

  test("goes by the type that an object is of now: all uploads as one, or the partition (F90)", async () => {
    const api = apiSite();
    await put(api, "upload", ACHIEVEMENT, { state: 2 });
    await put(api, "achievement_upload", ACHIEVEMENT, { state: 3 });
    const whole = await look(api, ACHIEVEMENT);
    expect(whole.answer).toMatchObject({ replicable_name: "upload", record: { state: "synced" } });
    expect(whole.answer["claimed_because"]).toContain("whose objects are upload's while that is replicated");
    await api.primarySiteTable.update(setFlag("geo_upload_replication", false, 0));
    await api.primarySiteTable.update(setFlag("geo_achievement_upload_replication", true, 0));
    api.clock.advance(60_000);
    expect((await look(api, ACHIEVEMENT)).answer).toMatchObject({
      replicable_name: "achievement_upload",
      type: { replication: true },
      record: { state: "failed" },
    });
  });

  test("says what keeps it from being worked on: a pause, a flag, a rule, a guard", async () => {
    const api = apiSite();
    const { siteTable } = api;
    await siteTable.update(
      changeSettings({ enabled: false, selectiveSync: { type: "namespaces", ids: ["7"] } }, api.clock.now()),
    );
    await siteTable.update(openRemovalWindow("lfs_object", undefined, api.clock.now(), 100));
    await api.primarySiteTable.update(setFlag("geo_lfs_object_replication", false, 0));
    // Its owners stand in its metadata, and only S3 knows that.
    expect((await look(api, LFS)).answer).toMatchObject({
      enabled: false,
      type: { replication: false },
      selective_sync: { type: "namespaces", wanted: null },
      removal_guard: { removals: 1, limit: 100 },
    });
    await api.primarySiteTable.update(setFlag("geo_upload_replication", false, 0));
    api.clock.advance(60_000);
    expect((await look(api, ACHIEVEMENT)).answer).toMatchObject({
      selective_sync: { type: "namespaces", wanted: true },
    });
  });
});

describe("what the primary knows of a key", () => {
  test("is its record with the checksum, and nothing that only secondaries have", async () => {
    const api = apiSite("primary");
    const checksum = `sha256:${"a".repeat(64)}`;
    await put(api, "lfs_object", LFS, {
      src_version_id: "sv",
      src_etag: '"se"',
      src_size: 12,
      verification_state: 2,
      verification_checksum: checksum,
      verification_checksum_found: "sha256:found",
      verified_at: at(3),
    });
    const { answer } = await look(api, LFS);
    expect(answer).toMatchObject({
      role: "primary",
      type: { replication: true, verification: true },
      selective_sync: null,
      removal_guard: null,
      record: {
        kind: "original",
        tombstone: false,
        source: { version_id: "sv", etag: '"se"', size: 12, last_modified: null },
        verification_state: "succeeded",
        verification_scheme: "sha256",
        verification_checksum: checksum,
        verification_checksum_found: "sha256:found",
        verified_at: told(3),
      },
    });
    expect(answer["record"]).not.toHaveProperty("generation");
    await put(api, "lfs_object", LFS, { verification_state: 0, state: 5 });
    expect((await look(api, LFS)).answer["record"]).toMatchObject({
      tombstone: true,
      verification_checksum_found: null,
    });
  });
});

describe("the call", () => {
  test.each([
    ["no key", "", "key: it is missing, expected ?key= with the S3 key"],
    ["an empty one", "?key=", "key: it is empty, expected 1 to 1,024 bytes"],
    ["one that S3 does not take", `?key=${"x".repeat(1_025)}`, "key: it is 1025 bytes long, expected at most 1024"],
  ])("refuses %s", async (_what, query, reason) => {
    const { status, answer } = await ask(apiSite(), query);
    expect({ status, answer }).toEqual({ status: 400, answer: { message: `400 Bad request - ${reason}` } });
  });

  test("is about the site that answers, and for administrators", async () => {
    const api = apiSite();
    expect((await ask(api, "?key=a", "read_geo")).status).toBe(403);
    expect((await ask(api, "?key=a", "admin_geo", "/api/v4/geo_sites/1/objects")).status).toBe(404);
    expect((await ask(api, "?key=a", "admin_geo", OBJECTS.replace("geo_sites", "geo_nodes"))).status).toBe(200);
    const response = await api.call(OBJECTS, {
      method: "DELETE",
      headers: { "PRIVATE-TOKEN": await api.token({ scope: "admin_geo" }) },
    });
    expect(response.status).toBe(405);
  });
});
