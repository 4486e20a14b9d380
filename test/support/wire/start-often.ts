import { cloud, installation } from "../cloud.ts";
import { askCloud } from "../ask-cloud.ts";
import { listFunctions } from "./tapped-functions.ts";

/** How often, milliseconds: as soon as the last start has been taken and a moment has passed. */
const PAUSE_MS = 3_000;

/**
 * What starts a function once, without waiting for its end, as its schedule does. Only on a cloud with an endpoint of its own.
 *
 * @param folder of the function
 */
export const starterOf = async (folder: string, region: string): Promise<() => Promise<void>> => {
  const found = (await listFunctions(cloud, [region], installation)).find(({ name }) => name.endsWith(`-${folder}`));
  if (found === undefined) throw new Error(`no function ${folder} is deployed in ${region}`);
  return async () => {
    const answer = await fetch(new URL(`/2015-03-31/functions/${found.name}/invocations`, cloud.endpoint), {
      method: "POST",
      body: "{}",
      headers: {
        "x-amz-invocation-type": "Event",
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/lambda/aws4_request, SignedHeaders=host, Signature=none`,
      },
    });
    if (!answer.ok) throw new Error(`${found.name} could not be started: ${answer.status} ${await answer.text()}`);
  };
};

/**
 * Starts a function that its schedule starts each minute every few seconds, so that a test waits for what it does and not for
 * the minute. On a cloud without an endpoint of its own the schedule alone starts it.
 *
 * @param folder of the function
 * @returns what ends it
 */
export const startOften = async (folder: string, region: string): Promise<() => Promise<void>> => {
  if (cloud.endpoint === undefined) return () => Promise.resolve();
  const start = await starterOf(folder, region);
  const over = new AbortController();
  const starting = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      await start();
      await new Promise((tick) => setTimeout(tick, PAUSE_MS));
    }
  })();
  return () => {
    over.abort();
    return starting;
  };
};

/**
 * Switches a schedule off, so that a test alone says when its function is started. Only on a cloud with an endpoint of its own.
 *
 * @param name of the schedule
 * @returns what switches it on again
 */
export const pauseSchedule = async (name: string, region: string): Promise<() => Promise<void>> => {
  const path = `/schedules/${name}`;
  const set = async (State: "ENABLED" | "DISABLED"): Promise<void> => {
    const schedule = await askCloud(cloud, region, "scheduler", path);
    const body = JSON.stringify({ ...(schedule as object), State }); // what the service answers is an object
    await askCloud(cloud, region, "scheduler", path, { method: "PUT", body });
  };
  await set("DISABLED");
  return () => set("ENABLED");
};
