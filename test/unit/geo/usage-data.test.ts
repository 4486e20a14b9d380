import { describe, expect, test } from "vitest";
import type { SiteStatus } from "../../../shared/geo/site-status.ts";
import { usageData, usageSchema } from "../../../shared/geo/usage-data.ts";
import { coolWidget } from "../../../shared/replicables/cool-widget.ts";

// What a status has beside its fields does not matter here.
const status = {
  cool_widgets_count: 5,
  cool_widgets_synced_count: 4,
  cool_widgets_verified_count: null,
} as unknown as SiteStatus;

describe("the usage object (F70)", () => {
  test("has a number for every number of a secondary's types; -1 is what is not gathered", () => {
    expect(usageData(3, [status], [coolWidget])).toEqual({
      geo_enabled: true,
      geo_nodes: 3,
      geo_event_log_max_id: null,
      geo_secondary_web_oauth_users: null,
      geo_node_usage: [
        {
          cool_widgets_count: 5,
          cool_widgets_checksum_total_count: -1,
          cool_widgets_checksummed_count: -1,
          cool_widgets_checksum_failed_count: -1,
          cool_widgets_registry_count: -1,
          cool_widgets_synced_count: 4,
          cool_widgets_failed_count: -1,
          cool_widgets_verification_total_count: -1,
          cool_widgets_verified_count: -1,
          cool_widgets_verification_failed_count: -1,
          cool_widgets_oldest_unsynced_time: -1,
        },
      ],
    });
  });

  test("has a schema that names each of them once, in words", () => {
    const { properties } = usageSchema([coolWidget]).items;
    expect(Object.keys(properties).toSorted()).toEqual(
      Object.keys(usageData(1, [status], [coolWidget]).geo_node_usage[0] ?? {}).toSorted(),
    );
    expect(properties["cool_widgets_synced_count"]).toEqual({
      type: "number",
      description: "Number of Cool Widgets synced",
    });
    expect(properties["cool_widgets_oldest_unsynced_time"]?.description).toMatch(
      /^Of Cool Widgets that wait for longest/,
    );
  });
});
