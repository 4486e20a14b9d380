import { expect, test } from "vitest";
import { replicaStorageClass } from "../../../shared/geo/object-facts.ts";

test.each([
  ["STANDARD", "STANDARD"],
  ["STANDARD_IA", "STANDARD_IA"],
  ["GLACIER_IR", "GLACIER_IR"],
  ["GLACIER", "GLACIER_IR"],
  ["DEEP_ARCHIVE", "GLACIER_IR"],
])("the replica of an object in %s goes to %s, where it can be read at once", (source, replica) => {
  expect(replicaStorageClass({ storageClass: source })).toBe(replica);
});
