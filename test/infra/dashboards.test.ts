import { describe, expect, it } from "vitest";
import * as z from "zod";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { SAVED_QUERIES } from "../../infra/constructs/saved-queries.ts";
import { FIELDS_OF_EVERY_LINE, TRANSITION_FIELDS } from "../../shared/geo/log-events.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { gaugesOfStatus } from "../../shared/geo/status-gauges.ts";
import { dollars, REQUESTS } from "../../shared/geo/prices.ts";
import { asText, ofType, synthesize } from "./support/templates.ts";

/** What is drawn and asked of a site, as it is deployed (F63, F106). */

const Body = z.object({
  widgets: z.array(
    z.object({
      type: z.string(),
      properties: z.looseObject({
        title: z.string(),
        region: z.string(),
        metrics: z.array(z.array(z.unknown())).default([]),
        query: z.string().default(""),
      }),
    }),
  ),
});

const stacks = synthesize(config);

const dashboards = stacks.flatMap(({ name: stack, region, template }) =>
  ofType(template, "AWS::CloudWatch::Dashboard").map(({ Properties }) => ({
    stack,
    region,
    name: String(Properties["DashboardName"]),
    ...Body.parse(JSON.parse(asText(Properties["DashboardBody"]))),
  })),
);

const dashboardOf = (name: string) => {
  const found = dashboards.find((dashboard) => dashboard.name === name);
  if (found === undefined)
    throw new Error(`expected a dashboard ${name}, got ${dashboards.map((one) => one.name).join(", ")}`);
  return found;
};

/** Everything that a page draws, as text. */
const drawnBy = (name: string): string => JSON.stringify(dashboardOf(name).widgets).replaceAll("\\", "");

const titlesOf = (name: string): readonly string[] =>
  dashboardOf(name).widgets.map(({ properties }) => properties.title);

describe("dashboards (F63)", () => {
  it("are one per site in its own region, and one across all sites in a stack of its own at the primary", () => {
    expect(dashboards.map(({ name, stack, region }) => `${name} of ${stack} in ${region}`).sort()).toEqual([
      "s3-geo of s3-geo in us-east-1",
      "s3-geo-ireland of s3-geo-ireland in eu-west-1",
      "s3-geo-sydney of s3-geo-sydney in ap-southeast-2",
      "s3-geo-tokyo of s3-geo-tokyo in ap-northeast-1",
      "s3-geo-virginia of s3-geo-virginia in us-east-1",
    ]);
  });

  it.each(["s3-geo-ireland", "s3-geo-virginia"])("%s has everything that an operator looks for", (name) => {
    expect(titlesOf(name)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/objects of each type$/),
        "What happened, per minute",
        "What should be zero, per minute",
        "Messages waiting",
        "Oldest message, seconds",
        "Dead letters",
        "What walks found",
        "Executions that did not end well",
        "Errors of functions",
        "Throttles of functions",
        expect.stringMatching(/dollars per hour/),
      ]),
    );
  });

  it("of a secondary draw bars, lag by percentiles, backlog, guard trips, failures and findings", () => {
    const drawn = drawnBy("s3-geo-ireland");
    for (const metric of [
      METRICS.removalHeldBack,
      METRICS.retriesHeldBack,
      METRICS.verificationFailed,
      METRICS.checksumMismatch,
      METRICS.backlogAge,
      METRICS.consistencyMissing,
      METRICS.consistencyStale,
      METRICS.consistencyOrphan,
    ]) {
      expect(drawn).toContain(`["S3Geo","${metric}","site_name","ireland"`);
    }
    for (const metric of [METRICS.replicationLag, METRICS.verificationLag]) {
      for (const statistic of ["p50", "p99"]) {
        expect(drawn).toContain(
          `SEARCH('{S3Geo,site_name,replicable_name} site_name="ireland" MetricName="${metric}"', '${statistic}', 60)`,
        );
      }
    }
  });

  it("draw the depth of every dead-letter queue and the failures of every state machine that the site has", () => {
    for (const site of [config.primary, ...config.secondaries]) {
      const drawn = drawnBy(`s3-geo-${site.name}`);
      const own = stacks.filter(({ name }) => name.startsWith(`s3-geo-${site.name}`));
      const queues = own.flatMap(({ template }) => ofType(template, "AWS::SQS::Queue"));
      const letters = queues
        .map(({ Properties }) => String(Properties["QueueName"]))
        .filter((name) => name.endsWith("-dead-letters"));
      const machines = own.flatMap(({ template }) => ofType(template, "AWS::StepFunctions::StateMachine"));
      expect(letters.length).toBeGreaterThan(4);
      for (const name of letters) expect(drawn).toContain(`"QueueName","${name}"`);
      for (const { Properties } of machines)
        expect(drawn).toContain(`stateMachine:${String(Properties["StateMachineName"])}"`);
      const functions = own.flatMap(({ template }) => ofType(template, "AWS::Lambda::Function"));
      for (const { Properties } of functions)
        expect(drawn).toContain(`"FunctionName","${String(Properties["FunctionName"])}"`);
    }
  });

  it("price what is counted by the very prices of geo cost", () => {
    expect(drawnBy("s3-geo-ireland")).toContain(` * ${dollars(REQUESTS.secondary.synced).toPrecision(6)}`);
  });

  it("across all sites reads each secondary's metrics and logs in that secondary's region", () => {
    const { widgets } = dashboardOf("s3-geo");
    for (const { name, region } of [config.primary, ...config.secondaries]) {
      const bars = widgets.filter(({ properties }) =>
        properties.query.includes(`/aws/lambda/s3-geo-${name}-site-status`),
      );
      expect(bars.map(({ properties }) => properties.region)).toEqual([region]);
      const looks = widgets
        .flatMap(({ properties }) => properties.metrics)
        .filter((metric) => metric[1] === METRICS.statusGathered);
      expect(looks.find((metric) => metric[3] === name)?.at(-1)).toMatchObject({ region });
    }
  });

  it("count nothing twice that is recorded by type and for the site as a whole", () => {
    for (const { name } of dashboards) expect(drawnBy(name)).not.toMatch(/SEARCH\('Namespace/);
  });
});

