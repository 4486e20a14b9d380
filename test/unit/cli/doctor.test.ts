import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AwsLook, Looked, SeenBucket, SeenRule } from "../../../cli/doctor/aws-look.ts";
import { clock } from "../../../cli/doctor/clock.ts";
import type { Finding } from "../../../cli/doctor/finding.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { CHANGES_OF_A_BUCKET, CHANGES_OF_A_REPLICA } from "../../../shared/geo/reported-changes.ts";
import { finishWalks, ID, registryRow, twoSites } from "./two-sites.ts";

type Sites = Awaited<ReturnType<typeof twoSites>>;

const ruleTo = (to: string, ...events: readonly string[]): SeenRule => ({ to, events, isFiltered: false });

const BUCKETS: Readonly<Record<string, SeenBucket>> = {
  "s3-geo-virginia-111122223333-us-east-1": {
    versioning: "Enabled",
    topics: CHANGES_OF_A_BUCKET.map((event) => ruleTo("s3-geo-virginia-bucket-events", event)),
    queues: [],
  },
  "s3-geo-frankfurt-111122223333-eu-central-1": {
    versioning: "Enabled",
    topics: [],
    queues: [ruleTo("s3-geo-frankfurt-replica-drift", ...CHANGES_OF_A_REPLICA)],
  },
};

const seen = <T>(value: T): Promise<Looked<T>> => Promise.resolve({ outcome: "seen", seen: value });
const ABSENT = Promise.resolve({ outcome: "absent" } as const);
const REFUSED = Promise.resolve({ outcome: "refused", reason: "AccessDenied" } as const);

/** An AWS in which everything is there and as it should be. */
const awsWith = (changed: Partial<AwsLook> = {}): AwsLook => ({
  bucket: ({ name }) => seen(BUCKETS[name] ?? { versioning: "Enabled", topics: [], queues: [] }),
  uploads: () => seen({ old: 0, oldestAt: undefined, more: false }),
  table: () => seen({ account: "111122223333" }),
  queue: () => seen(null),
  messages: () => seen(0),
  topic: () => seen(null),
  stateMachine: () => seen(null),
  ...changed,
});

const CONFIG = `import { defineGeoConfig } from ${JSON.stringify(join(import.meta.dirname, "../../../shared/config/geo-config.ts"))};
export default defineGeoConfig({
  account: "999999999999", // as an environment has it that cdk has not filled
  sites: [
    { name: "virginia", role: "primary", region: "us-east-1" },
    { name: "frankfurt", role: "secondary", region: "eu-central-1" },
  ],
});
`;

/** Two sites with nothing wrong, and the doctor on them. */
const installation = async (aws: Partial<AwsLook> = {}) => {
  const sites = await twoSites({ awsLook: () => awsWith(aws) });
  const config = join(sites.root, "geo.config.ts");
  await writeFile(config, CONFIG);
  await finishWalks(sites);
  const doctor = (...args: readonly string[]) => sites.geo("doctor", "--config", config, ...args);
  const findings = async () => {
    const { code, out } = await doctor("--output", "json");
    const told = JSON.parse(out) as { readonly healthy: boolean; readonly findings: readonly Finding[] };
    return { code, ill: told.findings.filter(({ verdict }) => verdict !== "ok"), ...told };
  };
  return { ...sites, doctor, findings };
};

const queueOf = ({ secondary }: Pick<Sites, "secondary">, name: string) => {
  const found = secondary.queues.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
};

