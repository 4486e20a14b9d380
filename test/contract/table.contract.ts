import { beforeAll, describe, expect, it } from "vitest";
import { TableRequestError } from "../../shared/geo/errors.ts";
import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import type { Item, ManyReader, QueryRequest, Table } from "../../shared/ports/table.ts";
import { type Lacks, needs } from "./capability.ts";

/** Attributes that the due index of the table under test carries beside its keys. */
export const DUE_INDEX_INCLUDES = ["state", "taint_until"];

const claimedBy = (token: string) => ({ ":zero": 0, ":one": 1, ":started": 1, ":token": token });

const keysOf = (items: readonly Item[]) => items.map(({ sk }) => sk);

const due = (pk: string, now: number): QueryRequest => ({
  index: DUE_INDEX,
  condition: "due_pk = :pk AND due_at <= :now",
  values: { ":pk": pk, ":now": now },
  limit: 10,
});

/**
 * What every `Table` does.
 * @param make a table with the sparse index `due` (`due_pk`, `due_at`), which carries `DUE_INDEX_INCLUDES`. Called once.
 */
export const tableContract = (name: string, lacks: Lacks, make: () => Promise<Table & ManyReader>): void => {
  describe(`${name} as a table`, () => {
    let table: Table & ManyReader;
    let count = 0;
    beforeAll(async () => {
      table = await make();
    });
    const fresh = () => ({ pk: `partition-${(count += 1)}`, sk: "key" });

    const pages = async (request: QueryRequest): Promise<readonly Item[]> => {
      const found: Item[] = [];
      let page = await table.query(request);
      found.push(...page.items);
      while (page.next !== undefined) {
        page = await table.query({ ...request, startAfter: page.next });
        found.push(...page.items);
      }
      return found;
    };

    const CLAIM = {
      update: "SET gen = if_not_exists(gen, :zero) + :one, #state = :started, attempt_token = :token",
      condition: "attribute_not_exists(attempt_token)",
      names: { "#state": "state" },
    };

    it("has no item that was not written", async () => {
      expect(await table.get(fresh())).toBeUndefined();
    });

    it("gives of many keys the items that there are", async () => {
      const { pk } = fresh();
      const keys = Array.from({ length: 205 }, (_, index) => ({ pk, sk: `k${index}` }));
      for (const [index, key] of keys.entries()) if (index % 2 === 0) await table.put({ ...key, index });
      await expect
        .poll(async () => (await table.getMany(keys)).map(({ sk }) => (typeof sk === "string" ? sk : "")).toSorted())
        .toEqual(keys.flatMap(({ sk }, index) => (index % 2 === 0 ? [sk] : [])).toSorted());
      expect(await table.getMany([])).toEqual([]);
    });

    it("creates an item by updating it, and answers with the whole of it", async () => {
      const key = fresh();
      const item = { ...key, gen: 1, state: 1, attempt_token: "a" };
      expect(await table.update({ key, ...CLAIM, values: claimedBy("a") })).toEqual({ outcome: "written", item });
      expect(await table.get(key)).toEqual(item);
    });

    it("refuses an update whose condition is false, and shows the item as it stands", async () => {
      const key = fresh();
      await table.update({ key, ...CLAIM, values: claimedBy("a") });
      const item = { ...key, gen: 1, state: 1, attempt_token: "a" };
      expect(await table.update({ key, ...CLAIM, values: claimedBy("b") })).toEqual({ outcome: "refused", item });
      expect(await table.get(key)).toEqual(item);
    });

    it("refuses without an item when there is none", async () => {
      const key = fresh();
      const outcome = await table.update({
        key,
        update: "SET gen = :one",
        condition: "attribute_exists(pk)",
        values: { ":one": 1 },
      });
      expect(outcome).toEqual({ outcome: "refused", item: undefined });
      expect(await table.get(key)).toBeUndefined();
    });

    it("lets exactly one of two writers through", async () => {
      const key = fresh();
      const outcomes = await Promise.all(
        ["a", "b"].map((token) => table.update({ key, ...CLAIM, values: claimedBy(token) })),
      );
      expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(["refused", "written"]);
    });

    it("finds an absent attribute different from every value, and neither smaller nor greater", async () => {
      const key = fresh();
      const differs = { key, update: "SET a = :one", condition: "lease <> :one", values: { ":one": 1 } };
      expect((await table.update(differs)).outcome).toBe("written");
      expect((await table.update({ ...differs, condition: "lease < :one" })).outcome).toBe("refused");
      expect((await table.update({ ...differs, condition: "lease >= :one" })).outcome).toBe("refused");
    });

    it("evaluates right-hand sides against the item as it was", async () => {
      const key = fresh();
      await table.put({ ...key, a: 1, b: 2 });
      const outcome = await table.update({ key, update: "SET a = b, b = a" });
      expect(outcome).toEqual({ outcome: "written", item: { ...key, a: 2, b: 1 } });
    });

    it("sets, removes and adds in one update, inside of a map as well", async () => {
      const key = fresh();
      await table.put({ ...key, gone: "x", mpu: { id: "u", parts: [1, 2] }, n: 3 });
      const outcome = await table.update({
        key,
        update: "SET mpu.etag = :etag REMOVE gone, mpu.id, never_there ADD n :two",
        values: { ":etag": "e", ":two": 2 },
      });
      expect(outcome).toEqual({ outcome: "written", item: { ...key, mpu: { parts: [1, 2], etag: "e" }, n: 5 } });
    });

    it("keeps every kind of value", async () => {
      const item = {
        ...fresh(),
        text: "",
        odd: "\u{1F600}",
        n: -1.5,
        yes: true,
        no: false,
        list: [1, "a", []],
        map: { a: {} },
      };
      await table.put(item);
      expect(await table.get(item)).toEqual(item);
    });

    it("replaces the whole item on put, on a condition", async () => {
      const key = fresh();
      expect(await table.put({ ...key, a: 1 })).toEqual({ outcome: "written", item: { ...key, a: 1 } });
      const unless = { condition: "attribute_not_exists(pk)" };
      expect(await table.put({ ...key, b: 1 }, unless)).toEqual({ outcome: "refused", item: { ...key, a: 1 } });
      await table.put({ ...key, b: 2 }, { condition: "a = :a", values: { ":a": 1 } });
      expect(await table.get(key)).toEqual({ ...key, b: 2 });
    });

    it("deletes on a condition, and an absent item as well", async () => {
      const key = fresh();
      await table.put({ ...key, a: 1 });
      const conditional = { key, condition: "a = :a", values: { ":a": 2 } };
      expect(await table.delete(conditional)).toEqual({ outcome: "refused", item: { ...key, a: 1 } });
      expect(await table.delete({ ...conditional, values: { ":a": 1 } })).toEqual({ outcome: "deleted" });
      expect(await table.delete({ key })).toEqual({ outcome: "deleted" });
      expect(await table.delete(conditional)).toEqual({ outcome: "refused", item: undefined });
    });

    describe("queried", () => {
      // U+FF5E comes after U+1F600 in UTF-16 and before it in UTF-8.
      const ORDERED = ["A", "a", "a/1", "a/2", "b", "é", "\u{FF5E}", "\u{1F600}"];
      const pk = "queried";
      beforeAll(async () => {
        for (const sk of ORDERED.toReversed()) await table.put({ pk, sk });
      });
      const all: QueryRequest = { condition: "pk = :pk", values: { ":pk": pk }, limit: 100 };

      it("gives a partition in the order of its keys' bytes", async () => {
        expect(keysOf((await table.query(all)).items)).toEqual(ORDERED);
      });

      it("gives it backwards", async () => {
        expect(keysOf((await table.query({ ...all, descending: true })).items)).toEqual(ORDERED.toReversed());
      });

      it.each([1, 3, 8])("gives the same in pages of %d, in either direction", async (limit) => {
        expect((await table.query({ ...all, limit })).items).toHaveLength(limit);
        expect(keysOf(await pages({ ...all, limit }))).toEqual(ORDERED);
        expect(keysOf(await pages({ ...all, limit, descending: true }))).toEqual(ORDERED.toReversed());
      });

      it("gives a range or a prefix of it", async () => {
        const prefix = { condition: "pk = :pk AND begins_with(sk, :p)", values: { ":pk": pk, ":p": "a/" }, limit: 10 };
        expect(keysOf((await table.query(prefix)).items)).toEqual(["a/1", "a/2"]);
        const range = { condition: "pk = :pk AND sk BETWEEN :a AND :b", values: { ":pk": pk, ":a": "a", ":b": "b" } };
        expect(keysOf((await table.query({ ...range, limit: 10 })).items)).toEqual(["a", "a/1", "a/2", "b"]);
      });

      it("gives nothing of an empty partition", async () => {
        expect(await table.query({ ...all, values: { ":pk": "empty" } })).toEqual({ items: [] });
      });
    });

    describe("with its sparse index", () => {
      it("lists what is due, earliest first, with what the index carries", async () => {
        for (const [sk, due_at] of Object.entries({ x: 30, y: 9, z: 100 })) {
          await table.put({ pk: "due", sk, due_pk: "d1", due_at, state: 1, other: "not carried" });
        }
        await expect
          .poll(async () => (await table.query(due("d1", 99))).items)
          .toEqual([
            { pk: "due", sk: "y", due_pk: "d1", due_at: 9, state: 1 },
            { pk: "due", sk: "x", due_pk: "d1", due_at: 30, state: 1 },
          ]);
      });

      it("lists rows that are due at the same time, page by page, each once", async () => {
        const keys = ["a", "b", "c", "d", "e"];
        for (const sk of keys) await table.put({ pk: `due-${sk}`, sk, due_pk: "d2", due_at: 5 });
        await expect
          .poll(async () => new Set(keysOf(await pages({ ...due("d2", 5), limit: 2 }))))
          .toEqual(new Set(keys));
        expect(await pages({ ...due("d2", 5), limit: 2 })).toHaveLength(keys.length);
      });

      it("forgets a row that is settled", async () => {
        const key = fresh();
        await table.put({ ...key, due_pk: "d3", due_at: 5 });
        await expect.poll(async () => (await table.query(due("d3", 5))).items).toHaveLength(1);
        await table.update({ key, update: "REMOVE due_pk, due_at" });
        await expect.poll(async () => (await table.query(due("d3", 5))).items).toHaveLength(0);
      });
    });

    describe("refuses for good", () => {
      const key = { pk: "refused", sk: "key" };
      const one = { ":one": 1 };

      it.each<[string, () => Promise<unknown>]>([
        ["a bare reserved word", () => table.update({ key, update: "SET state = :one", values: one })],
        ["a value that is not given", () => table.update({ key, update: "SET a = :two" })],
        ["a value that is not used", () => table.update({ key, update: "REMOVE a", values: one })],
        ["a name that is not given", () => table.update({ key, update: "SET #a = :one", values: one })],
        ["a name that is not used", () => table.update({ key, update: "REMOVE a", names: { "#a": "a" } })],
        ["a sum with an absent attribute", () => table.update({ key, update: "SET a = b + :one", values: one })],
        ["doubled parentheses", () => table.delete({ key, condition: "((a = :one))", values: one })],
        ["a change of the key", () => table.update({ key, update: "SET sk = :one", values: one })],
        ["an index key of another type", () => table.put({ ...key, due_pk: "p", due_at: "soon" })],
        ["an empty key", () => table.put({ pk: "refused", sk: "" })],
        ["a sort key of more than 1,024 bytes", () => table.put({ pk: "refused", sk: "é".repeat(512) + "x" })],
        ["a partition key of more than 2,048 bytes", () => table.put({ pk: "é".repeat(1024) + "x", sk: "x" })],
        ["an item of more than 400 KB", () => table.put({ ...key, body: "x".repeat(400 * 1024) })],
        ["an unknown index", () => table.query({ index: "other", condition: "a = :one", values: one, limit: 1 })],
        ["a query without a partition", () => table.query({ condition: "sk = :k", values: { ":k": "k" }, limit: 1 })],
      ])("%s", async (_what, run) => {
        await expect(run()).rejects.toThrow(TableRequestError);
      });

      it("overlapping paths", async (context) => {
        needs(context, lacks, "update-path-overlap-check");
        const request = { key, update: "SET a = :one REMOVE a", values: one };
        await expect(table.update(request)).rejects.toThrow(TableRequestError);
      });

      it("and takes keys of exactly the longest lengths", async () => {
        const longest = { pk: "é".repeat(1024), sk: "é".repeat(512) };
        await table.put(longest);
        expect(await table.get(longest)).toEqual(longest);
      });
    });
  });
};
