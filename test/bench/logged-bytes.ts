import * as z from "zod/mini";
import type { Cloud } from "../../infra/local/cloud.ts";
import { askCloud } from "../support/ask-cloud.ts";

const LogGroups = z.object({ logGroups: z.array(z.object({ storedBytes: z.optional(z.number()) })) });

/** Bytes that the functions of an installation have logged in a region so far. */
export const loggedBytes = async (cloud: Cloud, region: string, installation: string): Promise<number> => {
  const answer = await askCloud(cloud, region, "logs", "/", {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups" },
    body: JSON.stringify({ logGroupNamePrefix: `/aws/lambda/${installation}-`, limit: 50 }),
  });
  return LogGroups.parse(answer).logGroups.reduce((sum, { storedBytes = 0 }) => sum + storedBytes, 0);
};
