import * as z from "zod/mini";
import type { Cloud } from "../../infra/local/cloud.ts";

/** A deployed function, where it runs. */
export interface DeployedFunction {
  readonly name: string;
  readonly region: string;
}

const Configuration = z.object({
  State: z.optional(z.string()),
  LastUpdateStatus: z.optional(z.string()),
  Environment: z._default(z.object({ Variables: z.record(z.string(), z.string()) }), { Variables: {} }),
});

const FunctionList = z.object({ Functions: z.array(z.object({ FunctionName: z.string() })) });

/**
 * Requests to a service for which the bench has no client. The local cloud takes the region from the signature's scope and
 * does not check the signature.
 */
const ask = async (
  endpoint: string,
  region: string,
  service: string,
  path: string,
  init: RequestInit = {},
): Promise<unknown> => {
  const response = await fetch(new URL(path, endpoint), {
    ...init,
    headers: {
      ...(init.headers as Record<string, string> | undefined),
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
    },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${service} in ${region} answered ${response.status} to ${path}: ${text}`);
  return JSON.parse(text);
};

const endpointOf = (cloud: Cloud): string => {
  if (cloud.endpoint === undefined) throw new Error(`${cloud.name} has no endpoint of its own`);
  return cloud.endpoint;
};

/** The functions of an installation in some regions. */
export const listFunctions = async (
  cloud: Cloud,
  regions: readonly string[],
  installation: string,
): Promise<readonly DeployedFunction[]> => {
  const lists = await Promise.all(
    regions.map(async (region) => {
      const answer = await ask(endpointOf(cloud), region, "lambda", "/2015-03-31/functions/?MaxItems=50");
      return FunctionList.parse(answer).Functions.map(({ FunctionName: name }) => ({ name, region }));
    }),
  );
  return lists.flat().filter(({ name }) => name.startsWith(`${installation}-`));
};

/**
 * Makes a function send its requests to `endpoint` and say in each which function it is. Its workers are started anew.
 * Resolves once the cloud runs it so.
 */
export const tapFunction = async (
  cloud: Cloud,
  { name, region }: DeployedFunction,
  endpoint: string,
): Promise<void> => {
  const path = `/2015-03-31/functions/${name}/configuration`;
  const read = async () => Configuration.parse(await ask(endpointOf(cloud), region, "lambda", path));
  const { Environment } = await read();
  await ask(endpointOf(cloud), region, "lambda", path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      Environment: {
        Variables: { ...Environment.Variables, AWS_ENDPOINT_URL: endpoint, AWS_SDK_UA_APP_ID: name },
      },
    }),
  });
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { State = "Active", LastUpdateStatus = "Successful" } = await read();
    if (State === "Active" && LastUpdateStatus === "Successful") return;
    if (Date.now() > deadline) throw new Error(`${name} is still ${State}, ${LastUpdateStatus} after its update`);
    await new Promise((tick) => setTimeout(tick, 100));
  }
};

const LogGroups = z.object({ logGroups: z.array(z.object({ storedBytes: z.optional(z.number()) })) });

/** Bytes that the functions of an installation have logged in a region so far. */
export const loggedBytes = async (cloud: Cloud, region: string, installation: string): Promise<number> => {
  const answer = await ask(endpointOf(cloud), region, "logs", "/", {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups" },
    body: JSON.stringify({ logGroupNamePrefix: `/aws/lambda/${installation}-`, limit: 50 }),
  });
  return LogGroups.parse(answer).logGroups.reduce((sum, { storedBytes = 0 }) => sum + storedBytes, 0);
};
