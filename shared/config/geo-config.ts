/**
 * The configuration of an installation: which sites there are and what they replicate. Everything the stacks, the
 * functions and the command line need to know about a deployment is derived from this one value.
 */
import { GeoError } from "../geo/errors.ts";
import * as z from "zod/mini";

import { SYNC_TIMEOUT_SECONDS } from "../geo/limits.ts";
import { bucketName, functionName, manifestBucketName } from "../geo/physical-names.ts";
import { REMOVAL_GUARD_DEFAULT } from "../geo/removal-guard.ts";
import {
  encodeReplicableSelection,
  findSelectionProblems,
  type ReplicableSelection,
} from "../geo/replicable-selection.ts";
import { replicables } from "../replicables/index.ts";
import { AWS_REGIONS, partitionOf } from "./aws-regions.ts";
import { integer, text } from "./fields.ts";
import {
  LARGE_OBJECTS_DEFAULT,
  LargeObjectConfig,
  LargeObjectSketch,
  largeObjectProblems,
} from "./large-object-config.ts";
import { RemovalGuardConfig, RemovalGuardSketch, removalGuardProblems } from "./removal-guard-config.ts";

/** Sent to S3's own name rules: 63 characters, and three beginnings that S3 keeps for itself. */
const BUCKET_NAME_LENGTH_MAX = 63;
const BUCKET_NAME_BEGINNINGS_RESERVED = ["xn--", "sthree-", "amzn-s3-demo-"] as const;

/** Lambda's limit for a function's name. EventBridge Scheduler has the same for a schedule's. */
const FUNCTION_NAME_LENGTH_MAX = 64;

/** The longest name of a folder in `functions/` that a site's functions may come to have. */
const LONGEST_FUNCTION_FOLDER = "registry-consistency";

/** Ends of stack names: a site that ended so would share a stack name with another site. */
const SITE_NAME_ENDS_RESERVED = ["-storage", "-feed"] as const;

/** A function's environment holds 4 KB in all (Lambda); a quarter is left to its other variables. */
const SELECTION_CHARACTERS_MAX = 3_072;

/** Noncurrent versions are the way back from a mistaken delete, so they are kept at least a month. */
export const NONCURRENT_VERSION_DAYS_MIN = 30;

const WORD = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const ExistingBucket = z.strictObject(
  {
    /** Its name. It must be in the site's region and belong to the installation's account. */
    name: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "expected the name of an S3 bucket, 3 to 63 characters"),
    /** Says that versioning is on. Without it two writes can look like one, and a delete can not be told from a loss. */
    versioned: z.literal(true, {
      error: "expected true: replication needs a versioned bucket; turn versioning on, then say so here",
    }),
    /** The key it is encrypted with, when it is not S3's own. In the site's region. */
    kmsKeyArn: z.optional(text(/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/.+$/, "expected the ARN of a KMS key")),
  },
  { error: "expected { name, versioned: true }" },
);

const Site = z.strictObject(
  {
    /**
     * Part of every name; for people. Lowercase words joined by hyphens. A place, not a role: roles change. Metrics are told
     * apart by it alone: another installation in the same account needs other names of its sites, or alarms of one are fed
     * and hidden by the other.
     */
    name: text(WORD, "expected lowercase letters and digits in words joined by single hyphens").check(
      z.refine((name) => !SITE_NAME_ENDS_RESERVED.some((end) => name.endsWith(end)), {
        error: `expected a name that does not end in ${SITE_NAME_ENDS_RESERVED.join(" or ")} (stacks end so)`,
      }),
    ),
    /** What the site is for. The primary is written to; a secondary keeps replicas. One primary, at least one secondary. */
    role: z.enum(["primary", "secondary"], { error: "expected primary or secondary" }),
    /** Where it is. Each site in a region of its own, all of one AWS partition. */
    region: z.enum(AWS_REGIONS, { error: "expected an AWS region such as eu-west-1" }),
    /** Replicate from or into this bucket instead of making one. Default: a bucket is made. */
    existingBucket: z.optional(ExistingBucket),
    /**
     * An SNS topic in the site's region that hears of alarms. Not one that is encrypted with AWS' own key for SNS, which
     * CloudWatch may not use. Default: alarms are only shown.
     */
    alarmTopicArn: z.optional(text(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:.+$/, "expected the ARN of an SNS topic")),
    /**
     * Secondaries only: have the bucket of replicas report its changes, so that what anybody else changes there is made
     * equal to the primary again within minutes. Default true. Turn it off for a bucket whose replicas others have to write
     * to or tag, and for an existing bucket with notification rules for the same events, which S3 refuses.
     */
    replicaDrift: z._default(z.boolean({ error: "expected true or false" }), true),
    /**
     * Secondaries only: after how many seconds a row whose worker never came back is given up on (Geo's
     * `blob_download_timeout`), 1 to 86400. Default 28800, as there. A worker here never lives longer than its function,
     * whose lease ends after six minutes, so that only a shorter timeout makes a difference.
     */
    syncTimeoutSeconds: z._default(
      integer(
        SYNC_TIMEOUT_SECONDS.least,
        SYNC_TIMEOUT_SECONDS.most,
        `expected seconds, ${SYNC_TIMEOUT_SECONDS.least} to ${SYNC_TIMEOUT_SECONDS.most}`,
      ),
      SYNC_TIMEOUT_SECONDS.standard,
    ),
    /**
     * Secondaries only: whether the site keeps replicas of objects (Geo's `sync_object_storage`). Default true. When not,
     * it neither copies nor removes any: for a bucket that something else replicates into. What it has stays.
     */
    syncObjectStorage: z._default(z.boolean({ error: "expected true or false" }), true),
  },
  { error: "expected { name, role, region }" },
);

