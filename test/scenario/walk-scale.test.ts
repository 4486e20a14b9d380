import { describe, expect, test } from "vitest";
import { coolWidget } from "../../shared/replicables/cool-widget.ts";
import { keepConsistent } from "../../shared/services/registry-consistency/keep-consistent.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { parseWalk, walkRequest } from "../../shared/tables/site/consistency-items.ts";
import { EMPTY_BUCKET, GeneratedObjects } from "../support/generated-objects.ts";
import { twoSites } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";

/** Enough for a hundred pages, and for several runs at the pace that a site begins with. `npm run bench` walks a million. */
const OBJECTS = 100_000;
const PAGES = OBJECTS / 1_000;

const sent = () => Promise.resolve({ outcome: "sent" as const });

describe("a walk through many objects", () => {
  test("lists each side once, and reads each row once, over however many runs a new site takes", async () => {
    const world = twoSites({ replicables: [coolWidget] });
    const objects = new GeneratedObjects(OBJECTS);
    const walking = walkingSecondary(world, {
      primary: objects.bucket,
      replica: EMPTY_BUCKET,
      registry: objects.registry(() => false),
      takes: sent,
    });
    let runs = 0;
    let enqueued = 0;
    for (let isOver = false; !isOver && runs < 100; runs += 1) {
      world.clock.advance(60_000);
      const run = await keepConsistent(walking.site, world.replicables, WALK_SETTINGS_DEFAULT, Infinity);
      enqueued += run.findings.enqueued;
      isOver = run.finished.length > 0;
    }
    expect(runs).toBeGreaterThan(3);
    expect(enqueued).toBe(OBJECTS);
    const { lists, ...rows } = walking.requests;
    expect(lists.primary).toBeLessThanOrEqual(PAGES * 1.01);
    // Of the side that has nothing, each run has to be told so.
    expect(lists.replica).toBeLessThanOrEqual(runs);
    expect(rows).toEqual({ rowBatches: OBJECTS / 100, rowKeys: OBJECTS, messages: OBJECTS / 100 });
  });

  test("cuts it into ranges only when the last one was long, and pays for each with a few listings", async () => {
    const world = twoSites({ replicables: [coolWidget] });
    const objects = new GeneratedObjects(OBJECTS);
    const bucket = objects.bucket;
    const site = { primary: bucket, replica: bucket, registry: objects.registry(), takes: sent };
    const rangesOfNext = async (keysPerRange: number) => {
      const walking = walkingSecondary(world, site);
      const ran = await walking.walk({ everyMs: 0, keysPerRange });
      expect(ran).toMatchObject({ finished: ["cool_widget"], findings: { listed: OBJECTS, enqueued: 0 } });
      const walk = parseWalk(await world.siteTable.get(walkRequest("cool_widget")));
      return { ranges: walk?.ranges, ...walking.requests.lists };
    };
    expect(await rangesOfNext(1)).toEqual({ ranges: 1, primary: PAGES, replica: PAGES });
    expect(await rangesOfNext(OBJECTS)).toEqual({ ranges: 1, primary: PAGES, replica: PAGES });
    const cut = await rangesOfNext(OBJECTS / 5);
    expect(cut.ranges).toBe(5);
    expect(cut.replica).toBeLessThanOrEqual(PAGES + 5);
    expect(cut.primary).toBeLessThanOrEqual(PAGES + 5 + 5 * 10);
  });
});
