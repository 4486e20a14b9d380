import { RegionInfo } from "aws-cdk-lib/region-info";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AWS_REGIONS, partitionOf } from "../../../shared/config/aws-regions.ts";
import { defineGeoConfig, GeoConfigError, type GeoConfigInput } from "../../../shared/config/geo-config.ts";
import { bucketName, functionName } from "../../../shared/geo/physical-names.ts";
import { replicables } from "../../../shared/replicables/index.ts";

/** The names of all declared types, as a message lists them. */
const KNOWN = replicables.map(({ name }) => name).join(", ");

const VIRGINIA = { name: "virginia", role: "primary", region: "us-east-1" } as const;
const IRELAND = { name: "ireland", role: "secondary", region: "eu-west-1" } as const;
const TOKYO = { name: "tokyo", role: "secondary", region: "ap-northeast-1" } as const;

const GOOD: GeoConfigInput = { account: "111122223333", sites: [VIRGINIA, IRELAND] };

/** The problems of a configuration that differs from a good one; typed loosely, since plain JavaScript may hold anything. */
const problemsOf = (change: Readonly<Record<string, unknown>>): readonly string[] => {
  try {
    defineGeoConfig({ ...GOOD, ...change });
    return [];
  } catch (error) {
    if (error instanceof GeoConfigError) return error.problems;
    throw error;
  }
};

describe("a good configuration", () => {
  it("tells primary from secondaries and fills in what was left out", () => {
    const config = defineGeoConfig({ ...GOOD, sites: [TOKYO, VIRGINIA, IRELAND] });
    const standard = { replicaDrift: true, syncTimeoutSeconds: 28_800, syncObjectStorage: true };
    expect(config.primary).toEqual({ ...VIRGINIA, ...standard });
    expect(config.secondaries).toEqual([
      { ...TOKYO, ...standard },
      { ...IRELAND, ...standard },
    ]);
    expect(config).toMatchObject({
      name: "s3-geo",
      selection: { names: "all", keyPatterns: {} },
      apiThrottle: { ratePerSecond: 20, burst: 40 },
      scheduleSweepMinutes: 1,
      driftDelaySeconds: 60,
      removalGuard: { floor: 100, percent: 5, most: 10_000 },
      largeObjects: { singleCopyBytes: 5_000_000_000, partBytes: 67_108_864, workflowBytes: 100_000_000_000 },
      noncurrentVersionDays: 30,
      tracing: false,
    });
  });

  it("may say of large objects as much as it wants to", () => {
    expect(defineGeoConfig({ ...GOOD, largeObjects: { singleCopyBytes: 104_857_600 } }).largeObjects).toEqual({
      singleCopyBytes: 104_857_600,
      partBytes: 67_108_864,
      workflowBytes: 100_000_000_000,
    });
  });

  it("may say of the removal guard as much as it wants to", () => {
    expect(defineGeoConfig({ ...GOOD, removalGuard: { percent: 0.125 } }).removalGuard).toEqual({
      floor: 100,
      percent: 0.125,
      most: 10_000,
    });
    expect(defineGeoConfig({ ...GOOD, removalGuard: { floor: 7, most: 7 } }).removalGuard).toEqual({
      floor: 7,
      percent: 5,
      most: 7,
    });
  });

  it("may replicate from and into existing buckets, some of the types, at places of its own", () => {
    const existingBucket = {
      name: "uploads.example",
      versioned: true,
      kmsKeyArn: "arn:aws:kms:us-east-1:111122223333:key/1234",
    } as const;
    const config = defineGeoConfig({
      ...GOOD,
      sites: [{ ...VIRGINIA, existingBucket }, IRELAND],
      replicables: ["cool_widget"],
      keyPatterns: { cool_widget: "widgets/{id}/{filename+}" },
    });
    expect(config.primary.existingBucket).toEqual(existingBucket);
    expect(config.selection).toEqual({
      names: ["cool_widget"],
      keyPatterns: { cool_widget: "widgets/{id}/{filename+}" },
    });
  });
});

