import { describe, expect, test } from "vitest";
import type { AskedSite } from "../../../cli/explain/asked-site.ts";
import { explain } from "../../../cli/explain/explanation.ts";
import { ObjectContract } from "../../../shared/client/object-contract.ts";
import { type ObjectAnswer, originalRecord, registryRecord } from "../../../shared/geo/object-answer.ts";
import { parseRegistryRow, parseVerificationStateRow, rowKey } from "../../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import { changeSettings } from "../../../shared/tables/site/site-record.ts";
import {
  type Columns,
  documentOf,
  KEY,
  ORIGINAL,
  REMOVED,
  REPLICA,
  SECOND,
  suspectedAt,
  TOMBSTONE,
  world,
  WRITTEN,
} from "./explained-object.ts";
import { SECONDARY_NAME } from "./two-sites.ts";

describe("geo explain, of an object of which it is not known whether it is safe, does not say that it is", () => {
  test.each<readonly [string, Columns | undefined, Columns | undefined, string, RegExp, RegExp]>([
    [
      "the primary has no record of it",
      undefined,
      REPLICA,
      "newest_not_known",
      /^Not known: frankfurt has a replica that was verified 12 seconds after the write; whether that is the newest version is not known, since the primary has no record of it/,
      /^wait until virginia has recorded it: geo status --site virginia; .*geo resync --site frankfurt/,
    ],
    [
      "the primary has not seen which version it has",
      { verification_state: VERIFICATION_STATE.pending },
      REPLICA,
      "newest_not_known",
      /since the primary has not told which it has/,
      /geo status --site virginia/,
    ],
    [
      "an old write may land, and it was not read since",
      ORIGINAL,
      { ...REPLICA, ...suspectedAt(WRITTEN + 13 * SECOND) },
      "quarantined",
      /^Not known: frankfurt was verified 12 seconds after the write, which is before a write whose end nobody saw; that may land until 2026-11-21 23:40:13Z/,
      /^have it read now: geo reverify --site frankfurt/,
    ],
    [
      "it was removed, and an old write may land",
      TOMBSTONE,
      { ...REMOVED, ...suspectedAt(WRITTEN) },
      "quarantined",
      /^Not known: frankfurt has removed it, as the primary has, and a write whose end nobody saw may land until 2026-11-21 23:40:00Z/,
      /^wait until then/,
    ],
    [
      "it was removed there, and the primary knows nothing of it",
      undefined,
      REMOVED,
      "newest_not_known",
      /^Not known: frankfurt has removed it, and the primary has no record of it/,
      /geo status --site virginia/,
    ],
  ])("%s", async (_why, original, replica, reason, verdict, remedy) => {
    const { geo } = await world(original, replica);
    const { code, out } = await geo("explain", KEY, "-o", "json");
    expect(code).toBe(3);
    const told = documentOf(out);
    expect(told.sites.find(({ name }) => name === SECONDARY_NAME)).toMatchObject({ safe: null, reason });
    expect(told).toMatchObject({ safe: false });
    expect(told.verdict).toMatch(verdict);
    expect(told.remedy).toMatch(remedy);
  });

  test("it was removed there, and the primary was not asked", async () => {
    const { geo } = await world(TOMBSTONE, REMOVED);
    const { code, out } = await geo("explain", KEY, "--site", SECONDARY_NAME);
    expect(code).toBe(3);
    expect(out).toMatch(/Not known: frankfurt has removed it; whether the primary has it again[\s\S]*ask all sites/);
  });

  test("the site is restricted, has removed it, and the primary has it", async () => {
    const { geo, secondary } = await world(ORIGINAL, REMOVED);
    await secondary.siteTable.update(changeSettings({ selectiveSync: { type: "namespaces", ids: ["7"] } }, 0));
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(3);
    expect(out).toMatch(/Not known: frankfurt has no replica: it is restricted by namespaces/);
  });

  test.each([
    ["has none", undefined],
    ["has removed it", REMOVED],
    ["has one", REPLICA],
  ])("the site keeps no replicas, and %s", async (_what, replica) => {
    const { geo, secondary } = await world(replica === REPLICA ? ORIGINAL : TOMBSTONE, replica);
    await secondary.siteTable.update(changeSettings({ syncObjectStorage: false }, 0));
    const { code, out } = await geo("explain", KEY);
    expect(code).toBe(3);
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "Not known: frankfurt keeps no replicas, and leaves alone what is in its bucket.",
    );
  });
});

const ROW = rowKey({ replicableName: "lfs_object", key: KEY });

/** A site that was asked, of which nothing is special. */
const asked = (name: string, around: Partial<ObjectAnswer>): AskedSite => ({
  name,
  queues: undefined,
  keepsObjects: true,
  object: ObjectContract.parse({
    key: KEY,
    role: "secondary",
    replicable_name: "lfs_object",
    claimed_because: "its pattern claims it",
    enabled: true,
    type: { replication: true, verification: true },
    selective_sync: { type: null, wanted: true },
    removal_guard: null,
    record: null,
    ...around,
  }),
});

const PRIMARY = asked("virginia", {
  role: "primary",
  selective_sync: null,
  record: originalRecord(parseVerificationStateRow({ ...ROW, ...ORIGINAL })),
});
const SAFE = asked("frankfurt", { record: registryRecord(parseRegistryRow({ ...ROW, ...REPLICA })) });

describe("geo explain, where another site has it for certain", () => {
  test("does not call safe what a restricted site may have to keep and has not", () => {
    const restricted = asked("tokyo", { selective_sync: { type: "namespaces", wanted: null } });
    const told = explain([PRIMARY, SAFE, restricted], []);
    expect(told).toMatchObject({
      safe: false,
      verdict:
        "Safe at frankfurt, and not known of tokyo, which has no replica: it is restricted by namespaces, and this object is not, or not yet, among what it keeps.",
      remedy: "geo selective-sync show --site tokyo",
    });
    expect(told.standings.map(({ reason }) => reason)).toEqual(["original", "safe", "scope_not_known"]);
  });

  test("names a site in doubt and one that was not asked beside each other", () => {
    const restricted = asked("tokyo", { selective_sync: { type: "shards", wanted: null } });
    const { verdict } = explain([PRIMARY, SAFE, restricted], [{ name: "ireland", problem: "no answer" }]);
    expect(verdict).toMatch(
      /not known of tokyo, which has no replica: .*, nor of ireland, which could not be asked\.$/,
    );
  });

  test("does not mind a site that is certainly not to keep it", () => {
    const leftOut = asked("tokyo", { selective_sync: { type: "shards", wanted: false } });
    expect(explain([PRIMARY, SAFE, leftOut], [])).toMatchObject({ safe: true });
    expect(explain([PRIMARY, leftOut], [])).toMatchObject({
      safe: false,
      verdict: expect.stringMatching(
        /^Not safe: tokyo has no replica: .* this object is not among what it keeps\.$/,
      ) as string,
    });
  });
});
