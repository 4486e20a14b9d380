import { cloud, installation, primary, secondary } from "../support/cloud.ts";
import { type DeployedFunction, listFunctions, tapFunction } from "../support/wire/tapped-functions.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { shortenVisibility } from "./queue-patience.ts";
import { openRemovalGuard } from "./removal-guard.ts";

/** The functions that an object passes on its way, by the folder that each is made from. */
export const ON_THE_WAY = ["event-publisher", "checksum", "event-consumer", "verification"] as const;
export type OnTheWay = (typeof ON_THE_WAY)[number];

/** Two sites whose functions ask the cloud through a proxy on which things go wrong. */
export interface FaultyPair {
  readonly proxy: FaultProxy;
  readonly functions: Readonly<Record<OnTheWay, DeployedFunction>>;
  /** Ends every fault, and makes functions and queues as they were before. */
  restore(): Promise<void>;
}

export interface FaultyPairOptions {
  readonly seed: number;
  /** After how many seconds a message that was not acknowledged comes back. */
  readonly visibilitySeconds: number;
  /** After so long each fault ends by itself. Milliseconds, default a minute. */
  readonly ruleEndsAfterMs?: number;
  /** Added to the environment of functions. */
  readonly variables?: Readonly<Partial<Record<OnTheWay, Readonly<Record<string, string>>>>>;
}

const deployedFunctions = async (): Promise<FaultyPair["functions"]> => {
  const all = await listFunctions(cloud, [primary.region, secondary.region], installation);
  const found = ON_THE_WAY.map((folder) => {
    const one = all.find(({ name }) => name.endsWith(`-${folder}`));
    if (one === undefined) throw new Error(`no function ${folder} is deployed: ${all.map(({ name }) => name).join()}`);
    return [folder, one] as const;
  });
  // One entry for each of ON_THE_WAY, which `fromEntries` can not tell.
  return Object.fromEntries(found) as Record<OnTheWay, DeployedFunction>;
};

/** Waits for all of them. Should one fail, those that did not are undone; else the answer undoes all. */
const allOrNone = async (doings: readonly Promise<() => Promise<void>>[]): Promise<() => Promise<void>> => {
  const results = await Promise.allSettled(doings);
  const undo = async (): Promise<void> => {
    const undone = await Promise.allSettled(
      results.flatMap((result) => (result.status === "fulfilled" ? [result.value()] : [])),
    );
    const failures = undone.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, "not everything could be undone");
  };
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return undo;
  await undo();
  throw failed.reason;
};

/**
 * Puts a fault proxy between the deployed functions and the cloud. What Lambda itself does, such as receiving messages and
 * reading streams, does not go through it.
 *
 * On a local cloud changing a function's environment ends its workers whatever they do: nobody else may use the sites.
 */
export const faultyPair = async ({
  seed,
  visibilitySeconds,
  ruleEndsAfterMs = 60_000,
  variables = {},
}: FaultyPairOptions): Promise<FaultyPair> => {
  const endings: (() => unknown)[] = [];
  /** What was done last is undone first; that one thing can not be undone keeps no other from it. */
  const restore = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const end of endings.splice(0).toReversed()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "the sites are not as they were before");
  };
  try {
    const functions = await deployedFunctions();
    const proxy = await startFaultProxy(cloud.endpoint ?? "", { seed, ruleEndsAfterMs });
    endings.push(() => proxy.stop());
    endings.push(
      await allOrNone(
        ON_THE_WAY.map((folder) =>
          tapFunction(cloud, functions[folder], proxy.endpoint, { variables: variables[folder] ?? {} }),
        ),
      ),
    );
    endings.push(await shortenVisibility(visibilitySeconds));
    endings.push(await openRemovalGuard("cool_widget")); // the type of every key that these suites use
    // First of all: a function that is still at work gets its answers.
    endings.push(() => proxy.lift());
    return { proxy, functions, restore };
  } catch (error) {
    await restore();
    throw error;
  }
};
