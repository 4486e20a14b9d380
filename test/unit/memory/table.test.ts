import { describe, expect, it } from "vitest";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { MemoryTable, type StreamRecord } from "../../../shared/memory/table.ts";

const KEY = { pk: "p", sk: "s" };
const indexed = () => new MemoryTable({ name: "t", indexes: [{ name: "due", pk: "due_pk", sk: "due_at" }] });
const DUE = { index: "due", condition: "due_pk = :p", values: { ":p": "d" }, limit: 10 };

const lose = () => {
  throw new TableUnavailableError("lost");
};

describe("a table in memory", () => {
  it("streams each change once, with both images and rising sequence numbers", async () => {
    const table = indexed();
    const records: StreamRecord[] = [];
    table.onChange((record) => void records.push(record));
    await table.put({ ...KEY, a: 1 });
    await table.update({ key: KEY, update: "SET a = :two", values: { ":two": 2 } });
    await table.delete({ key: KEY });
    expect(records).toEqual([
      { sequenceNumber: 1, event: "INSERT", key: KEY, before: undefined, after: { ...KEY, a: 1 } },
      { sequenceNumber: 2, event: "MODIFY", key: KEY, before: { ...KEY, a: 1 }, after: { ...KEY, a: 2 } },
      { sequenceNumber: 3, event: "REMOVE", key: KEY, before: { ...KEY, a: 2 }, after: undefined },
    ]);
  });

  it("streams nothing for a write that is refused or changes nothing", async () => {
    const table = indexed();
    await table.put({ ...KEY, a: { b: [1] } });
    const records: StreamRecord[] = [];
    table.onChange((record) => void records.push(record));
    await table.put({ ...KEY, a: { b: [1] } });
    await table.update({ key: KEY, update: "REMOVE c" });
    await table.put({ ...KEY, a: 2 }, { condition: "attribute_not_exists(pk)" });
    await table.delete({ key: { pk: "p", sk: "other" } });
    expect(records).toEqual([]);
  });

  it("goes back to a snapshot, indexes included", async () => {
    const table = indexed();
    await table.put({ ...KEY, due_pk: "d", due_at: 1 });
    const state = table.export();
    await table.update({ key: KEY, update: "SET due_at = :two", values: { ":two": 2 } });
    await table.put({ pk: "p", sk: "other", due_pk: "d", due_at: 3 });
    table.import(state);
    expect(table.items()).toEqual([{ ...KEY, due_pk: "d", due_at: 1 }]);
    expect((await table.query(DUE)).items).toEqual([{ ...KEY, due_pk: "d", due_at: 1 }]);
    expect(table.export()).toEqual(state);
  });

  it("moves a row from one index partition to another", async () => {
    const table = indexed();
    await table.put({ ...KEY, due_pk: "d", due_at: 1 });
    await table.put({ ...KEY, due_pk: "e", due_at: 1 });
    expect((await table.query(DUE)).items).toEqual([]);
    expect((await table.query({ ...DUE, values: { ":p": "e" } })).items).toHaveLength(1);
  });

  it("loses a call before its effect, or the answer behind it, as it is told to", async () => {
    const table = indexed();
    table.interference = { before: lose };
    await expect(table.put({ ...KEY, a: 1 })).rejects.toThrow(TableUnavailableError);
    expect(table.items()).toEqual([]);
    table.interference = { after: lose };
    await expect(table.put({ ...KEY, a: 1 })).rejects.toThrow(TableUnavailableError);
    expect(table.items()).toEqual([{ ...KEY, a: 1 }]);
  });
});
