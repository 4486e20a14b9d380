import type { Cloud } from "../../infra/local/cloud.ts";

/**
 * A request to a service for which the project has no client, in a region. The local cloud takes both from the signature's
 * scope and does not check the signature.
 *
 * @returns what the answer's JSON holds
 * @throws {Error} when the cloud has no endpoint of its own, or answers with an error
 */
export const askCloud = async (
  { name, endpoint }: Pick<Cloud, "name" | "endpoint">,
  region: string,
  service: string,
  path: string,
  init: RequestInit = {},
): Promise<unknown> => {
  if (endpoint === undefined) throw new Error(`${name} has no endpoint of its own`);
  const response = await fetch(new URL(path, endpoint), {
    ...init,
    headers: {
      ...(init.headers as Record<string, string> | undefined), // every caller of ours gives a record
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
    },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${service} in ${region} answered ${response.status} to ${path}: ${text}`);
  return JSON.parse(text);
};
