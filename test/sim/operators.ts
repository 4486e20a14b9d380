import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { quarantineMs } from "../../shared/geo/limits.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import { Dice } from "./dice.ts";
import { FUNCTION_TIMEOUT_MS, SKEW_MAX_MS } from "./faults.ts";
import { DAY_MS } from "./plan.ts";
import { bumpEpoch } from "./promotion.ts";
import { change, keyOf } from "./source.ts";
import type { World } from "./world.ts";

/** How long after a hint was lost its key is reconciled. */
const RECONCILED_WITHIN_MS = 6 * 60 * 60 * 1_000;

/** What a plan wants people to do, at both sites. */
export const scheduleChanges = (world: World): void => {
  const { plan, primaryBucket, oracle } = world;
  const dice = new Dice(plan.seed, "unattested");
  for (const wanted of plan.changes) {
    const key = keyOf(wanted.key, plan.types);
    const unattested = wanted.on === undefined && dice.hits(plan.unattested);
    world.knows(key);
    world.later(world.startMs + wanted.at, () => {
      const done =
        wanted.on === undefined ? change(primaryBucket, key, wanted, unattested) : world.people.act(wanted, key);
      if (wanted.on === undefined) oracle.sourceChanged(key);
      const bucket = wanted.on === undefined ? primaryBucket : world.replicaBucket;
      if (done) {
        const where = wanted.on === undefined ? "" : " at the secondary";
        const now = bucket.current(key)?.versionId ?? "nothing";
        world.trace?.(`somebody does${where}: ${wanted.do} ${key} (${wanted.variant}) = ${now}`);
      }
    });
  }
};

/** Clocks jump, machine by machine. */
export const scheduleClocks = (world: World): void => {
  if (!world.faults.isOn("clock")) return;
  const dice = world.faults.dice("clock");
  for (let jump = 0; jump < 60; jump += 1) {
    const machine = dice.pick(world.machines);
    const skewMs = Math.floor(dice.between(-SKEW_MAX_MS, SKEW_MAX_MS));
    world.timeline.at(world.startMs + dice.between(0, DAY_MS), () => {
      if (!world.faults.active) return;
      machine.skewMs = skewMs;
      world.faults.count("clock");
    });
  }
};

/** Operators put back what lies in dead letters. */
export const scheduleRedrives = (world: World): void => {
  if (!world.faults.isOn("redrive")) return;
  const dice = world.faults.dice("redrive");
  for (let time = 0; time < 6; time += 1) {
    world.later(world.startMs + dice.between(0, DAY_MS), () => {
      for (const channel of world.channels) if (channel.redrive() > 0) world.faults.count("redrive");
    });
  }
};

/** What registry consistency does: it names keys to both sites, and does nothing about them itself. */
const reconcile = (world: World, keys: readonly string[]): void => {
  for (const key of keys) {
    const name = matchKey(world.replicables, key)?.replicable.name ?? "";
    const hint: GeoMessage = {
      version: 1,
      kind: "geo_events",
      events: [
        {
          id: "reconcile",
          replicable_name: name,
          event_name: "updated",
          created_at: Math.floor(world.timeline.now),
          payload: { model_record_id: "1", correlation_id: "reconcile", blob_path: encodeKey(key) },
        },
      ],
    };
    const look: GeoMessage = { version: 1, kind: "due", replicable_name: name, keys: [encodeKey(key)] };
    world.trace?.(`reconciles ${key}`);
    void world.events.send([{ body: JSON.stringify(hint) }]);
    void world.checksums.send([{ body: JSON.stringify(look) }]);
  }
};

/** Keys whose hint was lost are reconciled some hours later. */
export const reconcileLater = (world: World, keys: readonly string[]): void => {
  if (keys.length === 0) return;
  const delay = world.faults.dice("loss").between(60_000, RECONCILED_WITHIN_MS);
  world.later(world.timeline.now + delay, () => reconcile(world, keys));
};

/**
 * The registry as it was some hours ago. Whoever restores a table has everybody let go who began before (R38), and
 * reconciles then, and again after the quarantine.
 */
export const scheduleRestore = (world: World): void => {
  if (!world.faults.isOn("restore")) return;
  const { registry, oracle, faults } = world;
  const dice = faults.dice("restore");
  const takenAt = world.startMs + dice.between(0, DAY_MS * 0.8);
  const restoredAt = takenAt + dice.between(60_000, 5 * 3_600_000);
  world.later(takenAt, () => {
    const backup = registry.export();
    const { readSoFar } = oracle;
    world.later(restoredAt, () => {
      faults.count("restore");
      world.trace?.("the registry is restored from a backup");
      oracle.restoring = true;
      oracle.restoreReadings(readSoFar);
      const kept = new Set(backup.items.map(({ sk }) => sk));
      for (const { pk, sk } of registry.items()) if (!kept.has(sk)) void registry.delete({ key: { pk, sk } });
      for (const item of backup.items) void registry.put(item);
      oracle.restoring = false;
      world.watch.resyncs.restored();
      void bumpEpoch(world);
      world.later(restoredAt + dice.between(0, 600_000), () => reconcile(world, world.keys));
      world.later(restoredAt + quarantineMs(FUNCTION_TIMEOUT_MS) + 2 * SKEW_MAX_MS, () => reconcile(world, world.keys));
    });
  });
};
