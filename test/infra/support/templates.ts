/** The synthesized templates of an installation, as plain data that rules can be written over. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { App } from "aws-cdk-lib";
import type { CloudAssembly } from "aws-cdk-lib/cx-api";
import * as z from "zod";

import { addGeoStacks } from "../../../infra/geo-app.ts";
import type { GeoConfig } from "../../../shared/config/geo-config.ts";

const Resource = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  DependsOn: z.union([z.array(z.string()), z.string().transform((one) => [one])]).default([]),
});

const Template = z.object({
  Resources: z.record(z.string(), Resource),
  Outputs: z.record(z.string(), z.unknown()).default({}),
});

export type Resource = z.infer<typeof Resource>;
export type Template = z.infer<typeof Template>;

/** One stack as it would be deployed. */
export interface SynthesizedStack {
  readonly name: string;
  readonly region: string;
  /** Names of the stacks that must be deployed before it. */
  readonly after: readonly string[];
  /** Size of the template in bytes, as it is uploaded. */
  readonly bytes: number;
  readonly text: string;
  readonly template: Template;
}

const CdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

/** An app with the context of cdk.json that bundles nothing: the templates are the same, and quick to make. */
export const testApp = (outdir?: string): App => {
  const { context } = CdkJson.parse(JSON.parse(readFileSync("cdk.json", "utf8")));
  return new App({
    context: { ...context, "aws:cdk:bundling-stacks": [] },
    ...(outdir === undefined ? {} : { outdir }),
  });
};

const read = (assembly: CloudAssembly): readonly SynthesizedStack[] =>
  assembly.stacks.map((stack) => {
    const text = readFileSync(stack.templateFullPath, "utf8");
    return {
      name: stack.stackName,
      region: stack.environment.region,
      after: stack.dependencies.flatMap(({ id }) => (id.endsWith(".assets") ? [] : [id])),
      bytes: Buffer.byteLength(text),
      text,
      template: Template.parse(JSON.parse(text)),
    };
  });

/** Synthesizes an installation. */
export const synthesize = (config: GeoConfig): readonly SynthesizedStack[] => {
  const outdir = mkdtempSync(join(tmpdir(), "geo-synth-"));
  try {
    const app = testApp(outdir);
    addGeoStacks(app, config);
    return read(app.synth());
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
};

/** A resource with its logical id. */
export interface Found extends Resource {
  readonly id: string;
}

/** A template's resources of a type. */
export const ofType = (template: Template, type: string): readonly Found[] =>
  Object.entries(template.Resources).flatMap(([id, resource]) => (resource.Type === type ? [{ id, ...resource }] : []));

const Intrinsic = z.union([
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ "Fn::GetAtt": z.tuple([z.string(), z.string()]) }),
  z.strictObject({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) }),
  z.strictObject({ "Fn::ImportValue": z.string() }),
]);

/** A value as text: references become `{LogicalId}` or `{LogicalId.Attribute}`. */
export const asText = (value: unknown): string => {
  const parsed = Intrinsic.safeParse(value);
  if (!parsed.success) return typeof value === "string" ? value : JSON.stringify(value);
  if ("Ref" in parsed.data) return `{${parsed.data.Ref}}`;
  if ("Fn::GetAtt" in parsed.data) return `{${parsed.data["Fn::GetAtt"].join(".")}}`;
  if ("Fn::ImportValue" in parsed.data) return `{import ${parsed.data["Fn::ImportValue"]}}`;
  const [separator, parts] = parsed.data["Fn::Join"];
  return parts.map(asText).join(separator);
};

/** A deep copy with one change, to show that a rule notices it. */
export const changed = (template: Template, change: (copy: Template) => void): Template => {
  const copy = structuredClone(template);
  change(copy);
  return copy;
};
