import { expect, test } from "vitest";
import { count } from "../../../functions/counters/count.ts";
import { METRICS } from "../../../shared/geo/metrics.ts";
import { streamHandler } from "../../../shared/lambda/stream-handler.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import { coolWidget } from "../../../shared/replicables/cool-widget.ts";
import { readSiteStatus } from "../../../shared/services/site-status.ts";

test("a change in a table's stream shows in the site's status, and how late it was counted in the metrics", async () => {
  const siteTable = new MemoryTable({ name: "site" });
  const clock = new ManualClock();
  const telemetry = new MemoryTelemetry();
  const handle = streamHandler(count({ role: "secondary", siteTable, clock, telemetry }));
  const event = {
    shardId: "shardId-1",
    Records: [
      {
        dynamodb: {
          SequenceNumber: "1",
          ApproximateCreationDateTime: clock.now() / 1_000,
          NewImage: { pk: { S: "cool_widget#0aa" }, state: { N: "2" }, verification_state: { N: "0" } },
        },
      },
    ],
  };
  clock.advance(900);
  await handle(event);
  await handle(event);

  const site = { name: "frankfurt", role: "secondary", region: "eu-central-1" } as const;
  const status = await readSiteStatus({ site, replicables: [coolWidget], siteTable, clock, telemetry }, "");
  expect(status).toMatchObject({ cool_widgets_synced_count: 1, cool_widgets_verification_queued_count: 1 });
  expect(telemetry.total(METRICS.changesCounted)).toBe(1);
  expect(telemetry.total(METRICS.changesSkipped)).toBe(1);
  expect(telemetry.values(METRICS.countingLag)).toEqual([900, 900]);
});
