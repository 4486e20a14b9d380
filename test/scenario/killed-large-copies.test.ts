import { describe, expect, test } from "vitest";
import type { SecondarySite } from "../../shared/ports/site.ts";
import { syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";
import { sweepUploads } from "../../shared/services/sweep-uploads.ts";
import { Killed, Mortal } from "../support/bulk-updating.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";
/** Seven parts. */
const LARGE = "a very large object, really";
const PARTS = 7;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Every call that the worker makes is one in which it may die. */
const mortalSite = ({ secondary }: TwoSites, mortal: Mortal): SecondarySite => ({
  ...secondary,
  primary: mortal.port("primary", secondary.primary),
  replica: mortal.port("replica", secondary.replica),
  registry: mortal.port("registry", secondary.registry),
  standing: mortal.port("standing", secondary.standing),
});

/** Copies the object once, and dies in the given call. True when it died. */
const diesIn = async (world: TwoSites, mortal: Mortal, call: number, effect: "lost" | "done"): Promise<boolean> => {
  mortal.killAt(call, effect);
  try {
    const stopAt = world.clock.now() + 55_000;
    await syncBlob(mortalSite(world, mortal), { ref: world.refOf(KEY), cause: "hint", stopAt, epoch: 0 });
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Killed);
    return true;
  }
};

const settled = async (world: TwoSites): Promise<void> => {
  for (let minutes = 0; minutes < 180; minutes += 1) {
    await world.live(60_000);
    const row = await world.row(KEY);
    if (row !== undefined && row.due_at === undefined) return;
  }
};

describe("a worker that is killed in any of its calls while it copies in parts", () => {
  test.each(["lost", "done"] as const)(
    "is succeeded by one that copies no part again but one: the call is %s",
    { timeout: 120_000 },
    async (effect) => {
      let deaths = 0;
      for (let call = 1; ; call += 1) {
        const world = twoSites({ copyLimits: SMALL_PARTS, replicaDrift: false });
        world.primaryBucket.put(KEY, LARGE);
        await world.loseMessages();
        const mortal = new Mortal();
        // What is counted goes on when the worker is dead: the parts of all who come after.
        const parts: number[] = [];
        const { replica } = world.secondary;
        const copyPart = replica.copyPart.bind(replica);
        replica.copyPart = (request) => {
          parts.push(request.number);
          return copyPart(request);
        };
        if (!(await diesIn(world, mortal, call, effect))) break;
        deaths += 1;
        // Its message comes again, and the lease of the dead ends.
        world.clock.advance(5 * 60_000);
        await world.queues.events.live.send([
          {
            body: JSON.stringify({ version: 1, kind: "due", replicable_name: "cool_widget", keys: [KEY] }),
            group: "cool_widget",
          },
        ]);
        await settled(world);
        const row = await world.row(KEY);
        // One that dies before it has said anything leaves nothing to go on with: its message comes again.
        if (row === undefined && parts.length === 0) continue;
        expect(world.replicaText(KEY)).toBe(LARGE);
        expect(row).toMatchObject({ state: "synced", verification_state: "succeeded" });
        expect(new Set(parts).size).toBe(PARTS);
        expect(parts.length).toBeLessThanOrEqual(PARTS + 1);
        world.clock.advance(DAY_MS);
        await sweepUploads({ ...world.secondary, replicables: world.replicables, stopAt: Infinity });
        expect(world.openUploads()).toEqual([]);
      }
      // Claim, two looks, tags, beginning, writing down, seven parts, completion, reading and commit, and the fence between.
      expect(deaths).toBeGreaterThan(PARTS + 8);
    },
  );
});