/**
 * All that may be configured. docs/configuration.md is made of it and of what its comments say of each setting
 * (`npm run docs:config`).
 */
export const Shape = z.strictObject({
  /** Beginning of every name. Default `s3-geo`. */
  name: z._default(text(WORD, "expected lowercase letters and digits in words joined by single hyphens"), "s3-geo"),
  /** The AWS account of every site. */
  account: text(/^\d{12}$/, "expected the 12 digits of an AWS account (cdk sets CDK_DEFAULT_ACCOUNT)"),
  /** The primary and its secondaries, in any order. */
  sites: z.array(Site, { error: "expected a list of sites" }),
  /** Which of the declared replicables this installation replicates. Default `all`. */
  replicables: z._default(
    z.union([z.literal("all"), z.array(z.string())], { error: 'expected "all" or a list of replicable names' }),
    "all",
  ),
  /** Key patterns that differ from the declared ones, by replicable name. Default: none. */
  keyPatterns: z._default(z.record(z.string(), z.string(), { error: "expected key patterns by replicable name" }), {}),
  /** What each site's API lets through. Default: 20 requests a second, 40 at once. */
  apiThrottle: z._default(
    z.strictObject(
      {
        /** Requests a second that are let through over time. */
        ratePerSecond: integer(1, 10_000, "expected requests per second, 1 to 10000"),
        /** Requests that are let through at once. */
        burst: integer(1, 5_000, "expected requests at once, 1 to 5000"),
      },
      { error: "expected { ratePerSecond, burst }" },
    ),
    { ratePerSecond: 20, burst: 40 },
  ),
  /** Minutes between two sweeps of what is due, 1 to 60. Default 1. */
  scheduleSweepMinutes: z._default(integer(1, 60, "expected minutes, 1 to 60"), 1),
  /**
   * Seconds that a change of a replica's bucket waits before it is looked into, 0 to 900 (SQS's own bound for a queue's
   * delay). Most changes are our own copies, and by then their rows say so. Default 60.
   */
  driftDelaySeconds: z._default(integer(0, 900, "expected seconds, 0 to 900"), 60),
  /** When a secondary holds removals back until an operator releases them (docs/runbook.md). Default: see each. */
  removalGuard: z._default(RemovalGuardConfig, REMOVAL_GUARD_DEFAULT),
  /** From which sizes on objects are copied in parts, and by a workflow. Default: see each. */
  largeObjects: z._default(LargeObjectConfig, LARGE_OBJECTS_DEFAULT),
  /** Days from the end of one walk through both buckets to the beginning of the next, 1 to 365. Default 7. */
  consistencyDays: z._default(integer(1, 365, "expected days, 1 to 365"), 7),
  /** Days that a replaced or deleted version is kept in buckets that we make, at least 30. Default 30. */
  noncurrentVersionDays: z._default(
    integer(NONCURRENT_VERSION_DAYS_MIN, 3_650, `expected days, ${NONCURRENT_VERSION_DAYS_MIN} to 3650`),
    NONCURRENT_VERSION_DAYS_MIN,
  ),
  /** Whether functions, state machines and APIs report to X-Ray. Default false. */
  tracing: z._default(z.boolean({ error: "expected true or false" }), false),
});