describe("geo doctor (F105)", () => {
  test("exits with 0 when nothing is wrong, and says of each check what it saw", async () => {
    const { doctor, findings } = await installation();
    const { code, out, err } = await doctor();
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const check of [
      "sites",
      "versions",
      "clock",
      "deployment",
      "versioning",
      "notifications",
      "permissions",
      "dead letters",
      "orphans",
      "uploads",
    ]) {
      expect(out).toMatch(new RegExp(`^ok {7}.*${check}: `, "m"));
    }
    expect(await findings()).toMatchObject({ code: 0, healthy: true, ill: [] });
  });

  test.each<readonly [string, Partial<AwsLook>, readonly object[]]>([
    [
      "nothing of a site is deployed",
      {
        bucket: ({ name, region }) =>
          region === "eu-central-1" ? ABSENT : seen(BUCKETS[name] ?? { versioning: "Enabled", topics: [], queues: [] }),
        uploads: () => ABSENT,
        table: ({ region }) => (region === "eu-central-1" ? ABSENT : seen({ account: "111122223333" })),
        queue: ({ name }) => (name.includes("frankfurt") ? ABSENT : seen(null)),
        messages: ({ region }) => (region === "eu-central-1" ? ABSENT : seen(0)),
        stateMachine: ({ region }) => (region === "eu-central-1" ? ABSENT : seen(null)),
      },
      [{ check: "deployment", site: "frankfurt", found: "nothing of it is deployed in eu-central-1" }],
    ],
    [
      "half of a site is deployed",
      { queue: ({ name }) => (name.endsWith("-ingest") ? ABSENT : seen(null)) },
      [
        {
          check: "deployment",
          site: "frankfurt",
          found: expect.stringMatching(
            /^half of it is deployed: 1 of \d+ parts are missing: queue s3-geo-frankfurt-ingest in us-east-1$/,
          ) as string,
        },
      ],
    ],
    [
      "a bucket keeps no versions",
      { bucket: ({ name }) => seen({ ...(BUCKETS[name] ?? { topics: [], queues: [] }), versioning: "Suspended" }) },
      ["virginia", "frankfurt"].map((site) => ({
        check: "versioning",
        site,
        found: "versioning of its bucket is Suspended, and nothing is replicated until it is Enabled",
      })),
    ],
    [
      "no bucket reports its changes",
      { bucket: () => seen({ versioning: "Enabled", topics: [ruleTo("another", "s3:ObjectCreated:*")], queues: [] }) },
      [
        {
          check: "notifications",
          site: "virginia",
          found: expect.stringContaining("s3-geo-virginia-bucket-events") as string,
        },
        {
          check: "notifications",
          site: "frankfurt",
          found: expect.stringContaining("s3-geo-frankfurt-replica-drift") as string,
        },
      ],
    ],
    [
      "buckets report only some of their changes",
      {
        bucket: ({ region }) =>
          seen({
            versioning: "Enabled",
            topics: [
              ruleTo("s3-geo-virginia-bucket-events", ...CHANGES_OF_A_BUCKET.filter((event) => !/Removed/.test(event))),
              ruleTo("another", "s3:ObjectRemoved:*"),
            ],
            queues: [
              ruleTo("s3-geo-frankfurt-replica-drift", "s3:LifecycleExpiration:*", ...CHANGES_OF_A_REPLICA.slice(3)),
              { ...ruleTo("s3-geo-frankfurt-replica-drift", "s3:ObjectCreated:*"), isFiltered: true },
              ruleTo("s3-geo-frankfurt-replica-drift", "s3:ObjectRemoved:Delete"),
            ].filter(() => region === "eu-central-1"),
          }),
      },
      [
        {
          check: "notifications",
          site: "virginia",
          found: "its bucket does not report all changes to s3-geo-virginia-bucket-events; missing: s3:ObjectRemoved:*",
        },
        {
          check: "notifications",
          site: "frankfurt",
          found:
            "its bucket does not report all changes to s3-geo-frankfurt-replica-drift; missing: s3:ObjectCreated:* (only of keys that a filter lets through), s3:ObjectRemoved:*",
        },
      ],
    ],
    [
      "schedules and counters could not deliver",
      { messages: ({ name }) => seen(/(retry-sweep|counters|large-copy|backfill)-dead/.test(name) ? 2 : 0) },
      [
        ["virginia", "verification-backfill"],
        ["virginia", "retry-sweep"],
        ["virginia", "counters"],
        ["frankfurt", "large-copy"],
        ["frankfurt", "retry-sweep"],
        ["frankfurt", "counters"],
      ].map(([site, name]) => ({
        check: "dead letters",
        site,
        verdict: "problem",
        found: expect.stringContaining(`about 2 dead letters of ${String(name)}:`) as string,
      })),
    ],
    [
      "it may not count what could not be delivered",
      { messages: () => REFUSED },
      ["virginia", "frankfurt"].map((site) => ({ check: "dead letters", site, verdict: "unknown", not_allowed: true })),
    ],
    [
      "uploads have outlived their functions",
      { uploads: () => seen({ old: 3, oldestAt: Date.UTC(2026, 0, 1), more: false }) },
      [
        {
          check: "uploads",
          site: "frankfurt",
          verdict: "warning",
          found: "3 uploads of its bucket are older than a day, the oldest of 2026-01-01T00:00:00.000Z",
        },
      ],
    ],
    [
      "AWS does not let the caller look",
      { bucket: () => REFUSED, uploads: () => REFUSED },
      [
        ...["virginia", "frankfurt"].map((site) => ({ check: "deployment", site, verdict: "unknown" })),
        ...["versioning", "notifications"].flatMap((check) =>
          ["virginia", "frankfurt"].map((site) => ({ check, site, verdict: "unknown" })),
        ),
        { check: "uploads", site: "frankfurt", verdict: "unknown" },
      ],
    ],
  ])("exits with 3 when %s, and names it with what helps", async (_what, aws, expected) => {
    const { findings, doctor } = await installation(aws);
    const told = await findings();
    expect(told).toMatchObject({ code: 3, healthy: false, ill: expected });
    for (const { remedy } of told.ill) expect(remedy).toBeTruthy();
    const { out, err } = await doctor();
    expect(out).toContain("-> ");
    expect(err).toMatch(/^geo: \d+ problems?, \d+ warnings?, \d+ could not be looked at\n$/);
  });

  test("tells of what the sites themselves know: dead letters, what was denied, a pause", async () => {
    const sites = await installation();
    const { secondary, findings } = sites;
    await queueOf(sites, "geo-events").dead.send([{ body: "no JSON" }]);
    await secondary.rows([registryRow("failed", "pending", 1)]);
    await secondary.rowTable.put({
      ...rowKey({ replicableName: "lfs_object", key: "lfs_objects/1/aa/bb/cc" }),
      state: 3,
      verification_state: 0,
      last_sync_failure: "Access to the object was denied: no",
      due_pk: "lfs_object#0",
      due_at: secondary.clock.now(),
    });
    await secondary.call(`/api/v4/geo_sites/${String(ID.secondary)}`, {
      method: "PUT",
      headers: { "PRIVATE-TOKEN": sites.tokens.secondary },
      body: '{"enabled": false}',
    });
    const { code, ill } = await findings();
    expect(code).toBe(3);
    expect(ill.map(({ check, site, verdict }) => [check, site, verdict])).toEqual([
      ["sites", "frankfurt", "warning"],
      ["permissions", "frankfurt", "problem"],
      ["dead letters", "frankfurt", "problem"],
    ]);
    expect(ill[2]?.found).toContain("received too often without success (1)");
  });

  test.each([
    [["Access to the object was denied: no"], "geo redrive --reason forbidden"],
    [["The object's encryption key can not be used: no"], "geo redrive --reason kms"],
    [
      ["The object's encryption key can not be used: no", "Access to the object was denied: no"],
      "geo redrive --reason forbidden, and geo redrive --reason kms",
    ],
  ])("names the redrive of what was denied: %j", async (failures, again) => {
    const { secondary, findings } = await installation();
    for (const [at, text] of failures.entries()) {
      await secondary.rows([registryRow("failed", "pending", at)]);
      await secondary.rowTable.put({
        ...rowKey({ replicableName: "lfs_object", key: `lfs_objects/1/aa/bb/${String(at)}` }),
        state: 3,
        verification_state: 0,
        last_sync_failure: text,
        due_pk: "lfs_object#0",
        due_at: secondary.clock.now(),
      });
    }
    const { ill } = await findings();
    expect(ill).toMatchObject([
      { check: "permissions", remedy: `mend the bucket's policy or the key's, then: ${again}` },
    ]);
  });

  test("goes on with what it can reach, and says what it can not", async () => {
    const { findings, down } = await installation();
    down.add("secondary");
    const { code, ill } = await findings();
    expect(code).toBe(3);
    expect(ill).toMatchObject([{ check: "sites", site: "frankfurt", verdict: "unknown" }]);
  });

  test("looks for nothing that an account names when no table says which account it is", async () => {
    const named: string[] = [];
    const look = ({ name }: { readonly name: string }) => {
      named.push(name);
      return REFUSED;
    };
    const { findings } = await installation({
      bucket: look,
      uploads: look,
      topic: look,
      stateMachine: look,
      table: () => ABSENT,
      queue: () => ABSENT,
      messages: () => ABSENT,
    });
    const { code, ill } = await findings();
    expect({ code, named }).toEqual({ code: 3, named: [] });
    const whose = expect.stringContaining("can not be named") as string;
    const sites = ["virginia", "frankfurt"];
    expect(ill).toMatchObject([
      ...sites.flatMap((site) => [
        { check: "deployment", site, verdict: "problem", found: expect.stringContaining("nothing of it") as string },
        { check: "deployment", site, verdict: "unknown", found: whose },
      ]),
      ...["versioning", "notifications"].flatMap((check) =>
        sites.map((site) => ({ check, site, verdict: "unknown", found: whose })),
      ),
      { check: "uploads", site: "frankfurt", verdict: "unknown", found: whose },
    ]);
  });

  test("looks at the sites alone where there is no configuration", async () => {
    const { geo } = await installation();
    const { code, out } = await geo("doctor", "--output", "json");
    expect(code).toBe(3);
    expect(out).toContain("infra/geo.config.ts can not be read");
  });

  test("refuses a configuration that was named and can not be read", async () => {
    const { geo } = await installation();
    const { code, err } = await geo("doctor", "--config", "nowhere.ts");
    expect(code).toBe(2);
    expect(err).toContain("--config nowhere.ts can not be read");
  });

  test("exits with 4 when nothing lets it look, and with 1 when nobody answers", async () => {
    const refused = Object.fromEntries(Object.keys(awsWith()).map((name) => [name, () => REFUSED]));
    const sites = await installation(refused);
    await sites.sitesFile({ primary: "geo_wrong", secondary: "geo_wrong" });
    expect((await sites.doctor()).code).toBe(4);
    const failed = Object.fromEntries(
      Object.keys(awsWith()).map((name) => [name, () => Promise.resolve({ outcome: "failed", reason: "no route" })]),
    );
    const unreachable = await installation(failed);
    unreachable.down.add("primary").add("secondary");
    expect((await unreachable.doctor()).code).toBe(1);
  });
});