/** The words of a query that are fields of a line, as far as they are none of the language, and no names of its own. */
const fieldsOf = (query: string): readonly string[] => {
  const own = new Set([...query.matchAll(/\bas (\w+)/g)].map(([, name]) => name));
  const bare = query
    .replaceAll(/"[^"]*"|\/[^/]*\/|'[^']*'/g, "")
    .replaceAll(/\b(?:count|latest|count_distinct)\(/g, "(")
    .replaceAll(/\bas \w+/g, "");
  const language = new Set("SOURCE fields filter sort limit stats by asc desc and or like".split(" "));
  return [...new Set([...bare.matchAll(/@?[a-z_]\w*/gi)].map(([word]) => word))].filter(
    (word) => !language.has(word) && !own.has(word) && word !== "@timestamp",
  );
};

const STATUS_FIELDS = Object.keys(
  gaugesOfStatus({
    site: { name: "a", role: "secondary", region: "r" },
    apiUrl: "",
    version: "",
    gatheredAt: 0,
    types: [],
    unverified: [],
    settled: undefined,
    primary: undefined,
    keeps: "",
    problems: [],
    counted: {
      asOf: 0,
      lastChangeAt: undefined,
      types: new Map([
        [
          "upload",
          {
            cells: [{ state: 2, verificationState: 2, rows: 1, bytes: 1 }],
            oldestUnsyncedTime: undefined,
            backlogAges: [],
            lag: { total: undefined, notify: undefined, queue: undefined, copy: undefined, verify: undefined },
            audit: undefined,
          },
        ],
      ]),
    },
  } as never).types[0] ?? {}, // As much of a status as is told.
);

/** What `shared/lambda/http-handler.ts` logs of a call; test/unit/lambda/http-handler.test.ts holds it to that. */
const API_CALL_FIELDS = ["method", "path", "status", "milliseconds", "request_id", "token_name"];

const logged: ReadonlySet<string> = new Set([
  ...FIELDS_OF_EVERY_LINE,
  ...TRANSITION_FIELDS,
  ...STATUS_FIELDS,
  ...API_CALL_FIELDS,
]);

describe("saved queries of the logs (F106)", () => {
  const saved = stacks.flatMap(({ name: stack, template }) =>
    ofType(template, "AWS::Logs::QueryDefinition").map(({ Properties }) => ({
      stack,
      name: String(Properties["Name"]),
      groups: z.array(z.string()).parse(Properties["LogGroupNames"]),
    })),
  );
  const groups = new Set(
    stacks.flatMap(({ template }) =>
      ofType(template, "AWS::Logs::LogGroup").map(({ Properties }) => String(Properties["LogGroupName"])),
    ),
  );

  it("are saved with every site's stack", () => {
    expect(saved).toHaveLength(4 * SAVED_QUERIES.length);
    expect(saved.map(({ name }) => name)).toContain("s3-geo-ireland/Life of one key");
  });

  it("ask logs that there are, of the site's own region", () => {
    for (const { stack, groups: asked } of saved) {
      expect(asked.length).toBeGreaterThan(5);
      expect(asked.filter((group) => !groups.has(group))).toEqual([]);
      expect(asked.filter((group) => !group.startsWith(`/aws/lambda/${stack}-`))).toEqual([]);
    }
  });

  it.each(SAVED_QUERIES)("$name names fields that are really logged", ({ lines }) => {
    const fields = fieldsOf(lines.join("\n"));
    expect(fields.length).toBeGreaterThan(3);
    expect(fields.filter((field) => !logged.has(field))).toEqual([]);
  });

  it("would be found out if one named a field that nobody logs", () => {
    expect(
      fieldsOf('filter key = "a" | stats latest(wishes) as last_time by reason').filter((field) => !logged.has(field)),
    ).toEqual(["wishes"]);
  });

  it("of dashboards name such fields as well", () => {
    const queries = dashboards.flatMap(({ widgets }) => widgets.flatMap(({ properties }) => properties.query || []));
    expect(queries.length).toBeGreaterThan(5);
    expect(queries.flatMap(fieldsOf).filter((field) => !logged.has(field))).toEqual([]);
  });
});
