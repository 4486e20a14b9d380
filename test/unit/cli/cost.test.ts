import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOfSite, costReport, forecast } from "../../../cli/cost/cost.ts";
import { dollarText } from "../../../cli/cost/cost-text.ts";
import type { SiteUsage } from "../../../shared/client/usage-contract.ts";
import { DAY_MS, USAGE_KEPT_DAYS } from "../../../shared/geo/daily-usage.ts";
import { chargesOf, dollars } from "../../../shared/geo/prices.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { UsageLedger } from "../../../shared/services/daily-usage.ts";
import { screenOf } from "./at-site.ts";
import { twoSites } from "./two-sites.ts";

const count = fc.nat(100_000);
const typeUsage = fc.record({
  replicable_name: fc.constantFrom("lfs_object", "upload", "ci_secure_file"),
  synced_count: count,
  failed_count: count,
  verified_count: count,
  verification_failed_count: count,
  removed_count: count,
  changes_count: count,
  objects_count: count,
  bytes: count,
});

const usageOf = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.tuple(
        fc.uniqueArray(typeUsage, { selector: (type) => type.replicable_name }),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
      ),
      { maxLength: 20 },
    ),
  )
  .map(([primary, days]): SiteUsage => ({
    name: "frankfurt",
    primary,
    as_of: "2026-11-21T12:00:00.000Z",
    days: days.map(([types, complete, daysCount], day) => ({
      date: new Date(Date.UTC(2026, 0, 1) + day * DAY_MS).toISOString().slice(0, 10),
      from: new Date(Date.UTC(2026, 0, 1) + day * DAY_MS).toISOString(),
      until: new Date(Date.UTC(2026, 0, 2) + day * DAY_MS).toISOString(),
      days_count: daysCount,
      complete,
      types,
    })),
  }));

/** How far apart two sums are, in parts of the larger; rounding is all that there may be. */
const apart = (left: number, right: number): number => Math.abs(left - right) / Math.max(1, Math.abs(left));
const ROUNDING = 1e-9;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

describe("what usage costs", () => {
  test("is the same by day, by type and in all, and what pricing all of it at once gives", () => {
    fc.assert(
      fc.property(usageOf, (usage) => {
        const site = costOfSite(usage);
        expect(apart(sum(site.days.map((day) => day.dollars)), site.dollars)).toBeLessThan(ROUNDING);
        expect(apart(sum(site.types.map((type) => type.dollars)), site.dollars)).toBeLessThan(ROUNDING);
        const each = site.days.flatMap((day) => day.types.map((type) => type.dollars));
        expect(apart(sum(each), site.dollars)).toBeLessThan(ROUNDING);
        const all = usage.days.flatMap(({ types }) => types);
        const atOnce = chargesOf(usage.primary ? "primary" : "secondary", {
          synced: sum(all.map((type) => type.synced_count)),
          failed: sum(all.map((type) => type.failed_count)),
          verified: sum(all.map((type) => type.verified_count)),
          verification_failed: sum(all.map((type) => type.verification_failed_count)),
          removed: sum(all.map((type) => type.removed_count)),
          changes: sum(all.map((type) => type.changes_count)),
        });
        expect(apart(dollars(atOnce), site.dollars)).toBeLessThan(ROUNDING);
      }),
    );
  });

  test("of several sites is the sum of theirs", () => {
    fc.assert(
      fc.property(fc.array(usageOf, { maxLength: 4 }), (usages) => {
        const report = costReport(usages, USAGE_KEPT_DAYS, Date.UTC(2026, 10, 21));
        expect(apart(report.dollars, sum(usages.map((usage) => costOfSite(usage).dollars)))).toBeLessThan(ROUNDING);
      }),
    );
  });
});

/** A site that spent so many dollars on each of some whole days, and on one that is not over. */
const spending = (each: readonly number[], today = 0) => ({
  name: "frankfurt",
  primary: false,
  as_of: "2026-11-21T12:00:00.000Z",
  dollars: sum(each) + today,
  types: [],
  objects_count: 0,
  bytes: 0,
  days: [
    ...each.map((amount) => ({ date: "2026-11-01", days_count: 1, complete: true, dollars: amount, types: [] })),
    { date: "2026-11-21", days_count: 1, complete: false, dollars: today, types: [] },
  ],
});

