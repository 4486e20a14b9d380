import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseReleaseRequest } from "../../../shared/geo/release-request.ts";
import { releaseAnswer, removalGuardAnswer } from "../../../shared/geo/removal-guard-answer.ts";
import {
  heldBackText,
  REMOVAL_GUARD_BOUNDS,
  REMOVAL_GUARD_DEFAULT,
  removalLimit,
  type RemovalGuard,
} from "../../../shared/geo/removal-guard.ts";

const within = ({ least, most }: { readonly least: number; readonly most: number }) =>
  fc.integer({ min: least, max: most });

describe("how many replicas an hour may hide", () => {
  const policy = { floor: 100, percent: 5, most: 10_000 };

  test.each([
    [0, 100],
    [2_000, 100],
    [2_020, 101],
    [2_039, 101],
    [200_000, 10_000],
    [10_000_000, 10_000],
  ])("of %i is %i: a share, between a floor and a ceiling", (rows, limit) => {
    expect(removalLimit(rows, policy)).toBe(limit);
  });

  test("is the floor where the ceiling is below it", () => {
    expect(removalLimit(1_000_000, { floor: 50, percent: 100, most: 10 })).toBe(50);
  });

  test("is always a whole number of at least one, whatever may be configured", () => {
    const anyPolicy = fc.record({
      floor: within(REMOVAL_GUARD_BOUNDS.floor),
      percent: within(REMOVAL_GUARD_BOUNDS.percent),
      most: within(REMOVAL_GUARD_BOUNDS.most),
    });
    fc.assert(
      fc.property(fc.nat(1_000_000_000), anyPolicy, (rows, some) => {
        const limit = removalLimit(rows, some);
        expect(Number.isInteger(limit) && limit >= 1).toBe(true);
      }),
    );
  });

  test("lets a clean-up of a small type pass and holds a lost bucket back, unless somebody says otherwise", () => {
    expect(removalLimit(50, REMOVAL_GUARD_DEFAULT)).toBeGreaterThanOrEqual(50);
    expect(removalLimit(1_000_000, REMOVAL_GUARD_DEFAULT)).toBe(10_000);
    expect(removalLimit(10_000, REMOVAL_GUARD_DEFAULT)).toBe(500);
  });

  test("is told in the row of what is held back", () => {
    expect(heldBackText({ limit: 500, replicableName: "cool_widget" })).toBe(
      "more than 500 objects of cool_widget would be removed within an hour; release the guard if that is wanted",
    );
  });
});

/** What is wrong with a request, in the alphabet's order. */
const problemsOf = (input: unknown): readonly string[] => {
  const parsed = parseReleaseRequest(input);
  return "problems" in parsed ? parsed.problems.toSorted() : [];
};

describe("a request to release the guard", () => {
  test.each([
    [{ removals: 5_000 }, { removals: 5_000, minutes: 60 }],
    [
      { removals: 1, minutes: 1 },
      { removals: 1, minutes: 1 },
    ],
    [
      { removals: 1_000_000_000, minutes: 10_080 },
      { removals: 1_000_000_000, minutes: 10_080 },
    ],
  ])("%j is taken", (input, request) => {
    expect(parseReleaseRequest(input)).toEqual({ request });
  });

  test.each([
    ["nothing", undefined, ['body: expected an object such as {"removals": 5000, "minutes": 60}, got nothing']],
    ["a list", [], ['body: expected an object such as {"removals": 5000, "minutes": 60}, got []']],
    ["null", null, ['body: expected an object such as {"removals": 5000, "minutes": 60}, got null']],
    ["no number", {}, ["removals: expected a whole number from 1 to 1000000000, got nothing"]],
    ["none", { removals: 0 }, ["removals: expected a whole number from 1 to 1000000000, got 0"]],
    ["more than all", { removals: 1_000_000_001 }, [/^removals: .*, got 1000000001$/]],
    ["a part", { removals: 1.5 }, ["removals: expected a whole number from 1 to 1000000000, got 1.5"]],
    ["a text", { removals: "5" }, ['removals: expected a whole number from 1 to 1000000000, got "5"']],
    ["no time", { removals: 5, minutes: 0 }, ["minutes: expected a whole number from 1 to 10080, got 0"]],
    ["eight days", { removals: 5, minutes: 11_520 }, ["minutes: expected a whole number from 1 to 10080, got 11520"]],
    [
      "all wrong together",
      { removals: -1, minutes: "x", force: true },
      [/^minutes: /, /^removals: /, "there is no setting called force; expected removals and minutes"],
    ],
  ])("of %s is refused with what was expected and what came", (_, input, problems) => {
    const found = problemsOf(input);
    expect(found).toHaveLength(problems.length);
    for (const [index, problem] of problems.entries()) expect(found[index]).toMatch(problem);
  });

  test("is shown cut to a hundred characters", () => {
    expect(problemsOf({ removals: "x".repeat(98) })[0]).toMatch(/, got "x{98}"$/);
    expect(problemsOf({ removals: "x".repeat(99) })[0]).toMatch(/, got "x{99}…$/);
    expect(problemsOf({ removals: 1, ["y".repeat(200)]: 1 })[0]).toMatch(/called y{100}; expected/);
  });
});

const guard: RemovalGuard = { replicableName: "cool_widget", windowStartedAt: 0, removals: 3, limit: 100 };

/** What is told at `now` of a release that holds until 1,000 and has `removals` left. */
const releaseAt = (removals: number, now: number) =>
  removalGuardAnswer("cool_widget", { ...guard, release: { removals, until: 1_000 } }, now).release;

describe("what the API tells of a guard", () => {
  test("is nothing much while a type has never removed anything", () => {
    expect(removalGuardAnswer("cool_widget", undefined, 5)).toEqual({
      replicable_name: "cool_widget",
      removals: 0,
      limit: null,
      window_started_at: null,
      paused_at: null,
      release: null,
    });
  });

  test("is the present hour, and since when removals are held back", () => {
    expect(removalGuardAnswer("cool_widget", { ...guard, pausedAt: 60_000 }, 5)).toEqual({
      replicable_name: "cool_widget",
      removals: 3,
      limit: 100,
      window_started_at: "1970-01-01T00:00:00.000Z",
      paused_at: "1970-01-01T00:01:00.000Z",
      release: null,
    });
  });

  test("is a release for as long as something is left of it and it holds", () => {
    expect(releaseAt(2, 999)).toEqual({ removals: 2, until: "1970-01-01T00:00:01.000Z" });
    expect(releaseAt(2, 1_000)).toBeNull();
    expect(releaseAt(0, 999)).toBeNull();
  });

  test("after a release is also when what waits will have come again", () => {
    expect(releaseAnswer(guard, 5)).toEqual({
      ...removalGuardAnswer("cool_widget", guard, 5),
      retried_within_seconds: 1_800,
    });
  });
});