/** What a person writes. */
export type GeoConfigInput = z.input<typeof Shape>;

/** One site of a checked configuration. */
export type SiteConfig = z.output<typeof Site>;

/** Whether a secondary's bucket reports its changes. Not one that something else replicates into: nothing is drift there. */
export const reportsDrift = ({ replicaDrift, syncObjectStorage }: SiteConfig): boolean =>
  replicaDrift && syncObjectStorage;

/** A checked configuration: one primary, at least one secondary, each in a region of its own. */
export interface GeoConfig extends Omit<z.output<typeof Shape>, "replicables" | "keyPatterns"> {
  readonly primary: SiteConfig;
  readonly secondaries: readonly SiteConfig[];
  readonly selection: ReplicableSelection;
}

/** A configuration that can not be deployed, with everything that is wrong with it. */
export class GeoConfigError extends GeoError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      "GEO_INVALID_CONFIG",
      `The configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    );
    this.name = "GeoConfigError";
    this.problems = problems;
  }
}

const orElse = z.catch;

/** As much of the input as can be read, so that one wrong field does not hide what is wrong between the others. */
const Sketch = orElse(
  z.object({
    name: orElse(z._default(z.string(), "s3-geo"), "s3-geo"),
    account: orElse(z.string(), "000000000000"),
    sites: orElse(
      z.array(
        orElse(
          z.object({
            name: orElse(z.optional(z.string()), undefined),
            role: orElse(z.optional(z.string()), undefined),
            region: orElse(z.optional(z.string()), undefined),
            alarmTopicArn: orElse(z.optional(z.string()), undefined),
            existingBucket: orElse(
              z.optional(
                z.object({ name: z.optional(z.string()), kmsKeyArn: orElse(z.optional(z.string()), undefined) }),
              ),
              undefined,
            ),
          }),
          {},
        ),
      ),
      [],
    ),
    replicables: orElse(z.optional(z.union([z.literal("all"), z.array(z.string())])), undefined),
    keyPatterns: orElse(z.optional(z.record(z.string(), z.string())), undefined),
    removalGuard: RemovalGuardSketch,
    largeObjects: LargeObjectSketch,
  }),
  { name: "s3-geo", account: "000000000000", sites: [] },
);
type Sketch = z.output<typeof Sketch>;

const asText = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index > 0 ? "." : ""}${String(key)}`)).join("") ||
  "configuration";

const shapeProblems = (input: unknown): string[] =>
  (Shape.safeParse(input).error?.issues ?? []).map((issue) =>
    issue.code === "unrecognized_keys"
      ? `${pathText(issue.path)}: there is no setting called ${issue.keys.join(", ")}`
      : `${pathText(issue.path)}: ${issue.message}, got ${asText(valueAt(input, issue.path))}`,
  );

/** The values that occur more than once, each named once. */
const repeated = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(
    values.filter(
      (value): value is string => value !== undefined && values.indexOf(value) !== values.lastIndexOf(value),
    ),
  ),
];

const rolesProblems = ({ sites }: Sketch): string[] => {
  const primaries = sites.filter(({ role }) => role === "primary").map(({ name }) => name ?? "?");
  const problems: string[] = [];
  if (primaries.length !== 1) {
    problems.push(
      `sites: expected exactly one primary, got ${primaries.length === 0 ? "none" : `${primaries.length} (${primaries.join(", ")})`}`,
    );
  }
  if (!sites.some(({ role }) => role === "secondary"))
    problems.push("sites: expected at least one secondary, got none");
  return problems;
};

const repetitionProblems = ({ sites }: Sketch): string[] => [
  ...repeated(sites.map(({ name }) => name)).map(
    (name) => `sites: expected a name once, got ${name} for several sites`,
  ),
  ...repeated(sites.map(({ region }) => region)).map(
    (region) => `sites: expected each site in a region of its own, got several in ${region}`,
  ),
  ...repeated(sites.map(({ existingBucket }) => existingBucket?.name)).map(
    (bucket) => `sites: expected each site to have a bucket of its own, got ${bucket} for several`,
  ),
];

