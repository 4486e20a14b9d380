import { describe, expect, it } from "vitest";

import defaultConfig from "../../infra/geo.config.ts";
import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { defineGeoConfig } from "../../shared/config/geo-config.ts";
import { synthesize, type SynthesizedStack } from "./support/templates.ts";

/** CloudFormation takes a million bytes; half leaves room for what is to come. */
const TEMPLATE_BYTES_MAX = 500_000;

const stacks = synthesize(config);
const regionOf = new Map(stacks.map(({ name, region }) => [name, region]));

/** The exports that a stack reads, each with the stack that makes it. */
const importsOf = ({ text }: Pick<SynthesizedStack, "text">): readonly string[] =>
  [...text.matchAll(/"Fn::ImportValue":\s*"([^":]+):/g)].map(([, exporter = ""]) => exporter);

describe("the stacks of one primary and three secondaries", () => {
  it("are two per site in its own region, a feed per secondary in the primary's, and a page across all sites there", () => {
    expect(stacks.map(({ name, region }) => `${name} in ${region}`).sort()).toEqual([
      "s3-geo in us-east-1",
      "s3-geo-ireland in eu-west-1",
      "s3-geo-ireland-feed in us-east-1",
      "s3-geo-ireland-storage in eu-west-1",
      "s3-geo-sydney in ap-southeast-2",
      "s3-geo-sydney-feed in us-east-1",
      "s3-geo-sydney-storage in ap-southeast-2",
      "s3-geo-tokyo in ap-northeast-1",
      "s3-geo-tokyo-feed in us-east-1",
      "s3-geo-tokyo-storage in ap-northeast-1",
      "s3-geo-virginia in us-east-1",
      "s3-geo-virginia-storage in us-east-1",
    ]);
  });

  it("wait only for stacks of their own region, so that regions can be deployed in any order", () => {
    const orders = stacks.flatMap(({ name, after }) => after.map((earlier) => [name, earlier] as const));
    expect(orders).toContainEqual(["s3-geo-tokyo-feed", "s3-geo-virginia-storage"]);
    expect(orders.filter(([name, earlier]) => regionOf.get(name) !== regionOf.get(earlier))).toEqual([]);
  });

  it("read no other stack's values but their own storage's stream, and never across regions", () => {
    const imports = stacks.flatMap((stack) => importsOf(stack).map((from) => `${stack.name} from ${from}`));
    expect([...new Set(imports)].sort()).toEqual([
      "s3-geo-ireland from s3-geo-ireland-storage",
      "s3-geo-sydney from s3-geo-sydney-storage",
      "s3-geo-tokyo from s3-geo-tokyo-storage",
      "s3-geo-virginia from s3-geo-virginia-storage",
    ]);
    for (const { text } of stacks) expect(text).not.toMatch(/Fn::GetStackOutput|ExportWriter|ExportReader|resolve:ssm/);
  });

  it("stay far below the size of a template", () => {
    expect(Math.max(...stacks.map(({ bytes }) => bytes))).toBeLessThan(TEMPLATE_BYTES_MAX);
  });

  it("run nothing of ours during a deployment", () => {
    for (const { template } of stacks) {
      const types = Object.values(template.Resources).map(({ Type }) => Type);
      expect(
        types.filter((type) => type.startsWith("Custom::") || type === "AWS::CloudFormation::CustomResource"),
      ).toEqual([]);
    }
  });

  it("say where to go: the API's address, the tables and the queues", () => {
    const outputs = Object.fromEntries(stacks.map(({ name, template }) => [name, Object.keys(template.Outputs)]));
    expect(outputs["s3-geo-virginia"]?.sort()).toEqual(["ApiId", "ApiStage", "ApiUrl", "ChecksumQueueUrl"]);
    expect(outputs["s3-geo-ireland"]).toEqual(
      expect.arrayContaining(["ApiUrl", "EventsQueueUrl", "VerificationQueueUrl"]),
    );
    expect(outputs["s3-geo-virginia-storage"]).toEqual(
      expect.arrayContaining(["BucketName", "VerificationStateTable", "SiteTable"]),
    );
    expect(outputs["s3-geo-ireland-storage"]).toEqual(
      expect.arrayContaining(["BucketName", "RegistryTable", "SiteTable"]),
    );
    expect(outputs["s3-geo-ireland-feed"]).toContain("IngestQueueUrl");
  });

  it.each(["s3-geo-virginia", "s3-geo-ireland"])(
    "give the API's address so that a path can be put behind it: %s",
    (name) => {
      const outputs = stacks.find((stack) => stack.name === name)?.template.Outputs;
      // Parts that are joined: the last one is the stage, and no slash.
      expect(JSON.stringify(outputs?.["ApiUrl"])).toMatch(/"https:\/\/".*execute-api.*"\/",\{"Ref":"[^"]+"\}\]\]\}\}$/);
    },
  );
});

describe("adding a secondary", () => {
  it("changes no stack that was there before (docs/adr/0001-feed-stack.md)", () => {
    const { primary, secondaries, selection: _selection, ...rest } = config;
    const [ireland] = secondaries;
    const smaller = synthesize(
      defineGeoConfig({ ...rest, sites: [primary, ...(ireland === undefined ? [] : [ireland])] }),
    );
    expect(smaller).toHaveLength(6);
    // The page across all sites is a stack of its own for this: it alone draws one site more.
    for (const { name, text } of smaller.filter(({ name: stack }) => stack !== "s3-geo"))
      expect(text).toBe(stacks.find((stack) => stack.name === name)?.text);
  });
});

describe("the configuration that comes with the repository", () => {
  it("synthesizes to the same shape, twice the same", () => {
    const once = synthesize(defaultConfig);
    expect(once).toHaveLength(6);
    expect(synthesize(defaultConfig).map(({ text }) => text)).toEqual(once.map(({ text }) => text));
  });
});
