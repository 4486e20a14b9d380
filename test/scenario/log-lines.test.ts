import { describe, expect, test } from "vitest";
import { TRANSITION_EVENTS, TRANSITION_FIELDS } from "../../shared/geo/log-events.ts";
import { syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";
import { SyncReporter } from "../../shared/services/report-transitions.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";
import { largeCopying } from "../support/large-copying.ts";
import { toldBy, transitionLines, watchTables } from "../support/told-transitions.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

/** One line of one shape for each change of an object's state, and no other (F106). */

const KEY = "cool_widgets/42/widget.bin";
const OTHER = "cool_widgets/43/with space & ünicode.bin";
const MINUTE_MS = 60_000;
const SECRET = "a-token-that-nobody-is-to-read";

const rot = async (world: TwoSites, text: string): Promise<void> => {
  const row = await world.row(KEY);
  world.replicaBucket.corrupt(KEY, row?.rep_version_id ?? "", new TextEncoder().encode(text));
};

interface Story {
  readonly tells: string;
  readonly world?: () => TwoSites;
  /** Events that come by in it. */
  readonly events: readonly (keyof typeof TRANSITION_EVENTS)[];
  readonly play: (world: TwoSites) => Promise<void>;
}

const STORIES: readonly Story[] = [
  {
    tells: "an object that is put, overwritten, looked at again and deleted",
    events: ["claimed", "synced", "absent", "checksum_succeeded", "record_forgotten"],
    play: async (world) => {
      world.primaryBucket.put(KEY, "one", { metadata: { password: SECRET }, tags: { secret: SECRET } });
      world.primaryBucket.put(OTHER, "another");
      await world.settle();
      world.primaryBucket.put(KEY, "two");
      await world.live(2 * MINUTE_MS);
      world.primaryBucket.putTags(KEY, { team: "geo" });
      await world.live(2 * MINUTE_MS);
      world.primaryBucket.deleteCurrent(KEY);
      await world.live(5 * MINUTE_MS);
    },
  },
  {
    tells: "an object that may not be read, and may again",
    events: ["sync_failed", "checksum_failed", "synced"],
    play: async (world) => {
      for (let times = 0; times < 4; times += 1) world.primaryFaults.failNext("head", "forbidden", "denied");
      world.primaryBucket.put(KEY, "one");
      await world.live(20 * MINUTE_MS);
    },
  },
  {
    tells: "a replica that is read by another function, rots, and is copied again",
    world: () => twoSites({ fusedVerificationBytesMax: 0 }),
    events: ["verification_claimed", "verified", "checksum_mismatch", "synced"],
    play: async (world) => {
      world.primaryBucket.put(KEY, "one");
      await world.live(2 * MINUTE_MS);
      await rot(world, "won");
      await world.queues.verification.live.send([
        {
          body: JSON.stringify({
            version: 1,
            kind: "geo_events",
            events: [
              {
                id: "an-event",
                replicable_name: "cool_widget",
                event_name: "checksum_succeeded",
                created_at: world.clock.now(),
                payload: { model_record_id: "42/widget.bin", correlation_id: "by-hand", blob_path: KEY },
              },
            ],
          }),
        },
      ]);
      await world.live(10 * MINUTE_MS);
    },
  },
  {
    tells: "a replica that waits for the primary's digest",
    events: ["awaiting_primary", "checksum_succeeded", "verified"],
    play: async (world) => {
      world.primaryBucket.put(KEY, "old-style", { checksum: "none" });
      const { verificationState } = world;
      const get = verificationState.get.bind(verificationState);
      let late = 1;
      Object.assign(world.secondary, {
        primaryState: {
          get: (key: { pk: string; sk: string }) => (late-- > 0 ? Promise.resolve(undefined) : get(key)),
        },
      });
      await world.live(10 * MINUTE_MS);
    },
  },
  {
    tells: "a replica that can not be read, and can again",
    world: () => twoSites({ fusedVerificationBytesMax: 0 }),
    events: ["verification_failed", "verified"],
    play: async (world) => {
      world.replicaFaults.failNext("read", "forbidden", "denied");
      world.primaryBucket.put(KEY, "one");
      await world.live(10 * MINUTE_MS);
    },
  },
  {
    tells: "a key that changes again and again while it is copied",
    events: ["left_pending", "synced"],
    play: async (world) => {
      const { replica } = world.secondary;
      const copy = replica.copyFromPrimary.bind(replica);
      let changes = 6;
      replica.copyFromPrimary = async (request) => {
        const outcome = await copy(request);
        if (changes-- > 0) {
          world.primaryBucket.put(KEY, `change ${changes}`);
          const ref = world.refOf(KEY);
          const reporter = new SyncReporter(world.secondary, ref, "meanwhile");
          const hint = { ref, cause: "hint", stopAt: Infinity, epoch: 0 } as const;
          reporter.ended(await syncBlob(world.secondary, hint, reporter.claimed));
        }
        return outcome;
      };
      world.primaryBucket.put(KEY, "one");
      await world.live(5 * MINUTE_MS);
    },
  },
  {
    tells: "one of the largest objects, which a workflow copies",
    world: () => {
      const world = largeCopying({ copyLimits: SMALL_PARTS });
      const settle = world.settle.bind(world);
      return {
        ...world,
        settle: async () => {
          await settle();
          await world.execute(world.workflow.executions[0]?.input);
          await settle();
        },
      };
    },
    events: ["left_to_workflow", "synced"],
    play: async (world) => {
      world.primaryBucket.put(KEY, "a very large object, really");
      await world.settle();
    },
  },
];

const fieldsAllowed: ReadonlySet<string> = new Set(TRANSITION_FIELDS);

describe.each(STORIES)("the log of $tells (F106)", ({ world: worldOf = twoSites, events, play }) => {
  const played = async () => {
    const world = worldOf();
    const asked = watchTables(world);
    await play(world);
    return { world, asked: asked() };
  };

  test("has exactly one line for each change of a row, and none without one", async () => {
    const { world, asked } = await played();
    expect(asked.length).toBeGreaterThan(0);
    expect(toldBy(world)).toEqual(asked);
    const seen = transitionLines(world).map(({ event }) => event);
    expect(events.filter((event) => !seen.includes(event))).toEqual([]);
  });

  test("has one shape: what, which object, from where to where, and whose request it was", async () => {
    const { world } = await played();
    for (const { event, level, fields } of transitionLines(world)) {
      const declared = TRANSITION_EVENTS[event as keyof typeof TRANSITION_EVENTS]; // `transitionLines` gives no others
      expect(level).toBe(declared.level);
      expect(fields).toMatchObject({ replicable_name: "cool_widget", from: declared.from, to: declared.to });
      expect(Object.keys(fields).filter((field) => !fieldsAllowed.has(field))).toEqual([]);
      expect(decodeURIComponent(String(fields["key"]))).toMatch(/^cool_widgets\//);
      expect(String(fields["correlation_id"])).not.toBe("");
      expect(typeof fields["duration_ms"] === "number" || level === "debug").toBe(true);
      expect(typeof fields["reason"] === "string" || declared.to !== "failed").toBe(true);
    }
  });

  test("says nothing of metadata, tags and contents", async () => {
    const { world } = await played();
    expect(JSON.stringify([world.telemetry.lines, world.telemetry.debugLines])).not.toContain(SECRET);
  });
});

test("a line of a copied object says how many bytes there were, and how long it took (F106)", async () => {
  const world = twoSites();
  const { replica } = world.secondary;
  const copy = replica.copyFromPrimary.bind(replica);
  replica.copyFromPrimary = (request) => {
    world.clock.advance(1_500);
    return copy(request);
  };
  world.primaryBucket.put(KEY, "twelve bytes");
  await world.settle();
  expect(world.telemetry.linesOf("synced")).toMatchObject([
    { fields: { bytes: 12, duration_ms: 1_500, how: "copied", verification: "verified" } },
  ]);
});
