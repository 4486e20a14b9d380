import { describe, expect, test } from "vitest";
import { REPLICATION_STATE } from "../../../shared/geo/replication-state.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { gatherStatus } from "../../../shared/services/gather-status.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import { PRIMARY_NAME } from "../../api/support/site.ts";
import { setFlag } from "../../../shared/tables/site/flags-item.ts";
import { noteNewSite } from "../../../shared/tables/site/known-site.ts";
import { changeSettings } from "../../../shared/tables/site/site-record.ts";
import { screenOf } from "./at-site.ts";
import {
  type Columns,
  documentOf,
  KEY,
  ORIGINAL,
  OTHER_SHA,
  REMOVED,
  REPLICA,
  SECOND,
  SHA,
  suspectedAt,
  TOMBSTONE,
  world,
  WRITTEN,
} from "./explained-object.ts";
import { SECONDARY_NAME } from "./two-sites.ts";

describe("geo explain, of an object that is safe", () => {
  test("says so, how long it took, and tells its life in order, with exit code 0", async () => {
    const { geo } = await world(ORIGINAL, REPLICA);
    const { code, out, err } = await geo("explain", KEY);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.split("\n");
    expect(lines[0]).toBe(`${KEY} (lfs_object)`);
    const lived = lines.filter((line) => line.startsWith("2026-11-21"));
    expect(lived.map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "2026-11-21 22:10:00Z | + 0 seconds | virginia | written: 1.5 KiB, version v1",
      "2026-11-21 22:10:01Z | + 1 second | virginia | first heard of",
      "2026-11-21 22:10:02Z | + 2 seconds | virginia | checksum made (sha256)",
      "2026-11-21 22:10:03Z | + 3 seconds | frankfurt | first heard of",
      "2026-11-21 22:10:05Z | + 5 seconds | frankfurt | replica made, or found to be right, version r1",
      "2026-11-21 22:10:12Z | + 12 seconds | frankfurt | read back and compared",
    ]);
    expect(out).toContain("the checksums are the same\n");
    expect(out).toMatch(/\nSafe at frankfurt: verified 12 seconds after the write\.\n$/);
  });

  test("is told to scripts in one shape", async () => {
    const { geo } = await world(ORIGINAL, REPLICA);
    const { code, out } = await geo("explain", KEY, "--output", "json");
    expect(code).toBe(0);
    expect(documentOf(out)).toMatchObject({
      key: KEY,
      replicable_name: "lfs_object",
      safe: true,
      verdict: "Safe at frankfurt: verified 12 seconds after the write.",
      remedy: null,
      not_asked: [],
      checksums: [
        { site: "virginia", checksum: SHA },
        { site: "frankfurt", checksum: SHA },
      ],
      sites: [
        { name: "virginia", role: "primary", safe: null, reason: "original", record: { kind: "original" } },
        { name: "frankfurt", role: "secondary", safe: true, reason: "safe", record: { kind: "replica" } },
      ],
    });
    expect(documentOf(out).timeline[0]).toEqual({
      at: "2026-11-21T22:10:00.000Z",
      site: "virginia",
      event: "written: 1.5 KiB, version v1",
    });
  });

  test("fits on a narrow screen, but for what has no space in it", async () => {
    const { geo } = await world(ORIGINAL, REPLICA, screenOf(60));
    const { out } = await geo("explain", KEY);
    const wide = out.split("\n").filter((line) => line.length > 60);
    expect(wide.filter((line) => line.trim().includes(" "))).toEqual([]);
    expect(out).toContain("Safe at frankfurt");
  });

  test("still is where its site is paused, and says what that means", async () => {
    const { geo, secondary } = await world(ORIGINAL, REPLICA);
    await secondary.siteTable.update(changeSettings({ enabled: false }, 0));
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(0);
    expect(out).toMatch(/the site is paused, and hears of\s+nothing newer/);
  });

  test("still is while an old write may land, if it was read since: says until when it is watched", async () => {
    // Read back five seconds after the row was taken from somebody who may still be writing.
    const { geo } = await world(ORIGINAL, { ...REPLICA, ...suspectedAt(WRITTEN + 7 * SECOND) });
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(0);
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "Safe at frankfurt: verified 12 seconds after the write; watched until 2026-11-21 23:40:07Z, since a write whose end nobody saw may land until then: it would be noticed and put right.",
    );
    const { sites } = documentOf((await geo("explain", KEY, "-o", "json")).out);
    expect(sites).toMatchObject([{}, { safe: true, reason: "safe_under_watch" }]);
  });

  test.each([
    [
      "size:1536",
      "compared by size alone, without reading a byte, 12 seconds after the write",
      "the sizes are the same",
    ],
    [
      `attested-${SHA}`,
      "compared by what S3 says of it, without reading a byte, 12 seconds after the write",
      "S3 says the same of all of them, and no byte was read",
    ],
  ])("says so where nothing was read: %s", async (checksum, how, told) => {
    const { geo } = await world(
      { ...ORIGINAL, verification_checksum: checksum },
      { ...REPLICA, verification_checksum: checksum },
    );
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(0);
    const text = out.replaceAll(/\s+/g, " ");
    expect(text).toContain(`Safe at frankfurt: ${how}.`);
    expect(text).toContain(told);
    expect(text).not.toContain("read back");
    expect(text).not.toContain("checksum made");
  });

  test("does not compare checksums of different kinds, as after a change of what its type declares", async () => {
    const { geo } = await world({ ...ORIGINAL, verification_checksum: `crc64nvme:${"a".repeat(16)}` }, REPLICA);
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(0);
    expect(out).toContain("the checksums are of different kinds, and can not be compared\n");
    expect(out).not.toContain("differ\n");
  });

  test("and of one that was removed everywhere says that it is gone", async () => {
    const tombstone = { ...ORIGINAL, state: REPLICATION_STATE.absent, due_at: WRITTEN + 5_400 * SECOND };
    const { geo } = await world(tombstone, { ...REPLICA, state: REPLICATION_STATE.absent });
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(0);
    expect(out).toMatch(/\nGone: removed at frankfurt\.\n$/);
    expect(out).toContain("in 89 minutes");
  });
});

