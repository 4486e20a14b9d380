import * as z from "zod/mini";
import type { Cloud } from "../../../infra/local/cloud.ts";
import { askCloud } from "../ask-cloud.ts";

/** A deployed function, where it runs. */
export interface DeployedFunction {
  readonly name: string;
  readonly region: string;
}

/** Environment variables of a function. */
type Variables = Readonly<Record<string, string>>;

const Configuration = z.object({
  State: z.optional(z.string()),
  LastUpdateStatus: z.optional(z.string()),
  Environment: z._default(z.object({ Variables: z.record(z.string(), z.string()) }), { Variables: {} }),
});

const FunctionList = z.object({ Functions: z.array(z.object({ FunctionName: z.string() })) });

/** The functions of an installation in some regions. */
export const listFunctions = async (
  cloud: Cloud,
  regions: readonly string[],
  installation: string,
): Promise<readonly DeployedFunction[]> => {
  const lists = await Promise.all(
    regions.map(async (region) => {
      const answer = await askCloud(cloud, region, "lambda", "/2015-03-31/functions/?MaxItems=50");
      return FunctionList.parse(answer).Functions.map(({ FunctionName: name }) => ({ name, region }));
    }),
  );
  return lists.flat().filter(({ name }) => name.startsWith(`${installation}-`));
};

const configurationOf = async (cloud: Cloud, { name, region }: DeployedFunction, init?: RequestInit) =>
  Configuration.parse(await askCloud(cloud, region, "lambda", `/2015-03-31/functions/${name}/configuration`, init));

/** Gives a function another environment. Its workers are started anew. Resolves once the cloud runs it so. */
const setVariables = async (cloud: Cloud, one: DeployedFunction, variables: Variables): Promise<void> => {
  await configurationOf(cloud, one, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ Environment: { Variables: variables } }),
  });
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { State = "Active", LastUpdateStatus = "Successful" } = await configurationOf(cloud, one);
    if (State === "Active" && LastUpdateStatus === "Successful") return;
    if (Date.now() > deadline) throw new Error(`${one.name} is still ${State}, ${LastUpdateStatus} after its update`);
    await new Promise((tick) => setTimeout(tick, 100));
  }
};

/**
 * Makes a function send its requests to `endpoint` and say in each which function it is. On a local cloud its workers are
 * ended whatever they do, and started anew.
 *
 * @param options.variables what else its environment is to hold for as long. Default nothing.
 * @returns what makes it as it was before
 */
export const tapFunction = async (
  cloud: Cloud,
  one: DeployedFunction,
  endpoint: string,
  { variables = {} }: { readonly variables?: Variables } = {},
): Promise<() => Promise<void>> => {
  const before = (await configurationOf(cloud, one)).Environment.Variables;
  await setVariables(cloud, one, { ...before, ...variables, AWS_ENDPOINT_URL: endpoint, AWS_SDK_UA_APP_ID: one.name });
  return () => setVariables(cloud, one, before);
};
