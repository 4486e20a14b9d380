import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quarantineMs } from "../../../shared/geo/limits.ts";
import { matchKey } from "../../../shared/geo/replicable-match.ts";
import { Dice } from "../../sim/dice.ts";
import { Faults, FUNCTION_TIMEOUT_MS, LANDS_WITHIN_MS, SKEW_MAX_MS } from "../../sim/faults.ts";
import { DAY_MS, KNOBS, planOf } from "../../sim/plan.ts";
import { keyOf, TYPES } from "../../sim/source.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe("a plan", () => {
  test("is the same for the same seed, and plain data", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(JSON.parse(JSON.stringify(planOf(seed)))).toEqual(planOf(seed));
      }),
    );
  });

  test("has one to fifty keys, each of which comes into being within the day", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { keys, changes } = planOf(seed);
        expect(keys).toBeGreaterThanOrEqual(1);
        expect(keys).toBeLessThanOrEqual(50);
        const atPrimary = changes.filter(({ on }) => on === undefined);
        const first = new Map(atPrimary.toReversed().map((change) => [change.key, change]));
        expect(first.size).toBe(keys);
        for (const change of first.values()) expect(change.do).toBe("put");
        for (const change of first.values()) expect(change.at).toBeLessThan(DAY_MS);
      }),
    );
  });

  test("switches every fault on in some seeds and off in others", () => {
    const plans = Array.from({ length: 200 }, (_, seed) => planOf(seed));
    for (const knob of KNOBS) {
      const on = plans.filter(({ knobs }) => knobs.includes(knob)).length;
      expect(on).toBeGreaterThan(10);
      expect(on).toBeLessThan(190);
    }
    expect(plans.some(({ knobs }) => knobs.length === 0)).toBe(true);
  });
});

test("every key belongs to the type that it was made for, odd characters included", () => {
  for (let key = 0; key < 50; key += 1) {
    expect(matchKey(TYPES, keyOf(key, TYPES.length))?.replicable.name).toBe(TYPES[key % TYPES.length]?.name);
  }
});

describe("dice", () => {
  test("for one purpose do not depend on those for another", () => {
    const [a, b] = [new Dice(1, "crash"), new Dice(1, "crash")];
    new Dice(1, "loss").random();
    expect([a.random(), a.random()]).toEqual([b.random(), b.random()]);
    expect(new Dice(1, "loss").random()).not.toBe(new Dice(1, "crash").random());
    expect(new Dice(2, "crash").random()).not.toBe(new Dice(1, "crash").random());
  });
});

describe("faults", () => {
  test("do not break what the quarantine assumes: all lands before it can be over by any two clocks", () => {
    expect(LANDS_WITHIN_MS).toBeGreaterThan(FUNCTION_TIMEOUT_MS);
    expect(LANDS_WITHIN_MS + 2 * SKEW_MAX_MS).toBeLessThan(quarantineMs(FUNCTION_TIMEOUT_MS));
  });

  test("that are off never happen, and none does once they are over", () => {
    const faults = new Faults({ ...planOf(1), knobs: ["crash"] }, 0);
    expect(faults.hits("crash", 1)).toBe(true);
    expect(faults.hits("zombie", 1)).toBe(false);
    faults.active = false;
    expect(faults.hits("crash", 1)).toBe(false);
    expect(faults.counts).toEqual(new Map([["crash", 1]]));
  });
});
