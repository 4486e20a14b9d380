import { describe, expect, test } from "vitest";
import {
  findFlagProblem,
  flagDefaults,
  flagsOf,
  OBJECT_STORAGE_VERIFICATION,
  switchesOf,
  type TypeSwitches,
} from "../../../shared/geo/feature-flags.ts";
import { coolWidget } from "../../../shared/replicables/cool-widget.ts";
import { packageFile } from "../../../shared/replicables/package-file.ts";

const REPLICATION = "geo_cool_widget_replication";
const FORCED = "geo_cool_widget_force_primary_checksumming";

const switches = (replication: boolean, primaryChecksumming: boolean, verification: boolean): TypeSwitches => ({
  replication,
  primaryChecksumming,
  verification,
});

describe("what the flags mean for a type that is declared off (F84, F85, F87)", () => {
  test.each<readonly [string, Readonly<Record<string, boolean>>, TypeSwitches]>([
    ["nobody has said anything", {}, switches(false, false, false)],
    ["replication is on", { [REPLICATION]: true }, switches(true, true, true)],
    ["only checksumming is forced", { [FORCED]: true }, switches(false, true, false)],
    [
      "objects are not verified",
      { [REPLICATION]: true, [OBJECT_STORAGE_VERIFICATION]: false },
      switches(true, false, false),
    ],
    ["nor is what is forced", { [FORCED]: true, [OBJECT_STORAGE_VERIFICATION]: false }, switches(false, false, false)],
  ])("%s", (_, overrides, expected) => {
    expect(switchesOf(coolWidget, overrides)).toEqual(expected);
  });
});

test("a type that is declared on is on until somebody switches it off, and keeps its digests then", () => {
  expect(switchesOf(packageFile, {})).toEqual(switches(true, true, true));
  expect(switchesOf(packageFile, { geo_package_file_replication: false })).toEqual(switches(false, true, false));
});

test("the defaults are those of the declarations", () => {
  expect(flagDefaults([coolWidget, packageFile])).toEqual({
    [OBJECT_STORAGE_VERIFICATION]: true,
    [REPLICATION]: false,
    [FORCED]: false,
    geo_package_file_replication: true,
    geo_package_file_force_primary_checksumming: true,
  });
  expect(flagsOf(coolWidget)).toEqual([REPLICATION, FORCED, OBJECT_STORAGE_VERIFICATION]);
});

test("a flag of an unknown type is refused by what there is", () => {
  expect(findFlagProblem([coolWidget], REPLICATION)).toBeUndefined();
  expect(findFlagProblem([coolWidget], "geo_cool_gadget_replication")).toBe(
    'there is no flag "geo_cool_gadget_replication"; expected geo_object_storage_verification, or geo_<type>_replication' +
      " or geo_<type>_force_primary_checksumming of cool_widget",
  );
  expect(findFlagProblem([coolWidget], "toString")).toContain("there is no flag");
});