describe("a wrong configuration names", () => {
  it.each([
    [
      "an unknown region",
      { sites: [VIRGINIA, { ...IRELAND, region: "mars-1" }] },
      'sites[1].region: expected an AWS region such as eu-west-1, got "mars-1"',
    ],
    [
      "two sites in one region",
      { sites: [VIRGINIA, IRELAND, { ...TOKYO, region: "eu-west-1" }] },
      "sites: expected each site in a region of its own, got several in eu-west-1",
    ],
    [
      "two sites of one name",
      { sites: [VIRGINIA, IRELAND, { ...TOKYO, name: "ireland" }] },
      "sites: expected a name once, got ireland for several sites",
    ],
    ["no primary", { sites: [IRELAND, TOKYO] }, "sites: expected exactly one primary, got none"],
    [
      "two primaries",
      { sites: [VIRGINIA, { ...TOKYO, role: "primary" }, IRELAND] },
      "sites: expected exactly one primary, got 2 (virginia, tokyo)",
    ],
    ["no secondary", { sites: [VIRGINIA] }, "sites: expected at least one secondary, got none"],
    [
      "an unknown role",
      { sites: [VIRGINIA, IRELAND, { ...TOKYO, role: "tertiary" }] },
      'sites[2].role: expected primary or secondary, got "tertiary"',
    ],
    [
      "an existing bucket without versions",
      { sites: [{ ...VIRGINIA, existingBucket: { name: "mine", versioned: false } }, IRELAND] },
      "sites[0].existingBucket.versioned: expected true: replication needs a versioned bucket; turn versioning on, then say so here, got false",
    ],
    [
      "an existing bucket that says nothing of versions",
      { sites: [{ ...VIRGINIA, existingBucket: { name: "mine" } }, IRELAND] },
      "sites[0].existingBucket.versioned: expected true: replication needs a versioned bucket; turn versioning on, then say so here, got nothing",
    ],
    [
      "one existing bucket for two sites",
      {
        sites: [
          { ...VIRGINIA, existingBucket: { name: "mine", versioned: true } },
          { ...IRELAND, existingBucket: { name: "mine", versioned: true } },
        ],
      },
      "sites: expected each site to have a bucket of its own, got mine for several",
    ],
    [
      "a key of another region",
      {
        sites: [
          {
            ...VIRGINIA,
            existingBucket: { name: "mine", versioned: true, kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/1" },
          },
          IRELAND,
        ],
      },
      "sites: virginia is in us-east-1: expected what it uses to be there too, got arn:aws:kms:eu-west-1:111122223333:key/1",
    ],
    [
      "an alarm topic of another region",
      { sites: [VIRGINIA, { ...IRELAND, alarmTopicArn: "arn:aws:sns:us-east-1:111122223333:pager" }] },
      "sites: ireland is in eu-west-1: expected what it uses to be there too, got arn:aws:sns:us-east-1:111122223333:pager",
    ],
    [
      "sites in two partitions",
      { sites: [VIRGINIA, { ...IRELAND, region: "cn-north-1" }] },
      "sites: expected all sites in one AWS partition, got aws and aws-cn",
    ],
    [
      "an account that is none",
      { account: "1234" },
      'account: expected the 12 digits of an AWS account (cdk sets CDK_DEFAULT_ACCOUNT), got "1234"',
    ],
    [
      "a missing account",
      { account: undefined },
      "account: expected the 12 digits of an AWS account (cdk sets CDK_DEFAULT_ACCOUNT), got nothing",
    ],
    [
      "a name that AWS would refuse",
      { name: "S3_Geo" },
      'name: expected lowercase letters and digits in words joined by single hyphens, got "S3_Geo"',
    ],
    [
      "a name that S3 keeps for itself",
      { name: "sthree-geo" },
      "name: S3 keeps bucket names that begin with sthree- for itself",
    ],
    [
      "a site name that ends like a stack of another site",
      { sites: [VIRGINIA, { ...IRELAND, name: "virginia-feed" }] },
      'sites[1].name: expected a name that does not end in -storage or -feed (stacks end so), got "virginia-feed"',
    ],
    [
      "an unknown type",
      { replicables: ["hot_widget"] },
      `replicables: there is no replicable "hot_widget"; expected ${KNOWN}`,
    ],
    [
      "a key pattern for an unknown type",
      { keyPatterns: { hot_widget: "a/{id}" } },
      `replicables: a key pattern is given for "hot_widget", which is no replicable; expected ${KNOWN}`,
    ],
    [
      "a drift delay that SQS does not know",
      { driftDelaySeconds: 901 },
      "driftDelaySeconds: expected seconds, 0 to 900, got 901",
    ],
    [
      "a switch that is neither on nor off",
      { sites: [VIRGINIA, { ...IRELAND, replicaDrift: "sometimes" }] },
      'sites[1].replicaDrift: expected true or false, got "sometimes"',
    ],
    ["a sweep that never comes", { scheduleSweepMinutes: 0 }, "scheduleSweepMinutes: expected minutes, 1 to 60, got 0"],
    [
      "a throttle that lets nothing through",
      { apiThrottle: { ratePerSecond: 0, burst: 1 } },
      "apiThrottle.ratePerSecond: expected requests per second, 1 to 10000, got 0",
    ],
    [
      "versions kept for less than a month",
      { noncurrentVersionDays: 7 },
      "noncurrentVersionDays: expected days, 30 to 3650, got 7",
    ],
    [
      "a removal guard that lets nothing through",
      { removalGuard: { floor: 0 } },
      "removalGuard.floor: expected removals an hour, 1 to 1000000000, got 0",
    ],
    [
      "a removal guard with half a removal",
      { removalGuard: { most: 100.5 } },
      "removalGuard.most: expected removals an hour, 1 to 1000000000, got 100.5",
    ],
    [
      "a share above everything",
      { removalGuard: { percent: 100.1 } },
      "removalGuard.percent: expected a share in percent, 0 to 100, with three decimals at most, got 100.1",
    ],
    [
      "a share that a function's environment can not carry",
      { removalGuard: { percent: 0.0001 } },
      "removalGuard.percent: expected a share in percent, 0 to 100, with three decimals at most, got 0.0001",
    ],
    [
      "a removal guard whose floor is above its most",
      { removalGuard: { floor: 50, most: 10 } },
      "removalGuard: expected floor to be at most most (10 removals an hour), got 50",
    ],
    [
      "a floor above the most that it did not name",
      { removalGuard: { floor: 20_000 } },
      "removalGuard: expected floor to be at most most (10000 removals an hour), got 20000",
    ],
    [
      "one copy of more than S3 copies at once",
      { largeObjects: { singleCopyBytes: 5_000_000_001 } },
      "largeObjects.singleCopyBytes: expected bytes, 5242880 to 5000000000, got 5000000001",
    ],
    [
      "parts that are no whole mebibytes",
      { largeObjects: { partBytes: 5_242_881 } },
      "largeObjects.partBytes: expected bytes, 5242880 to 5368709120, a multiple of 1048576, got 5242881",
    ],
    [
      "a workflow for what one request copies",
      { largeObjects: { workflowBytes: 5_000_000_000 } },
      "largeObjects: expected workflowBytes above singleCopyBytes (5000000000), got 5000000000",
    ],
    ["a size that is none", { largeObjects: { parts: 3 } }, "largeObjects: there is no setting called parts"],
    [
      "a removal guard that is none",
      { removalGuard: "off" },
      'removalGuard: expected { floor, percent, most }, got "off"',
    ],
    [
      "a part that the removal guard does not have",
      { removalGuard: { enabled: false } },
      "removalGuard: there is no setting called enabled",
    ],
    [
      "a sync timeout that is over at once",
      { sites: [VIRGINIA, { ...IRELAND, syncTimeoutSeconds: 0 }] },
      "sites[1].syncTimeoutSeconds: expected seconds, 1 to 86400, got 0",
    ],
    [
      "a sync timeout of more than a day",
      { sites: [VIRGINIA, { ...IRELAND, syncTimeoutSeconds: 86_401 }] },
      "sites[1].syncTimeoutSeconds: expected seconds, 1 to 86400, got 86401",
    ],
    [
      "a site that perhaps keeps replicas",
      { sites: [VIRGINIA, { ...IRELAND, syncObjectStorage: "maybe" }] },
      'sites[1].syncObjectStorage: expected true or false, got "maybe"',
    ],
    ["a setting that does not exist", { retries: 3 }, "configuration: there is no setting called retries"],
  ])("%s", (_what, change, problem) => {
    expect(problemsOf(change)).toEqual([problem]);
  });

  it("key patterns that claim the same keys", () => {
    expect(
      problemsOf({ keyPatterns: { cool_widget: "things/{id}", package_file: "things/{id}" } }).join("\n"),
    ).toContain('"cool_widget" and "package_file" could claim one key: "things/{id}" overlaps "things/{id}"');
  });

  it("key patterns that can not be read", () => {
    expect(problemsOf({ keyPatterns: { cool_widget: "things/{filename}" } }).join("\n")).toContain("it has no {id}");
  });

  it("more key patterns than fit into a function's environment", () => {
    const long = `${"x".repeat(3_100)}/{id}`;
    expect(problemsOf({ keyPatterns: { cool_widget: long } }).join("\n")).toContain("expected at most 3072");
  });

  it("names that are too long for S3, with what they would be and what to do", () => {
    const name = "a".repeat(40);
    expect(problemsOf({ name })).toContain(
      `sites: the bucket of virginia would be called ${name}-virginia-111122223333-us-east-1: expected at most 63 characters, got 72; shorten the name of the site or of the installation`,
    );
  });

  it("everything at once, in one error that a person can read", () => {
    const problems = problemsOf({
      account: "",
      sites: [
        { ...VIRGINIA, region: "mars-1" },
        { ...TOKYO, role: "primary", existingBucket: { name: "mine", versioned: false } },
      ],
      replicables: ["hot_widget"],
      scheduleSweepMinutes: 1.5,
      removalGuard: { floor: 9, percent: "a few", most: 8 },
    });
    expect(problems).toHaveLength(9);
    expect(new GeoConfigError(problems).message).toBe(
      `The configuration has 9 problem(s):\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
  });

  it("what is wrong with any value at all, and never fails in another way", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.record({ account: fc.anything(), sites: fc.anything() })), (value) => {
        expect(() => defineGeoConfig(value as GeoConfigInput)).toThrow(GeoConfigError);
      }),
    );
  });
});

describe("names of an accepted configuration", () => {
  it("stay within what AWS allows, whatever the installation and its sites are called", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,10}){0,2}$/);
    fc.assert(
      fc.property(word, word, word, fc.constantFrom(...AWS_REGIONS), (name, first, second, region) => {
        const sites = [
          { ...VIRGINIA, name: first },
          { ...IRELAND, name: second, region },
        ];
        if (problemsOf({ name, sites }).length > 0) return;
        for (const site of sites) {
          const installation = { name, account: "111122223333" };
          expect(bucketName(installation, site)).toMatch(/^[a-z][a-z0-9-]{2,62}$/);
          expect(functionName(installation, site, "event-publisher").length).toBeLessThanOrEqual(64);
        }
      }),
    );
  });
});

describe("the list of regions", () => {
  it("is aws-cdk-lib's, for the partitions that a site may be in", () => {
    const known = RegionInfo.regions.filter(({ partition }) => /^aws(-cn|-us-gov)?$/.test(partition ?? ""));
    expect([...AWS_REGIONS]).toEqual(known.map(({ name }) => name).sort());
    for (const { name, partition } of known) expect(partitionOf(name)).toBe(partition);
  });
});
