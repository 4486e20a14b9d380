import { it } from "vitest";
import type { Capability } from "../../infra/local/capabilities.ts";

/** Why an implementation can not show something; undefined when it can. */
export type Lacks = (capability: Capability) => string | undefined;

/** An implementation that is held to everything. */
export const lacksNothing: Lacks = () => undefined;

/** A test that needs a capability: reported as skipped, with the reason, where it is missing. */
export const itNeeds = (lacks: Lacks, capability: Capability, title: string, run: () => Promise<void>): void => {
  const reason = lacks(capability);
  it(title, async (context) => {
    if (reason !== undefined) context.skip(`lacks ${capability}: ${reason}`);
    await run();
  });
};
