import { metadataScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** The example that Geo's own instructions use, to copy from: `cool_widgets/42/widget.bin`. */
export const coolWidget = defineReplicable({
  name: "cool_widget",
  model: "CoolWidget",
  table: "cool_widgets",
  shardingKey: "none",
  uploader: "CoolWidgetUploader",
  strategy: "blob",
  scope: metadataScope,
  milestone: "13.10",
  enabledByDefault: false,
});
