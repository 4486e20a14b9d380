import { readdirSync } from "node:fs";

import { Duration, Stack } from "aws-cdk-lib";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";

import { env as adminPage } from "../../functions/admin-page/env.ts";
import { env as authorizer } from "../../functions/authorizer/env.ts";
import { env as batchDestroy } from "../../functions/batch-destroy/env.ts";
import { env as bulkUpdate } from "../../functions/bulk-update/env.ts";
import { env as checksum } from "../../functions/checksum/env.ts";
import { env as counterAudit } from "../../functions/counter-audit/env.ts";
import { env as counters } from "../../functions/counters/env.ts";
import { env as eventConsumer } from "../../functions/event-consumer/env.ts";
import { env as eventPublisher } from "../../functions/event-publisher/env.ts";
import { env as largeCopy } from "../../functions/large-copy/env.ts";
import { env as replicaDrift } from "../../functions/replica-drift/env.ts";
import { env as registryConsistency } from "../../functions/registry-consistency/env.ts";
import { env as retrySweep } from "../../functions/retry-sweep/env.ts";
import { env as siteStatus } from "../../functions/site-status/env.ts";
import { env as statusApi } from "../../functions/status-api/env.ts";
import { env as verification } from "../../functions/verification/env.ts";
import { env as verificationBackfill } from "../../functions/verification-backfill/env.ts";
import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import type { FunctionFolder } from "../../infra/constructs/function-folder.ts";
import { GeoFunction } from "../../infra/constructs/geo-function.ts";
import { decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { asText, ofType, synthesize, testApp } from "./support/templates.ts";

const SCHEMAS = {
  "admin-page": adminPage,
  authorizer,
  "batch-destroy": batchDestroy,
  "bulk-update": bulkUpdate,
  checksum,
  "counter-audit": counterAudit,
  counters,
  "event-consumer": eventConsumer,
  "event-publisher": eventPublisher,
  "large-copy": largeCopy,
  "registry-consistency": registryConsistency,
  "replica-drift": replicaDrift,
  "retry-sweep": retrySweep,
  "site-status": siteStatus,
  "status-api": statusApi,
  verification,
  "verification-backfill": verificationBackfill,
} satisfies Record<FunctionFolder, z.ZodMiniObject>;

const FOLDERS = Object.keys(SCHEMAS) as FunctionFolder[];

/** Lambda's limit for all of a function's environment, in bytes. */
const ENVIRONMENT_BYTES_MAX = 4_096;

const functions = synthesize(config).flatMap(({ region, template }) =>
  ofType(template, "AWS::Lambda::Function").map(({ Properties }) => {
    const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
    const name = String(Properties.FunctionName);
    const folder = FOLDERS.find((one) => name.endsWith(`-${one}`));
    if (folder === undefined) throw new Error(`${name} is of no folder of functions/`);
    return {
      name,
      region,
      folder,
      schema: SCHEMAS[folder],
      timeout: Number(Properties.Timeout),
      properties: Properties,
      variables: Object.fromEntries(Object.entries(Variables).map(([key, value]) => [key, asText(value)])),
    };
  }),
);

describe("the environment of every deployed function", () => {
  it("is what the function parses, whole text without a reference left in it", () => {
    const refused = functions.filter(({ schema, variables }) => !z.safeParse(schema, variables).success);
    expect(refused.map(({ name }) => name)).toEqual([]);
    for (const { variables } of functions) {
      expect(JSON.stringify(Object.values(variables))).not.toMatch(/\$\{Token|Fn::|\{[A-Za-z0-9]+\.Arn\}/);
    }
  });

  it("holds nothing that the function does not ask for", () => {
    const unasked = functions.flatMap(({ name, schema, variables }) =>
      Object.keys(variables)
        .filter((key) => !(key in schema.def.shape))
        .map((key) => `${name}: ${key}`),
    );
    expect(unasked).toEqual([]);
  });

  it("fits into what Lambda allows", () => {
    const bytes = functions.map(({ variables }) => Buffer.byteLength(JSON.stringify(variables)));
    expect(Math.max(...bytes)).toBeLessThan(ENVIRONMENT_BYTES_MAX);
  });

  it("names the function's own timeout where leases follow from it", () => {
    const timed = functions.filter(({ variables }) => variables.TIMEOUT_SECONDS !== undefined);
    expect(timed).toHaveLength(4 + 3 * 6);
    for (const { variables, timeout } of timed) expect(Number(variables.TIMEOUT_SECONDS)).toBe(timeout);
  });

  it("carries the replicables as the functions read them", () => {
    const selections = functions.flatMap(({ variables }) => variables.REPLICABLES ?? []);
    expect(selections).toHaveLength(8 + 3 * 11);
    for (const selection of selections) expect(decodeReplicableSelection(selection)).toEqual(config.selection);
  });

  it("points a publisher at its secondary's region, while it runs in the primary's", () => {
    const tokyo = functions.find(({ name }) => name === "s3-geo-tokyo-event-publisher");
    expect(tokyo).toMatchObject({
      region: "us-east-1",
      variables: { EVENTS_QUEUE: "s3-geo-tokyo-geo-events", EVENTS_QUEUE_REGION: "ap-northeast-1" },
    });
  });
});

describe("a forgotten or wrong variable", () => {
  const props = {
    folder: "authorizer",
    functionName: "s3-geo-x-authorizer",
    description: "",
    schema: authorizer,
    timeout: Duration.seconds(1),
    memorySize: 128,
  } as const;

  it("does not compile", () => {
    const stack = new Stack(testApp());
    // @ts-expect-error SITE_TABLE is missing
    const forget = () => new GeoFunction(stack, "Forgotten", { ...props, environment: { SITE_NAME: "x" } });
    expect(forget).toThrow(/SITE_TABLE/);
  });

  it("fails the synthesis, naming function and variable", () => {
    const stack = new Stack(testApp());
    expect(
      () => new GeoFunction(stack, "Wrong", { ...props, environment: { SITE_NAME: "", SITE_TABLE: "t" } }),
    ).toThrow(/s3-geo-x-authorizer would not start with this environment[\s\S]*SITE_NAME/);
  });
});

describe("the functions of the templates", () => {
  it("are those of functions/, all of them", () => {
    const folders = readdirSync("functions", { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect([...new Set(functions.map(({ folder }) => folder))].sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it("run on Node 24 on arm64, each with a log that ends", () => {
    for (const { properties } of functions) {
      expect(properties).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"], Handler: "index.handler" });
      expect(properties).not.toHaveProperty("ReservedConcurrentExecutions");
    }
    const logs = synthesize(config).flatMap(({ template }) => ofType(template, "AWS::Logs::LogGroup"));
    for (const { Properties } of logs) expect(Properties.RetentionInDays).toBe(30);
  });
});
