import { expect, test } from "vitest";
import { featureAnswer } from "../../../shared/geo/feature-answer.ts";
import { replicables } from "../../../shared/replicables/index.ts";

test("a flag that nobody declared is told as off", () => {
  expect(featureAnswer(replicables, "geo_hot_widget_replication", { overrides: {}, changedAt: {} })).toEqual({
    name: "geo_hot_widget_replication",
    state: "off",
    default: "off",
    overridden: false,
    changed_at: null,
  });
});
