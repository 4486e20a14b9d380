import { describe, expect, test } from "vitest";
import {
  cursorOfType,
  minuteOf,
  parseDrainInput,
  parseSweepRequest,
  scheduledMinute,
} from "../../../shared/geo/sweep-steps.ts";

const INPUT = { replicable_name: "cool_widget", chain: "cool_widget-20261121T1602", part: 1 };

describe("a step of the retry sweep", () => {
  test.each([
    [{ action: "tick" }],
    [{ action: "tick", scheduled_at: "2026-11-21T16:02:00Z" }],
    [{ action: "count", input: "whatever somebody started it with" }],
    [
      {
        action: "drain",
        replicable_name: "cool_widget",
        until: 5,
        cursor: { "cool_widget#3": 0 },
        round: 0,
        more: true,
        swept: 0,
      },
    ],
  ])("is read from %j", (event) => {
    expect(parseSweepRequest(event)).toEqual(event);
  });

  test.each([
    ["text", "input: "],
    [null, "input: "],
    [{}, "action: "],
    [{ action: "sweep" }, "action: "],
    [{ action: "tick", scheduled_at: 5 }, "scheduled_at: "],
    [
      { action: "drain", replicable_name: "cool_widget", until: -5, cursor: {}, round: 0, more: true, swept: 0 },
      "until: ",
    ],
    [
      { action: "drain", replicable_name: "cool_widget", until: 5, cursor: { a: "7" }, round: 0, more: true, swept: 0 },
      "cursor.a: ",
    ],
    [{ action: "leave_the_rest", left: {} }, "left.amount: "],
  ])("can not be read from %j, and says what was wrong with %s", (event, problem) => {
    expect(() => parseSweepRequest(event)).toThrow(`got ${JSON.stringify(event)}: `);
    expect(() => parseSweepRequest(event)).toThrow(problem);
  });
});

describe("the input of an execution", () => {
  test("is a type, the name of its chain, its part of it, and perhaps where to go on", () => {
    expect(parseDrainInput(INPUT)).toEqual(INPUT);
    const going = { ...INPUT, until: 17, cursor: { "cool_widget#15": 3 } };
    expect(parseDrainInput(going)).toEqual(going);
  });

  test.each([
    [undefined, "input: "],
    [{}, "replicable_name: "],
    [{ ...INPUT, part: 0 }, "part: "],
    [{ ...INPUT, part: 1.5 }, "part: "],
    [{ ...INPUT, chain: "with blanks" }, "chain: "],
    [{ ...INPUT, chain: "c".repeat(71) }, "chain: "],
    [{ ...INPUT, until: "now" }, "until: "],
    [{ ...INPUT, cursor: { "cool_widget#1": -1 } }, "cursor.cool_widget#1: "],
  ])("is refused with a reason: %j", (input, problem) => {
    expect(parseDrainInput(input)).toEqual({ problems: expect.stringContaining(problem) as string });
  });
});

describe("the minute of a sweep", () => {
  const now = Date.UTC(2026, 10, 21, 16, 2, 59, 999);

  test("is written without what a name of an execution may not have", () => {
    expect(minuteOf(now)).toBe("20261121T1602");
  });

  test("is the one that it was scheduled for, and the present one where the schedule does not say", () => {
    expect(scheduledMinute("2026-11-21T15:59:00Z", now)).toBe("20261121T1559");
    expect(scheduledMinute("<aws.scheduler.scheduled-time>", now)).toBe("20261121T1602");
    expect(scheduledMinute(undefined, now)).toBe("20261121T1602");
  });
});

test("of a cursor, a type has its own partitions only", () => {
  const cursor = { "upload#1": 1, "upload#12": 2, "upload_note#1": 3 };
  expect(cursorOfType(cursor, "upload")).toEqual({ "upload#1": 1, "upload#12": 2 });
});
