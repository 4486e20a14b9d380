import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  duePartition,
  duePartitions,
  parseRegistryRow,
  parseVerificationStateRow,
  ROW_PARTITIONS,
  rowKey,
  rowPartition,
  verifiedPartition,
  verifiedPartitions,
} from "../../../shared/geo/registry-row.ts";
import { anyKey } from "./keys.ts";

describe("where the row of an object stands", () => {
  test("is its type and twelve bits of its key's SHA-256, and then the key as it is", () => {
    // sha256("key") = 2c70e12b7a06…
    expect(rowKey({ replicableName: "cool_widget", key: "key" })).toEqual({ pk: "cool_widget#2c7", sk: "key" });
  });

  test("is in one of a type's partitions, and in one of those of what was verified when, which are named after it", () => {
    const ref = { replicableName: "cool_widget", key: "key" };
    expect(rowPartition("cool_widget", 0x2c7)).toBe(rowKey(ref).pk);
    expect(rowPartition("cool_widget", 0)).toBe("cool_widget#000");
    expect(rowPartition("cool_widget", ROW_PARTITIONS - 1)).toBe("cool_widget#fff");
    expect(verifiedPartition(ref)).toBe("verified#cool_widget#7");
    expect(verifiedPartitions("cool_widget")).toHaveLength(duePartitions("cool_widget").length);
    expect(verifiedPartitions("cool_widget")).toContain("verified#cool_widget#7");
  });

  test("does not depend on what was asked for before", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const bits = createHash("sha256").update(key, "utf8").digest("hex").slice(0, 3);
        const ref = { replicableName: "a", key };
        for (let again = 0; again < 2; again += 1) {
          expect(rowKey(ref)).toEqual({ pk: `a#${bits}`, sk: key });
          expect(duePartition(ref)).toBe(`a#${Number.parseInt(bits, 16) % 16}`);
        }
      }),
      { numRuns: 1_200 },
    );
  });

  test("spreads a type over sixteen partitions of the due index, and each row is in one of them", () => {
    const partitions = duePartitions("cool_widget");
    expect(partitions).toEqual(Array.from({ length: 16 }, (_, index) => `cool_widget#${index}`));
    const used = new Set(
      Array.from({ length: 500 }, (_, index) =>
        duePartition({ replicableName: "cool_widget", key: `cool_widgets/${index}` }),
      ),
    );
    expect([...used].toSorted()).toEqual([...partitions].toSorted());
  });
});

const readWrongRow = () => parseRegistryRow({ pk: 7, sk: "s", state: "2" });
const readWrongStateRow = () => parseVerificationStateRow({ pk: "p", sk: "s", src_size: "7" });

describe("a registry row", () => {
  test("that has only what it must have reads with the defaults of all else", () => {
    expect(parseRegistryRow({ pk: "p", sk: "s", state: 2 })).toEqual({
      pk: "p",
      sk: "s",
      state: "synced",
      verification_state: "pending",
      verification_retry_count: 0,
      retry_count: 0,
      checksum_mismatch: false,
      rev: 0,
      gen: 0,
      claimed_gen: 0,
      done_gen: 0,
    });
  });

  test("that is none is refused with every column that is wrong, and what was expected of it", () => {
    expect(readWrongRow).toThrow(expect.objectContaining({ code: "GEO_UNREADABLE_ROW", cause: expect.anything() }));
    expect(readWrongRow).toThrow(/^a registry row can not be read: pk: .*; state: .*/);
  });

  test.each([[undefined], [null], [{}], ["text"]])("is not %j", (item) => {
    expect(() => parseRegistryRow(item)).toThrow(/a registry row can not be read: /);
  });

  test("in a state that there is none of is refused by its number", () => {
    expect(() => parseRegistryRow({ pk: "p", sk: "s", state: 9 })).toThrow(/state 9/);
    expect(() => parseRegistryRow({ pk: "p", sk: "s", state: 0, verification_state: 9 })).toThrow(
      /verification_state 9/,
    );
  });
});

describe("a primary's row", () => {
  test("is no tombstone unless it says that the object is absent", () => {
    const row = { pk: "p", sk: "s" };
    expect(parseVerificationStateRow(row)).toEqual({
      pk: "p",
      sk: "s",
      rev: 0,
      tombstone: false,
      verification_state: "pending",
      verification_retry_count: 0,
    });
    expect(parseVerificationStateRow({ ...row, state: 5, verification_state: 2 })).toMatchObject({
      tombstone: true,
      verification_state: "succeeded",
    });
    expect(parseVerificationStateRow({ ...row, state: 0 })).toMatchObject({ tombstone: false });
  });

  test("that is none is refused as one of its own table", () => {
    expect(readWrongStateRow).toThrow(/^a verification-state row can not be read: src_size: /);
    expect(readWrongStateRow).toThrow(expect.objectContaining({ code: "GEO_UNREADABLE_ROW" }));
  });
});
