import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";

/** One stack of a synthesized app. */
export interface AssembledStack {
  readonly name: string;
  readonly region: string;
  readonly template: Template;
}

const Resource = z.object({ Type: z.string(), Properties: z._default(z.record(z.string(), z.unknown()), {}) });
const Template = z.object({ Resources: z._default(z.record(z.string(), Resource), {}) });

/** As much of a CloudFormation template as the fix-ups read. */
export type Template = z.infer<typeof Template>;

/** The same with everything that is in it. */
const Whole = z.looseObject({ Resources: z._default(z.record(z.string(), z.looseObject({ Type: z.string() })), {}) });

const Manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      environment: z.optional(z.string()),
      properties: z.optional(z.object({ templateFile: z.optional(z.string()), stackName: z.optional(z.string()) })),
    }),
  ),
});

/**
 * Takes resources out of the templates of an assembly that a stand-in for AWS does not know and refuses a whole stack for.
 * Nothing refers to them: they are for people to look at.
 */
export const leaveOut = async (folder: string, types: ReadonlySet<string>): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".template.json")) continue;
    const path = join(folder, name);
    const template = Whole.parse(JSON.parse(await readFile(path, "utf8")));
    const kept = Object.entries(template.Resources).filter(([, { Type }]) => !types.has(Type));
    await writeFile(path, JSON.stringify({ ...template, Resources: Object.fromEntries(kept) }));
  }
};

/** Reads the stacks of an assembly that `cdk synth` wrote. */
export const readAssembly = async (folder: string): Promise<readonly AssembledStack[]> => {
  const manifest = Manifest.parse(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")));
  const stacks = Object.entries(manifest.artifacts).filter(
    ([, artifact]) => artifact.type === "aws:cloudformation:stack",
  );
  return await Promise.all(
    stacks.map(async ([id, { environment, properties }]) => ({
      name: properties?.stackName ?? id,
      region: environment?.split("/").at(-1) ?? "unknown-region",
      template: Template.parse(
        JSON.parse(await readFile(join(folder, properties?.templateFile ?? `${id}.template.json`), "utf8")),
      ),
    })),
  );
};
