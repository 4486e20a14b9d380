import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Debug symbols of NuGet packages: `packages_nuget_symbols/7/42/widget.pdb`. */
export const packagesNugetSymbol = defineReplicable({
  name: "packages_nuget_symbol",
  title: "NuGet Symbol",
  model: "Packages::Nuget::Symbol",
  table: "packages_nuget_symbols",
  shardingKey: "project_id",
  uploader: "Packages::Nuget::SymbolUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "18.10",
  enabledByDefault: true,
});
