import { describe, expect, it } from "vitest";
import { DynamoMeter } from "../../bench/dynamo-meter.ts";
import { itemSize, type WireItem } from "../../bench/item-size.ts";

const KEY = { pk: { S: "package_file#0ab" }, sk: { S: "packages_package_files/7/1/file.bin" } };
const settled = { ...KEY, state: { N: "2" } };
const due = (at: number): WireItem => ({ ...settled, due_pk: { S: "package_file#3" }, due_at: { N: String(at) } });

const meterOf = () => {
  const meter = new DynamoMeter();
  const request = { TableName: "registry", Key: KEY };
  return {
    update: (after: WireItem, status = 200) =>
      meter.measure("UpdateItem", { ...request, ReturnValues: "ALL_NEW" }, { Attributes: after }, status),
    refused: (present: WireItem | undefined) =>
      meter.measure(
        "UpdateItem",
        { ...request, ReturnValues: "ALL_NEW" },
        {
          __type: "com.amazonaws#ConditionalCheckFailedException",
          ...(present === undefined ? {} : { Item: present }),
        },
        400,
      ),
    remove: () => meter.measure("DeleteItem", request, {}, 200),
    read: (item: WireItem | undefined, ConsistentRead: boolean) =>
      meter.measure("GetItem", { ...request, ConsistentRead }, item === undefined ? {} : { Item: item }, 200),
    meter,
  };
};

describe("an item's size", () => {
  it("counts names and values as DynamoDB does", () => {
    expect(itemSize({ a: { S: "xyz" } })).toBe(4);
    expect(itemSize({ ä: { S: "ö" } })).toBe(4);
    expect(itemSize({ n: { N: "12" } })).toBe(3);
    expect(itemSize({ n: { N: "-123" } })).toBe(5);
    expect(itemSize({ n: { N: "100" } })).toBe(3);
    expect(itemSize({ b: { BOOL: true }, c: { NULL: true } })).toBe(4);
    expect(itemSize({ m: { M: { a: { S: "b" } } } })).toBe(7);
    expect(itemSize({ l: { L: [{ S: "b" }] } })).toBe(6);
  });

  it("refuses a type that does not exist", () => {
    expect(() => itemSize({ a: { X: "?" } })).toThrow(/unknown type X/);
  });
});

describe("a write", () => {
  it("costs a unit for every KiB begun, by the larger of what was and what is", () => {
    const { update } = meterOf();
    const large = { ...settled, text: { S: "x".repeat(1_024) } };
    expect(update(settled)).toEqual({ tableWrites: 1, indexWrites: 0, reads: 0 });
    expect(update(large).tableWrites).toBe(2);
    expect(update(settled).tableWrites).toBe(2);
    expect(update(settled).tableWrites).toBe(1);
  });

  it("costs another when an entry of the index comes, changes or goes, and two when it moves", () => {
    const { update, remove } = meterOf();
    expect(update(due(1)).indexWrites).toBe(1);
    expect(update({ ...due(1), rev: { N: "7" } }).indexWrites).toBe(0);
    expect(update({ ...due(1), state: { N: "3" } }).indexWrites).toBe(1);
    expect(update(due(2)).indexWrites).toBe(2);
    expect(update(settled).indexWrites).toBe(1);
    expect(update(due(3)).indexWrites).toBe(1);
    expect(remove()).toEqual({ tableWrites: 1, indexWrites: 1, reads: 0 });
  });

  it("costs as much when its condition is false, and nothing in the index", () => {
    const { refused, update } = meterOf();
    const large = { ...due(1), text: { S: "x".repeat(3_000) } };
    expect(refused(undefined)).toEqual({ tableWrites: 1, indexWrites: 0, reads: 0 });
    expect(refused(large)).toEqual({ tableWrites: 4, indexWrites: 0, reads: 0 });
    expect(update(large).indexWrites).toBe(0); // the refusal showed that the entry is there
  });

  it("costs nothing when it is refused for another reason", () => {
    const { meter } = meterOf();
    const answer = { __type: "com.amazonaws#ValidationException" };
    expect(meter.measure("UpdateItem", { TableName: "registry", Key: KEY }, answer, 400).tableWrites).toBe(0);
  });

  it("has to show what it wrote", () => {
    const { meter } = meterOf();
    expect(() => meter.measure("UpdateItem", { TableName: "registry", Key: KEY }, {}, 200)).toThrow(/ALL_NEW/);
  });
});

describe("a read", () => {
  it("costs a unit for every 4 KiB begun, half of that when it may be stale, and as much when nothing is there", () => {
    const { read } = meterOf();
    expect(read(settled, true).reads).toBe(1);
    expect(read(settled, false).reads).toBe(0.5);
    expect(read(undefined, true).reads).toBe(1);
    expect(read({ ...settled, text: { S: "x".repeat(5_000) } }, true).reads).toBe(2);
  });

  it("of an index adds up what it found", () => {
    const { meter } = meterOf();
    const Items = Array.from({ length: 3 }, () => ({ ...due(1), text: { S: "x".repeat(2_000) } }));
    expect(meter.measure("Query", { TableName: "registry", IndexName: "due" }, { Items }, 200).reads).toBe(1);
  });

  it("of many rows at once rounds each of them up, of any number of tables", () => {
    const { meter } = meterOf();
    const items = Array.from({ length: 3 }, () => ({ ...due(1), text: { S: "x".repeat(2_000) } }));
    const asked = { RequestItems: { registry: {}, records: { ConsistentRead: true } } };
    const found = { Responses: { registry: items, records: items.slice(1) } };
    expect(meter.measure("BatchGetItem", asked, found, 200).reads).toBe(3 * 0.5 + 2);
    expect(meter.measure("BatchGetItem", asked, {}, 200).reads).toBe(0);
  });
});

it("refuses an operation that it can not meter", () => {
  expect(() => meterOf().meter.measure("TransactWriteItems", { TableName: "registry" }, {}, 200)).toThrow(
    /TransactWriteItems/,
  );
});
