import type { Replicable } from "../geo/replicable.ts";
import { achievementUpload } from "./achievement-upload.ts";
import { coolWidget } from "./cool-widget.ts";
import { groupUpload } from "./group-upload.ts";
import { packageFile } from "./package-file.ts";
import { packagesNugetSymbol } from "./packages-nuget-symbol.ts";

/** Every kind of object that can be replicated. The only list: a type that is added here exists everywhere. */
export const replicables: readonly Replicable[] = [
  achievementUpload,
  coolWidget,
  groupUpload,
  packageFile,
  packagesNugetSymbol,
];