const answer = (date: string | undefined) => ({
  config: { problem: "" },
  isAccountKnown: false,
  aws: { problem: "" },
  sites: [
    {
      name: "tokyo",
      connection: { url: "http://tokyo", site: { id: 1, name: "tokyo", primary: false } },
    } as unknown as Parameters<typeof clock.look>[0]["sites"][number], // the parts of one that a clock needs
  ],
  replicables: [],
  now: () => Date.UTC(2026, 0, 1, 12, 0, 0),
  fetch: () => Promise.resolve(new Response("", date === undefined ? {} : { headers: { date } })),
});

describe("the clock", () => {
  test.each([
    ["Thu, 01 Jan 2026 12:00:59 GMT", "ok", /less than a minute/],
    ["Thu, 01 Jan 2026 12:02:00 GMT", "warning", /120 seconds behind the site's/],
    ["Thu, 01 Jan 2026 11:57:59 GMT", "warning", /120 seconds ahead of the site's/],
    ["soon", "unknown", /no date/],
    [undefined, "unknown", /no date/],
  ])("of a site that says %s is %s", async (date, verdict, found) => {
    expect(await clock.look(answer(date))).toMatchObject([
      { site: "tokyo", verdict, found: expect.stringMatching(found) as string },
    ]);
  });

  test("of a site that does not answer any more is not known", async () => {
    const gone = { ...answer(undefined), fetch: () => Promise.reject(new Error("gone")) };
    expect(await clock.look(gone)).toMatchObject([{ verdict: "unknown" }]);
  });
});
