import type { TestContext } from "vitest";
import type { Capability } from "../../infra/local/capabilities.ts";

/** What only the contract suites look at, beside what every other test may need. */
export type ContractCapability =
  | Capability
  | "conditional-delete-of-absent-key"
  | "message-delay-limit"
  | "read-of-delete-marker-refused"
  | "update-path-overlap-check";

/** Why an implementation can not show something; undefined when it can. */
export type Lacks = (capability: ContractCapability) => string | undefined;

/** An implementation that is held to everything. */
export const lacksNothing: Lacks = () => undefined;

/** Ends a test as skipped, with the reason, where a capability is missing that it needs. */
export const needs = (context: TestContext, lacks: Lacks, capability: ContractCapability): void => {
  const reason = lacks(capability);
  if (reason !== undefined) context.skip(`lacks ${capability}: ${reason}`);
};