const partitionProblems = ({ sites }: Sketch): string[] => {
  const partitions = new Set(sites.flatMap(({ region }) => (region === undefined ? [] : [partitionOf(region)])));
  return partitions.size > 1
    ? [`sites: expected all sites in one AWS partition, got ${[...partitions].sort().join(" and ")}`]
    : [];
};

const nameProblems = (installation: Sketch): string[] => {
  const reserved = BUCKET_NAME_BEGINNINGS_RESERVED.filter((beginning) => installation.name.startsWith(beginning));
  const problems = reserved.map((beginning) => `name: S3 keeps bucket names that begin with ${beginning} for itself`);
  for (const { name, role, region, existingBucket } of installation.sites) {
    if (name === undefined || region === undefined) continue;
    const site = { name, region };
    const derived: readonly (readonly [what: string, name: string, most: number])[] = [
      ...(existingBucket === undefined
        ? [["the bucket", bucketName(installation, site), BUCKET_NAME_LENGTH_MAX] as const]
        : []),
      ...(role === "primary"
        ? [["the bucket of manifests", manifestBucketName(installation, site), BUCKET_NAME_LENGTH_MAX] as const]
        : []),
      ["a function", functionName(installation, site, LONGEST_FUNCTION_FOLDER), FUNCTION_NAME_LENGTH_MAX],
    ];
    for (const [what, long, most] of derived) {
      if (long.length > most) {
        problems.push(
          `sites: ${what} of ${name} would be called ${long}: expected at most ${most} characters, got ${long.length}; shorten the name of the site or of the installation`,
        );
      }
    }
  }
  return problems;
};

/** Keys and topics only work in the region they are in. */
const placeProblems = ({ sites }: Sketch): string[] =>
  sites.flatMap(({ name, region, alarmTopicArn, existingBucket }) =>
    [alarmTopicArn, existingBucket?.kmsKeyArn]
      .filter((arn): arn is string => arn !== undefined && region !== undefined && arn.split(":")[3] !== region)
      .map((arn) => `sites: ${name ?? "?"} is in ${region ?? "?"}: expected what it uses to be there too, got ${arn}`),
  );

const selectionOf = (input: Pick<Sketch, "replicables" | "keyPatterns">): ReplicableSelection => ({
  names: input.replicables ?? "all",
  keyPatterns: input.keyPatterns ?? {},
});

const selectionProblems = (selection: ReplicableSelection): string[] => {
  const { length } = encodeReplicableSelection(selection);
  return [
    ...findSelectionProblems(replicables, selection).map((problem) => `replicables: ${problem}`),
    ...(length > SELECTION_CHARACTERS_MAX
      ? [
          `replicables: with their key patterns they take ${length} characters: expected at most ${SELECTION_CHARACTERS_MAX}, which is what fits into a function's environment; change the patterns in shared/replicables instead`,
        ]
      : []),
  ];
};

/**
 * Checks a configuration.
 *
 * @throws {GeoConfigError} naming every problem: of each field, between the sites, and of the replicables it selects.
 * @example
 * export default defineGeoConfig({
 *   account: "111122223333",
 *   sites: [
 *     { name: "virginia", role: "primary", region: "us-east-1" },
 *     { name: "ireland", role: "secondary", region: "eu-west-1" },
 *   ],
 * });
 */
export const defineGeoConfig = (input: GeoConfigInput): GeoConfig => {
  const sketch = Sketch.parse(input);
  const selection = selectionOf(sketch);
  const problems = [
    ...shapeProblems(input),
    ...rolesProblems(sketch),
    ...repetitionProblems(sketch),
    ...partitionProblems(sketch),
    ...nameProblems(sketch),
    ...placeProblems(sketch),
    ...removalGuardProblems(sketch.removalGuard),
    ...largeObjectProblems(sketch.largeObjects),
    ...selectionProblems(selection),
  ];
  if (problems.length > 0) throw new GeoConfigError(problems);

  const { replicables: _replicables, keyPatterns: _keyPatterns, ...config } = Shape.parse(input);
  const [primary] = config.sites.filter(({ role }) => role === "primary");
  if (primary === undefined) throw new GeoConfigError(["sites: expected a primary"]); // refused above; for the type
  return { ...config, primary, secondaries: config.sites.filter(({ role }) => role === "secondary"), selection };
};
