import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";

/** A function as an assembly would deploy it. */
export interface LambdaBundle {
  /** Its folder of `functions/`. */
  readonly folder: string;
  /** One of the functions that run this bundle. */
  readonly functionName: string;
  /** The file that Lambda loads. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What a deployment puts in, such as the address of an API, is not known here; any text of that form will do. */
const Variable = z.pipe(
  z.unknown(),
  z.transform((value) => (typeof value === "string" ? value : "https://example.com/geo")),
);

const FunctionResource = z.object({
  Type: z.literal("AWS::Lambda::Function"),
  Metadata: z.object({ "aws:asset:path": z.string() }),
  Properties: z.object({
    FunctionName: z.string(),
    Environment: z._default(z.object({ Variables: z.record(z.string(), Variable) }), { Variables: {} }),
  }),
});

const Template = z.object({ Resources: z._default(z.record(z.string(), z.unknown()), {}) });

/**
 * Finds the bundles of an assembly: what is measured is what is deployed, by whatever options the app bundles with.
 *
 * @param folders of `functions/`; a function's name ends in the one that it lives in
 */
export const readBundles = async (assembly: string, folders: readonly string[]): Promise<readonly LambdaBundle[]> => {
  const bundles = new Map<string, LambdaBundle>();
  for (const name of (await readdir(assembly)).filter((file) => file.endsWith(".template.json"))) {
    const { Resources } = Template.parse(JSON.parse(await readFile(join(assembly, name), "utf8")));
    for (const resource of Object.values(Resources)) {
      const parsed = FunctionResource.safeParse(resource);
      if (!parsed.success) continue;
      const { Metadata, Properties } = parsed.data;
      const folder = folders.find((one) => Properties.FunctionName.endsWith(`-${one}`));
      if (folder === undefined) continue; // not ours: a helper of the CDK
      bundles.set(folder, {
        folder,
        functionName: Properties.FunctionName,
        file: join(assembly, Metadata["aws:asset:path"], "index.mjs"),
        environment: Properties.Environment.Variables,
      });
    }
  }
  const missing = folders.filter((folder) => !bundles.has(folder));
  if (missing.length > 0) throw new Error(`${assembly} has no function for ${missing.join(", ")}`);
  return [...bundles.values()].sort((left, right) => (left.folder < right.folder ? -1 : 1));
};
