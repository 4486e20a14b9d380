/**
 * The conformance kit, over every type of shared/replicables/index.ts by itself: a type that is declared there is covered
 * without a line of test.
 */
import { describe } from "vitest";
import { replicables } from "../../shared/replicables/index.ts";
import { behavesAsBlobReplicator } from "./blob-replicator.ts";
import { isFound } from "./finder.ts";
import { keepsRegistry } from "./registry.ts";
import { isShown } from "./resolver.ts";
import { behavesAsVerifiableReplicator } from "./verifiable-replicator.ts";

describe.each(replicables)("$name", (type) => {
  behavesAsBlobReplicator(type);
  behavesAsVerifiableReplicator(type);
  keepsRegistry(type);
  isFound(type);
  isShown(type);
});
