/**
 * The conformance kit, over every type of shared/replicables/index.ts by itself: a type that is declared there is covered
 * without a line of test. The objects of a partitioned type are those of its partitions, so that it has none to show alone.
 */
import { describe } from "vitest";
import { replicables } from "../../shared/replicables/index.ts";
import { behavesAsBlobReplicator } from "./blob-replicator.ts";
import { isFound } from "./finder.ts";
import { keepsRegistry } from "./registry.ts";
import { behavesAsVerifiableReplicator } from "./verifiable-replicator.ts";

describe.each(replicables.filter(({ partitioned }) => !partitioned))("$name", (type) => {
  behavesAsBlobReplicator(type);
  behavesAsVerifiableReplicator(type);
  keepsRegistry(type);
  isFound(type);
});
