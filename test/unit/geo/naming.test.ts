import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { camelCase, pascalCase, pluralize, titleCase, upperSnakeCase } from "../../../shared/geo/inflection.ts";
import { deriveNames, publicNames } from "../../../shared/geo/naming.ts";

test("everything follows from one name, in Geo's spelling (F2)", () => {
  expect(deriveNames({ name: "cool_widget" })).toEqual({
    singular: "cool_widget",
    plural: "cool_widgets",
    camelCase: "coolWidget",
    camelCasePlural: "coolWidgets",
    pascalCase: "CoolWidget",
    title: "Cool Widget",
    titlePlural: "Cool Widgets",
    registryTable: "cool_widget_registry",
    registryClass: "CoolWidgetRegistry",
    registryEnumKey: "COOL_WIDGET_REGISTRY",
    registriesField: "coolWidgetRegistries",
    stateTable: "cool_widget_states",
    foreignKeyColumn: "cool_widget_id",
    foreignKeyField: "coolWidgetId",
    flags: {
      replication: "geo_cool_widget_replication",
      forcePrimaryChecksumming: "geo_cool_widget_force_primary_checksumming",
    },
    statusFields: {
      count: "cool_widgets_count",
      checksumTotalCount: "cool_widgets_checksum_total_count",
      checksummedCount: "cool_widgets_checksummed_count",
      checksumFailedCount: "cool_widgets_checksum_failed_count",
      registryCount: "cool_widgets_registry_count",
      syncedCount: "cool_widgets_synced_count",
      failedCount: "cool_widgets_failed_count",
      verificationTotalCount: "cool_widgets_verification_total_count",
      verifiedCount: "cool_widgets_verified_count",
      verificationFailedCount: "cool_widgets_verification_failed_count",
      syncedInPercentage: "cool_widgets_synced_in_percentage",
      verifiedInPercentage: "cool_widgets_verified_in_percentage",
      oldestUnsyncedTime: "cool_widgets_oldest_unsynced_time",
    },
    gauges: {
      count: "geo_cool_widgets",
      checksumTotalCount: "geo_cool_widgets_checksum_total",
      checksummedCount: "geo_cool_widgets_checksummed",
      checksumFailedCount: "geo_cool_widgets_checksum_failed",
      registryCount: "geo_cool_widgets_registry",
      syncedCount: "geo_cool_widgets_synced",
      failedCount: "geo_cool_widgets_failed",
      verificationTotalCount: "geo_cool_widgets_verification_total",
      verifiedCount: "geo_cool_widgets_verified",
      verificationFailedCount: "geo_cool_widgets_verification_failed",
      oldestUnsyncedTime: "geo_cool_widgets_oldest_unsynced_time",
    },
  });
});

test("GitLab's own names come out", () => {
  const symbol = deriveNames({ name: "packages_nuget_symbol", title: "NuGet symbol" });
  expect(symbol).toMatchObject({
    registriesField: "packagesNugetSymbolRegistries",
    foreignKeyField: "packagesNugetSymbolId",
    registryEnumKey: "PACKAGES_NUGET_SYMBOL_REGISTRY",
    stateTable: "packages_nuget_symbol_states",
    title: "NuGet symbol",
    titlePlural: "NuGet symbols",
  });
  const upload = deriveNames({ name: "achievement_upload" });
  expect(upload).toMatchObject({
    registriesField: "achievementUploadRegistries",
    foreignKeyField: "achievementUploadId",
  });
  expect(upload.statusFields.syncedInPercentage).toBe("achievement_uploads_synced_in_percentage");
});

test("an irregular plural is declared once and reaches whatever is plural, and nothing else", () => {
  const names = deriveNames({ name: "cool_leaf", plural: "cool_leaves" });
  expect(names).toMatchObject({ plural: "cool_leaves", camelCasePlural: "coolLeaves", titlePlural: "Cool Leaves" });
  expect(names.statusFields.count).toBe("cool_leaves_count");
  expect(names.gauges.syncedCount).toBe("geo_cool_leaves_synced");
  expect(names).toMatchObject({ registriesField: "coolLeafRegistries", stateTable: "cool_leaf_states" });
  expect(deriveNames({ name: "datum", plural: "data", title: "Piece", titlePlural: "Data" }).titlePlural).toBe("Data");
});

describe("a regular plural", () => {
  test.each([
    ["cool_widget", "cool_widgets"],
    ["project_repository", "project_repositories"],
    ["packages_helm_metadata_cache", "packages_helm_metadata_caches"],
    ["batch", "batches"],
    ["pass", "passes"],
    ["box", "boxes"],
    ["key", "keys"],
    ["merge_request_diff", "merge_request_diffs"],
  ])("of %s is %s", (singular, plural) => {
    expect(pluralize(singular)).toBe(plural);
  });
});

test("names are spelt for each place they appear in", () => {
  expect([
    camelCase("s3_object_x"),
    pascalCase("s3_object_x"),
    titleCase("s3_object_x"),
    upperSnakeCase("s3_x"),
  ]).toEqual(["s3ObjectX", "S3ObjectX", "S3 Object X", "S3_X"]);
});

test("deriving never throws and no name of a type collides with another of its own", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b", "_", "s", "y", "9"), maxLength: 12 }), (name) => {
      for (const words of Object.values(publicNames(deriveNames({ name }))))
        expect(new Set(words).size).toBe(words.length);
    }),
  );
});
