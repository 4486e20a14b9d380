import { cloud, installation } from "../cloud.ts";
import { listFunctions } from "./tapped-functions.ts";

/** How often, milliseconds: as soon as the last start has been taken and a moment has passed. */
const PAUSE_MS = 3_000;

/**
 * Starts a function that its schedule starts each minute every few seconds, so that a test waits for what it does and not for
 * the minute. On a cloud without an endpoint of its own the schedule alone starts it.
 *
 * @param folder of the function
 * @returns what ends it
 */
export const startOften = async (folder: string, region: string): Promise<() => Promise<void>> => {
  const { endpoint } = cloud;
  if (endpoint === undefined) return () => Promise.resolve();
  const found = (await listFunctions(cloud, [region], installation)).find(({ name }) => name.endsWith(`-${folder}`));
  if (found === undefined) throw new Error(`no function ${folder} is deployed in ${region}`);
  const over = new AbortController();
  const starting = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      const answer = await fetch(new URL(`/2015-03-31/functions/${found.name}/invocations`, endpoint), {
        method: "POST",
        body: "{}",
        headers: {
          "x-amz-invocation-type": "Event",
          authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/lambda/aws4_request, SignedHeaders=host, Signature=none`,
        },
      });
      if (!answer.ok) throw new Error(`${found.name} could not be started: ${answer.status} ${await answer.text()}`);
      await new Promise((tick) => setTimeout(tick, PAUSE_MS));
    }
  })();
  return () => {
    over.abort();
    return starting;
  };
};
