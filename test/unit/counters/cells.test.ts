import { describe, expect, test } from "vitest";
import { changesThatCount, isAfter, nextSlice } from "../../../shared/geo/counter-slices.ts";
import { cellName, parseCellName, type RowChange, sumCells } from "../../../shared/geo/counters.ts";

const row = (changes: Readonly<Record<string, unknown>> = {}) => ({
  pk: "cool_widget#0aa",
  sk: "key",
  state: 2,
  verification_state: 2,
  src_size: 10,
  ...changes,
});
const created = (after: Readonly<Record<string, unknown>>): RowChange => ({ sequenceNumber: "1", after });
/** What a row adds to the cells of its type; nothing for a row that does not count. What became of it is told elsewhere. */
const countedIn = (after: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    [...(nextSlice([created(after)], { mark: undefined })?.additions ?? [])].filter(([name]) => !name.startsWith("o#")),
  );

describe("the name of a cell", () => {
  test("is the type and Geo's two integers, or a dash where there is no sync state, and leads back", () => {
    const secondary = { replicableName: "cool_widget", state: 2, verificationState: 12 };
    const primary = { replicableName: "cool_widget", state: undefined, verificationState: 0 };
    expect(cellName(secondary)).toBe("cool_widget#2#12");
    expect(cellName(primary)).toBe("cool_widget#-#0");
    expect(parseCellName("cool_widget#12#2")).toEqual({ ...secondary, state: 12, verificationState: 2 });
    expect(parseCellName("cool_widget#-#0")).toEqual(primary);
  });

  test.each(["", "cool_widget", "cool_widget#2", "cool_widget#2#", "cool_widget#x#2", "#2#2", "a#b#2#2", "a#2#2 "])(
    "is not %j",
    (name) => {
      expect(parseCellName(name)).toBeUndefined();
    },
  );
});

describe("a row", () => {
  test("is counted in the cell of its states, with the size of its object", () => {
    expect(countedIn(row())).toEqual({ "c#2#2": 1, "b#2#2": 10 });
  });

  test.each([
    ["that was never verified counts as pending", { verification_state: undefined }, "c#2#0"],
    ["in state 0 counts", { state: 0 }, "c#0#2"],
  ])("%s", (_, changes, cell) => {
    expect(Object.keys(countedIn(row(changes)))).toContain(cell);
  });

  test.each([
    ["without a key", { pk: undefined }],
    ["whose key is a number", { pk: 7 }],
    ["whose key names no type", { pk: "#0aa" }],
    ["whose key has no shard", { pk: "cool_widget" }],
    ["whose key has two signs in it", { pk: "cool#widget#0aa" }],
    ["in a negative state", { state: -1 }],
    ["in half a state", { state: 1.5 }],
    ["in a state that is a text", { state: "2" }],
    ["in a verification state that is a text", { verification_state: "2" }],
    ["that is a tombstone", { state: 5 }],
  ])("%s counts as nothing", (_, changes) => {
    expect(countedIn(row(changes))).toEqual({});
  });

  test.each([[undefined], ["10"], [-1], [Number.NaN]])("of size %j adds no bytes", (size) => {
    expect(countedIn(row({ src_size: size }))).toEqual({ "c#2#2": 1 });
  });
});

const changeOf = (before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): RowChange => ({
  sequenceNumber: "1",
  before: row(before),
  after: row(after),
});

describe("a change that counts", () => {
  test("moves a row to another cell, or changes its size within one", () => {
    const moved = changeOf({ state: 1 }, {});
    const grown = changeOf({}, { src_size: 11 });
    const touched = changeOf({ gen: 1 }, { gen: 2 });
    expect(changesThatCount([touched, moved, grown])).toEqual([moved, grown]);
    expect(Object.fromEntries(nextSlice([grown], { mark: undefined })?.additions ?? [])).toEqual({ "b#2#2": 1 });
  });
});

/** Without a time since when it waits, and not verified, so that it adds to its cell alone. */
const inCell = (sequence: number, state: number): RowChange => ({
  sequenceNumber: String(sequence),
  after: row({ state, verification_state: 4 }),
});

describe("a run of changes", () => {
  const changes = [inCell(1, 0), inCell(2, 1), inCell(3, 1), inCell(4, 2), inCell(5, 3)];

  test("ends before the cell that does not fit any more, and goes on from there", () => {
    const slice = nextSlice(changes, { mark: undefined, numbersMax: 4 });
    expect(slice).toMatchObject({ last: { sequenceNumber: "3" }, counted: 3 });
    expect(slice?.rest.map(({ sequenceNumber }) => sequenceNumber)).toEqual(["4", "5"]);
    expect(Object.fromEntries(slice?.additions ?? [])).toEqual({ "c#0#4": 1, "b#0#4": 10, "c#1#4": 2, "b#1#4": 20 });
  });

  test("has at least one change in it, even if that alone is too much", () => {
    const moved = { sequenceNumber: "1", before: row({ state: 1 }), after: row() };
    expect(nextSlice([moved, inCell(2, 0)], { mark: undefined, numbersMax: 1 })).toMatchObject({
      counted: 1,
      rest: [{}],
    });
  });

  test("passes over what was counted before, and over what comes twice in one delivery", () => {
    const again = nextSlice([inCell(1, 0), inCell(2, 0), inCell(2, 0), inCell(3, 0)], { mark: "1" });
    expect(again).toMatchObject({ counted: 2, last: { sequenceNumber: "3" }, rest: [] });
    expect(nextSlice(changes, { mark: "5" })).toBeUndefined();
    expect(nextSlice([], { mark: undefined })).toBeUndefined();
  });

  test("leaves out cells in which everything cancels out, and keeps the mark", () => {
    const gone = { sequenceNumber: "2", before: row({ state: 0, verification_state: 4 }) };
    const slice = nextSlice([inCell(1, 0), gone], { mark: undefined });
    expect(slice).toMatchObject({ counted: 2, last: { sequenceNumber: "2" } });
    expect([...(slice?.additions ?? [["none", undefined]])]).toEqual([]);
  });

  test("takes up two hundred numbers, and no more", () => {
    const many = Array.from({ length: 101 }, (_, index) => ({
      sequenceNumber: String(index),
      after: row({ state: index + 10, verification_state: 4 }),
    }));
    expect(nextSlice(many, { mark: undefined })).toMatchObject({ counted: 100, rest: [many[100]] });
  });
});

test("everything comes after no mark at all", () => {
  expect(isAfter("0", undefined)).toBe(true);
});

test("counters add up cell by cell and are told by type; what is no cell is left out", () => {
  const first = new Map([
    ["cool_widget#2#2", { rows: 5, bytes: 50 }],
    ["cool_widget#3#0", { rows: -1, bytes: -7 }],
    ["mark", { rows: 9, bytes: 9 }],
  ]);
  const second = new Map([
    ["cool_widget#3#0", { rows: 3, bytes: 9 }],
    ["package_file#-#2", { rows: 1, bytes: 1 }],
  ]);
  expect(Object.fromEntries(sumCells([first, second]))).toEqual({
    cool_widget: [
      { replicableName: "cool_widget", state: 2, verificationState: 2, rows: 5, bytes: 50 },
      { replicableName: "cool_widget", state: 3, verificationState: 0, rows: 2, bytes: 2 },
    ],
    package_file: [{ replicableName: "package_file", state: undefined, verificationState: 2, rows: 1, bytes: 1 }],
  });
});
