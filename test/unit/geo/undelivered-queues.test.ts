import { describe, expect, test } from "vitest";
import { undeliveredQueues } from "../../../shared/geo/undelivered-queues.ts";

const INSTALLATION = { name: "geo", account: "111122223333" };

describe("the queues of what could not be delivered to a site's functions", () => {
  test.each([
    ["primary", "virginia", ["verification-backfill", "retry-sweep", "counters", "counter-audit", "site-status"]],
    [
      "secondary",
      "ireland",
      ["registry-consistency", "large-copy", "retry-sweep", "counters", "counter-audit", "site-status"],
    ],
  ] as const)("of a %s are those of its schedules and of its counters", (role, name, functions) => {
    expect(undeliveredQueues(INSTALLATION, { name, region: "eu-west-1", role })).toEqual(
      functions.map((one) => ({ name: one, queue: `geo-${name}-${one}-dead-letters` })),
    );
  });
});