const NOVEMBER = Date.UTC(2026, 10, 21);
const FEBRUARY = Date.UTC(2028, 1, 3);

describe("the forecast of a month", () => {
  test("is the mean of the last seven whole days, for the days that the month has", () => {
    const site = spending([1_000, 1, 2, 3, 4, 5, 6, 7], 500);
    expect(forecast([site], NOVEMBER)).toEqual({
      state: "mean",
      days_known: 7,
      dollars_per_day: 4,
      days_in_month: 30,
      dollars_per_month: 120,
    });
    expect(forecast([site], FEBRUARY)).toMatchObject({ days_in_month: 29, dollars_per_month: 116 });
  });

  test("adds sites up", () => {
    const sites = [spending([1, 1, 1, 1, 1, 1, 1]), spending([2, 2, 2, 2, 2, 2, 2])];
    expect(forecast(sites, NOVEMBER)).toMatchObject({ dollars_per_day: 3, dollars_per_month: 90 });
  });

  test("is estimating with fewer whole days at any site, and with none", () => {
    const few = { state: "estimating", days_known: 6, days_needed: 7 };
    expect(forecast([spending([1, 1, 1, 1, 1, 1]), spending([2, 2, 2, 2, 2, 2, 2])], NOVEMBER)).toEqual(few);
    expect(forecast([], NOVEMBER)).toEqual({ ...few, days_known: 0 });
  });
});

test.each([
  [0, "$0"],
  [0.000_012_345, "$0.0000123"],
  [0.5, "$0.500"],
  [12.345, "$12.35"],
])("%d dollars are shown as %s", (amount, text) => {
  expect(dollarText(amount)).toBe(text);
});

/** Two sites, of which each copied or recorded so many objects on each of some days. */
const after = async (days: number, each: number, around: Parameters<typeof twoSites>[0] = {}) => {
  const sites = await twoSites(around);
  const { clock } = sites;
  clock.advance(Date.UTC(2026, 10, 1) - clock.now());
  await sites.sitesFile({
    primary: await sites.primary.token({ days: 100 }),
    secondary: await sites.secondary.token({ days: 100 }),
  });
  for (let day = 0; day < days; day += 1) {
    for (const role of ["primary", "secondary"] as const) {
      const { site, siteTable, rows } = sites[role];
      await new UsageLedger({ site, replicables, siteTable, clock, telemetry: sites[role].telemetry }).note();
      const verified = {
        pk: "lfs_object#000",
        sk: "lfs_objects/a",
        verification_state: 2,
        verified_at: 1,
        src_size: 10,
      };
      const row = role === "primary" ? verified : { ...verified, state: 2, rep_version_id: "v" };
      await rows(Array.from({ length: each }, () => row));
    }
    clock.advance(DAY_MS);
  }
  return sites;
};

interface Told {
  readonly dollars: number;
  readonly sites: readonly { readonly name: string; readonly days: readonly { readonly dollars: number }[] }[];
  readonly forecast: Readonly<Record<string, unknown>>;
  readonly not_asked: readonly unknown[];
  readonly not_counted: readonly string[];
}

