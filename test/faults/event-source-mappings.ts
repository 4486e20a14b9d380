import * as z from "zod/mini";
import { cloud } from "../support/cloud.ts";
import { askCloud } from "../support/ask-cloud.ts";
import type { DeployedFunction } from "../support/wire/tapped-functions.ts";

const Mappings = z.object({ EventSourceMappings: z.array(z.object({ UUID: z.string() })) });

const PATH = "/2015-03-31/event-source-mappings/";

/** Has Lambda read the queues of a function, or not. What a worker holds already it goes on with. */
export const readItsQueues = async ({ name, region }: DeployedFunction, enabled: boolean): Promise<void> => {
  const answer = await askCloud(cloud, region, "lambda", `${PATH}?FunctionName=${name}`);
  for (const { UUID } of Mappings.parse(answer).EventSourceMappings) {
    await askCloud(cloud, region, "lambda", `${PATH}${UUID}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Enabled: enabled }),
    });
  }
};
