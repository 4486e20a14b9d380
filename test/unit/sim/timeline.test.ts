import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Timeline } from "../../sim/timeline.ts";

test("things happen by time, and in the order in which they were said when at the same time", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (times) => {
      const timeline = new Timeline(0);
      const happened: (readonly [number, number])[] = [];
      for (const [place, time] of times.entries()) timeline.at(time, () => happened.push([timeline.now, place]));
      while (timeline.step());
      expect(happened).toEqual(
        times.map((time, place) => [time, place] as const).toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
      );
    }),
  );
});

test("what is said for the past happens now: time does not go back", () => {
  const timeline = new Timeline(100);
  const seen: number[] = [];
  timeline.at(150, () => timeline.at(120, () => seen.push(timeline.now)));
  while (timeline.step());
  expect(seen).toEqual([150]);
});

test("what has been said while time passes comes in its place", () => {
  const timeline = new Timeline(0);
  const seen: string[] = [];
  timeline.at(10, () => {
    seen.push("first");
    timeline.at(15, () => seen.push("between"));
  });
  timeline.at(20, () => seen.push("last"));
  expect(timeline.nextAt).toBe(10);
  while (timeline.step());
  expect(seen).toEqual(["first", "between", "last"]);
  expect(timeline.nextAt).toBeUndefined();
});