const DUE = { due_at: WRITTEN + 300 * SECOND } as const;

describe("geo explain, of an object that is not safe, says why and what to do, with exit code 3", () => {
  test.each<readonly [string, Columns | undefined, Columns | undefined, string, RegExp, RegExp]>([
    [
      "it was never heard of there",
      ORIGINAL,
      undefined,
      "unheard",
      /^Not safe: frankfurt has not heard of it yet/,
      /geo resync --site frankfurt --type lfs_object --key lfs_objects\/42\/4c\/8e31f2$/,
    ],
    [
      "nobody has heard of it",
      undefined,
      undefined,
      "unheard",
      /has never heard of it; is the key right/,
      /geo resync/,
    ],
    [
      "it waits to be copied",
      ORIGINAL,
      { ...REPLICA, ...DUE, state: REPLICATION_STATE.pending, verification_state: VERIFICATION_STATE.pending },
      "waiting",
      /frankfurt waits to copy it since 2026-11-21 22:10:03Z; looked at next at 2026-11-21 22:15:00Z/,
      /geo resync/,
    ],
    [
      "it is being copied",
      ORIGINAL,
      { ...REPLICA, state: REPLICATION_STATE.started, attempt_token: "worker", lease_until: WRITTEN + 90 * SECOND },
      "under_way",
      /frankfurt is working on it now, until 2026-11-21 22:11:30Z at most/,
      /^wait; should the worker have died/,
    ],
    [
      "access was denied",
      ORIGINAL,
      {
        ...REPLICA,
        state: REPLICATION_STATE.failed,
        retry_count: 2,
        retry_at: WRITTEN + 600 * SECOND,
        last_sync_failure: "Access to the object was denied: AccessDenied. Allow it in the bucket's policy.",
        blocked_reason: "forbidden",
      },
      "failed",
      /waits: try 3 is due at 2026-11-21 22:20:00Z, because: Access to the object was denied: AccessDenied/,
      /^mend the cause, then try it now: geo redrive --site frankfurt --type lfs_object --key/,
    ],
    [
      "S3 asked to slow down",
      ORIGINAL,
      {
        ...REPLICA,
        state: REPLICATION_STATE.failed,
        retry_at: WRITTEN + 60 * SECOND,
        last_sync_failure: "S3 asked to slow down",
      },
      "failed",
      /S3 asked to slow down/,
      /^nothing, it is tried again by itself; to try it now: geo redrive/,
    ],
    [
      "the guard holds its removal back",
      { ...ORIGINAL, state: REPLICATION_STATE.absent },
      {
        ...REPLICA,
        state: REPLICATION_STATE.failed,
        blocked_reason: "removal_guard",
        last_sync_failure: "Removal held back by the guard: more than 100",
      },
      "held_back",
      /holds its removal back: more than 100/,
      /geo removals release lfs_object --site frankfurt --removals/,
    ],
    [
      "it is gone from the primary, and still shown",
      { ...ORIGINAL, state: REPLICATION_STATE.absent },
      REPLICA,
      "not_removed",
      /still shows it, though it is gone from the primary/,
      /geo resync/,
    ],
    [
      "a newer version was heard of",
      ORIGINAL,
      { ...REPLICA, gen: 2 },
      "outdated",
      /has an older version; a change of it is on the way/,
      /geo resync/,
    ],
    [
      "the primary has a newer version",
      { ...ORIGINAL, src_version_id: "v2" },
      REPLICA,
      "outdated",
      /has an older version/,
      /geo resync/,
    ],
    [
      "the primary has another object of the same version id, as where versions are suspended",
      { ...ORIGINAL, src_etag: '"other"' },
      REPLICA,
      "outdated",
      /has an older version/,
      /geo resync/,
    ],
    [
      "it was removed there, and put again at the primary since",
      ORIGINAL,
      { ...REMOVED, ...suspectedAt(WRITTEN) },
      "outdated",
      /^Not safe: frankfurt has removed it, and the primary has it; its event may be on the way/,
      /geo resync/,
    ],
    [
      "it was removed there, and touched since",
      TOMBSTONE,
      { ...REMOVED, gen: 4, done_gen: 3, ...suspectedAt(WRITTEN) },
      "outdated",
      /^Not safe: frankfurt has removed it, and a change of it is on the way/,
      /geo resync/,
    ],
    [
      "the checksums of the very same version differ",
      { ...ORIGINAL, verification_checksum: OTHER_SHA },
      REPLICA,
      "checksums_differ",
      /has a replica whose checksum is not the one that the primary has of the same version/,
      /^have it compared again: geo reverify --site frankfurt/,
    ],
    [
      "it waits to be verified",
      ORIGINAL,
      { ...REPLICA, ...DUE, verification_state: VERIFICATION_STATE.pending },
      "not_verified",
      /has copied it, and verifies it next: at 2026-11-21 22:15:00Z/,
      /geo reverify --site frankfurt/,
    ],
    [
      "it is being verified",
      ORIGINAL,
      { ...REPLICA, verification_state: VERIFICATION_STATE.started },
      "not_verified",
      /has copied it, and verifies it now/,
      /geo reverify --site frankfurt/,
    ],
    [
      "its replica was found wrong",
      ORIGINAL,
      {
        ...REPLICA,
        verification_state: VERIFICATION_STATE.failed,
        verification_checksum: OTHER_SHA,
        checksum_mismatch: true,
        verification_failure: "Checksum does not match",
        verification_retry_at: WRITTEN + 900 * SECOND,
      },
      "verification_failed",
      /found wrong, because: Checksum does not match; next look at 2026-11-21 22:25:00Z/,
      /geo resync --site frankfurt/,
    ],
    [
      "the primary has no checksum",
      { ...ORIGINAL, verification_state: VERIFICATION_STATE.pending },
      { ...REPLICA, verification_state: VERIFICATION_STATE.disabled },
      "not_verified",
      /can not verify it before the primary has a checksum/,
      /geo reverify --site virginia --type lfs_object/,
    ],
    [
      "the primary's own bytes can not be read",
      {
        ...ORIGINAL,
        verification_state: VERIFICATION_STATE.failed,
        verification_failure: "the bytes differ from what was recorded",
      },
      REPLICA,
      "original_damaged",
      /^Not safe: virginia could not make its checksum, because: the bytes differ from what was recorded/,
      /geo reverify --site virginia/,
    ],
  ])("%s", async (_why, original, replica, reason, verdict, remedy) => {
    const { geo } = await world(original, replica);
    const { code, out, err } = await geo("explain", KEY, "-o", "json");
    expect({ code, err }).toEqual({ code: 3, err: "geo: it is not known to be safe everywhere\n" });
    const told = documentOf(out);
    expect(told.safe).toBe(false);
    expect(told.sites.find(({ safe }) => safe === false)?.reason).toBe(reason);
    expect(told.verdict).toMatch(verdict);
    expect(told.remedy).toMatch(remedy);
    const text = (await geo("explain", KEY)).out;
    expect(text.replaceAll(/\s+/g, " ")).toContain(told.verdict);
    expect(text).toContain("\nWhat to do: ");
  });

  test("its site is paused", async () => {
    const { geo, secondary } = await world(ORIGINAL, undefined);
    await secondary.siteTable.update(changeSettings({ enabled: false }, 0));
    expect((await geo("explain", KEY)).out).toMatch(
      /Not safe: frankfurt is paused, and follows nothing until it is resumed\.\nWhat to do: geo site resume frankfurt\n$/,
    );
  });

  test.each([undefined, REPLICA])("its type is switched off", async (replica) => {
    const { geo, primary } = await world(ORIGINAL, replica);
    await primary.siteTable.update(setFlag("geo_lfs_object_replication", false, 0));
    expect((await geo("explain", KEY)).out).toMatch(
      /since replication of lfs_object is switched\s+off\.\nWhat to do: geo flag set geo_lfs_object_replication on\n$/,
    );
  });

  test("its site is restricted to something else", async () => {
    const { geo, secondary } = await world(ORIGINAL, undefined);
    const selectiveSync = { type: "namespaces", ids: ["7"] } as const;
    await secondary.siteTable.update(changeSettings({ selectiveSync }, 0));
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(3);
    expect(out).toMatch(/it is restricted by namespaces[\s\S]*What to do: geo selective-sync show --site frankfurt\n$/);
  });

  test("no type's pattern claims its key", async () => {
    const { geo } = await world(undefined, undefined);
    const { code, out } = await geo("explain", "some/where else");
    expect(code).toBe(3);
    expect(out).toMatch(/\nNot replicated: no type's pattern claims the key/);
    expect(out).toContain("geo replicable new");
  });

  test("a key that a shell would take apart is quoted in what to do", async () => {
    const { geo, primary } = await world(undefined, undefined);
    const key = "lfs_objects/42/4c/it's $HOME";
    await primary.rowTable.put({ ...rowKey({ replicableName: "lfs_object", key }), ...ORIGINAL });
    expect((await geo("explain", key)).out).toContain(`--key 'lfs_objects/42/4c/it'\\''s $HOME'`);
  });
});

describe("geo explain names a site that can not be asked", () => {
  test("and does not call safe what is safe at the others", async () => {
    const { geo, primary, clock } = await world(ORIGINAL, REPLICA);
    // A third site has told the primary of itself, and no file of sites names it.
    await gatherStatus(
      {
        site: { name: "tokyo", role: "secondary", region: "ap-northeast-1" },
        apiUrl: "https://tokyo.example.com/geo",
        replicables,
        siteTable: new MemoryTable({ name: "tokyo" }),
        switches: new CachedSwitches(primary.siteTable, replicables, clock),
        primary: { name: PRIMARY_NAME, siteTable: primary.siteTable },
        syncObjectStorage: true,
        syncTimeoutSeconds: 28_800,
        clock,
        telemetry: primary.telemetry,
      },
      Infinity,
    );
    const { code, out } = await geo("explain", KEY, "-o", "json");
    expect(code).toBe(3);
    expect(documentOf(out)).toMatchObject({
      verdict: "Safe at frankfurt, and not known of tokyo, which could not be asked.",
      not_asked: [{ name: "tokyo", problem: expect.stringContaining("file of sites") as string }],
    });
    expect((await geo("explain", KEY)).out).toMatch(/tokyo {6}could not be asked/);
  });

  test("also one that is noted at the primary and has never told of itself", async () => {
    const { geo, primary } = await world(ORIGINAL, REPLICA);
    await primary.siteTable.update(noteNewSite("tokyo", { url: undefined, internalUrl: undefined, enabled: true }));
    const { code, out } = await geo("explain", KEY, "-o", "json");
    expect(code).toBe(3);
    expect(documentOf(out)).toMatchObject({
      verdict: "Safe at frankfurt, and not known of tokyo, which could not be asked.",
      not_asked: [{ name: "tokyo" }],
    });
  });

  test("when the secondary does not answer", async () => {
    const { geo, down } = await world(ORIGINAL, REPLICA);
    down.add("secondary");
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(3);
    expect(out).toMatch(/frankfurt {2}could not be asked: .*can\s+not be reached/);
    expect(out).toContain("Not known: no secondary could be asked.");
  });

  test("when the primary does not answer", async () => {
    const { geo, down } = await world(ORIGINAL, REPLICA);
    down.add("primary");
    const { code, out } = await geo("explain", KEY, "-o", "json");
    expect(code).toBe(3);
    expect(documentOf(out)).toMatchObject({
      verdict: "Safe at frankfurt, and not known of virginia, which could not be asked.",
      not_asked: [{ name: "virginia" }],
    });
  });

  test("and says that the newest version is not known when one site alone is asked", async () => {
    const { geo } = await world(ORIGINAL, REPLICA);
    const { code, out } = await geo("explain", KEY, "--site", SECONDARY_NAME);
    expect(code).toBe(3);
    expect(out).toMatch(/whether that is the newest\s+version only the primary knows/);
  });

  test("with exit code 1 when none answers, and 4 when the token may not", async () => {
    const { geo, down, sitesFile, primary, secondary } = await world(ORIGINAL, REPLICA);
    await sitesFile({ primary: await primary.token(), secondary: await secondary.token() });
    expect((await geo("explain", KEY)).code).toBe(4);
    down.add("primary").add("secondary");
    const { code, out, err } = await geo("explain", KEY);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("can not be reached");
  });
});

test.each([
  ["", /<key>: it is empty, expected 1 to 1,024 bytes/],
  ["a".repeat(1_025), /<key>: it is 1025 bytes long, expected at most 1024/],
])("what is no key is refused with exit code 2", async (key, problem) => {
  const { geo } = await world(undefined, undefined);
  const { code, out, err } = await geo("explain", key);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(problem);
});
