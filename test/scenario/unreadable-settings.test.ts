import { expect, test } from "vitest";
import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { KEYS_IN_FLIGHT, STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import type { Item, ItemKey } from "../../shared/ports/table.ts";
import { flagsKey } from "../../shared/tables/site/flags-item.ts";
import { siteRecordKey } from "../../shared/tables/site/site-record.ts";
import { consumeBatch } from "../support/consume-batch.ts";
import { twoSites } from "../support/two-sites.ts";

/** More than are under way at the same time: the last ones are begun when the first ones have been seen to. */
const KEYS = Array.from({ length: 3 * KEYS_IN_FLIGHT }, (_, index) => `cool_widgets/${index}/widget.bin`);

test.each<readonly [string, "siteTable" | "primarySiteTable", Item & ItemKey]>([
  ["the flags", "primarySiteTable", { ...flagsKey, flag_geo_cool_widget_replication: "yes, please" }],
  ["the site's record of itself", "siteTable", { ...siteRecordKey, role: "king" }],
])("%s, unreadable since the middle of a message, bring every key back that is not done", async (_, table, wrong) => {
  const world = twoSites();
  for (const one of KEYS) world.primaryBucket.put(one, "one");
  await world.settle();
  for (const one of KEYS) world.primaryBucket.put(one, "two");
  await world.loseMessages();
  const { live } = world.queues.events;
  const message: GeoMessage = {
    version: 1,
    kind: "look",
    replicable_name: "cool_widget",
    keys: KEYS.map((one) => encodeKey(one)),
  };
  await live.send([{ body: JSON.stringify(message) }]);

  const key = { pk: wrong.pk, sk: wrong.sk };
  const right = await world[table].get(key);
  const head = world.secondary.primary.head.bind(world.secondary.primary);
  let looks = 0;
  world.secondary.primary.head = async (asked) => {
    looks += 1;
    if (looks === KEYS_IN_FLIGHT) {
      await world[table].put(wrong);
      world.clock.advance(STANDING_KEPT_MS);
    }
    return head(asked);
  };
  expect(await consumeBatch(world, live)).toBe(true);
  expect(looks).toBeLessThan(KEYS.length);
  expect(live.size).toBe(1);
  expect(world.telemetry.linesOf("a key was left alone: trying again can not help")).toEqual([]);

  await (right === undefined ? world[table].delete({ key }) : world[table].put({ ...right, ...key }));
  await world.live(30 * 60_000);
  for (const one of KEYS) expect(world.replicaText(one)).toBe("two");
  expect(world.queues.events.deadLetters.size).toBe(0);
});