describe("geo cost", () => {
  test("tells of each site what was done, by type and day, and what it comes to", async () => {
    const { geo } = await after(9, 1_000, screenOf(120));
    const { code, out, err } = await geo("cost");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^virginia \(primary\): \$/m);
    expect(out).toMatch(/^lfs_object +9,000 +0 +9,000 +0 +0 +\$/m);
    expect(out).toMatch(/^2026-11-08 +\$/m);
    expect(out).toMatch(/^2026-11-09 \(not a whole day\) +\$/m);
    expect(out).toMatch(/^Forecast: \$0\.\d+ for a month of 30 days, .* the mean of the last 7 whole days\.$/m);
    expect(out).toContain("Not counted:\n  - transfer between regions");
  });

  test("answers in JSON of one shape, whose sums are right", async () => {
    const { geo } = await after(9, 1_000);
    const told = JSON.parse((await geo("cost", "-o", "json")).out) as Told;
    const days = told.sites.flatMap((site) => site.days.map((day) => day.dollars));
    expect(apart(told.dollars, sum(days))).toBeLessThan(ROUNDING);
    expect(told).toMatchObject({
      days: 30,
      sites: [
        { name: "virginia", primary: true, types: [{ replicable_name: "lfs_object", verified_count: 9_000 }] },
        {
          name: "frankfurt",
          primary: false,
          objects_count: 9_000,
          bytes: 90_000,
          types: [{ synced_count: 9_000, requests: { s3_write_request: 9_000 } }],
        },
      ],
      forecast: { state: "mean", days_in_month: 30 },
      prices: { s3_write_request: 5e-6 },
      not_asked: [],
    });
    expect(told.not_counted.length).toBeGreaterThan(0);
    expect((JSON.parse((await geo("cost", "--days", "2", "-o", "json")).out) as Told).sites[0]?.days).toHaveLength(1);
  });

  test.each([1, 7, 8])("foretells a month from the last seven whole days, and tells of %d days", async (days) => {
    const { geo, clock } = await after(9, 1_000);
    clock.advance(-60_000); // in the ninth day
    const whole = JSON.parse((await geo("cost", "-o", "json")).out) as Told;
    const told = JSON.parse((await geo("cost", "--days", String(days), "-o", "json")).out) as Told;
    expect(told.forecast).toEqual(whole.forecast);
    expect(told.forecast).toMatchObject({ state: "mean", days_known: 7 });
    expect(told.sites.map((site) => site.days.length)).toEqual([days, days]);
    expect(apart(told.dollars, sum(told.sites.flatMap((site) => site.days.map((day) => day.dollars))))).toBeLessThan(
      ROUNDING,
    );
  });

  test("says that its copies are an upper bound, since what was found right and not copied counts as one", async () => {
    const { geo } = await after(1, 10, screenOf(400));
    expect((await geo("cost", "--help")).out.replaceAll(/\s+/g, " ")).toContain(
      "priced as copies: that part is an upper bound",
    );
    expect((await geo("cost")).out).toMatch(/^ {2}- that some replicas were found right and not copied/m);
    const { not_counted: notCounted } = JSON.parse((await geo("cost", "-o", "json")).out) as Told;
    expect(notCounted).toContainEqual(expect.stringContaining("copies are the most that there were"));
  });

  test("says that it is estimating while there are few days, and that there is none yet", async () => {
    expect((await (await after(3, 10)).geo("cost")).out).toContain(
      "Forecast: estimating (2 of 7 whole days are known).",
    );
    expect((await (await after(0, 0)).geo("cost")).out).toContain("no day has been noted yet");
  });

  test("fits on a narrow screen", async () => {
    const { geo } = await after(9, 1_000, screenOf(60));
    const wide = (await geo("cost")).out.split("\n").filter((line) => line.length > 60);
    expect(wide).toEqual([]);
  });

  test("names a site that does not answer, and sums up the others; with none, exit code 1", async () => {
    const { geo, down } = await after(2, 10);
    down.add("primary");
    const { code, out, err } = await geo("cost", "-o", "json");
    expect(code).toBe(0);
    expect(err).toMatch(/^virginia could not be asked, and is not in the sum: .*ECONNREFUSED/);
    expect((JSON.parse(out) as Told).not_asked).toHaveLength(1);
    down.add("secondary");
    expect(await geo("cost")).toMatchObject({ code: 1, out: "" });
  });

  test.each(["0", "401", "many", "1.5"])("refuses --days %s, with what was expected", async (days) => {
    const { geo } = await after(0, 0);
    const { code, out, err } = await geo("cost", "--days", days);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("--days: expected a whole number from 1 to 400");
  });
});
