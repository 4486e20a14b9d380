import { expect, test } from "vitest";
import { formatPartitionSet } from "../../../shared/geo/partition-set.ts";
import { ROW_PARTITIONS, rowPartition } from "../../../shared/geo/registry-row.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import type { QueryRequest } from "../../../shared/ports/table.ts";
import { REGISTRY_ROWS } from "../../../shared/services/find-rows/row-kind.ts";
import { PAGE_QUERIES_MAX, PAGE_ROWS_READ_MAX } from "../../../shared/services/find-rows/row-search.ts";
import { walkRows } from "../../../shared/services/find-rows/walk-rows.ts";

const TYPE = "lfs_object";

/** A type that has so many rows in each of its partitions, none of which is what is searched for; and what was asked of it. */
const searched = (rowsPerPartition: number) => {
  const asked = { queries: 0, rows: 0 };
  const query = ({ values, limit, startAfter }: QueryRequest) => {
    const pk = values[":pk"];
    if (typeof pk !== "string") throw new Error("a query names the partition that it is of");
    const from = startAfter === undefined ? 0 : Number(startAfter["sk"]) + 1;
    const until = Math.min(rowsPerPartition, from + limit);
    const items = Array.from({ length: until - from }, (_, n) => ({
      pk,
      sk: String(from + n).padStart(6, "0"),
      state: 2,
      verification_state: 2,
    }));
    asked.queries += 1;
    asked.rows += items.length;
    const last = items.at(-1);
    return Promise.resolve({ items, ...(until < rowsPerPartition && last ? { next: { pk, sk: last.sk } } : {}) });
  };
  const partitions = formatPartitionSet(Array.from({ length: ROW_PARTITIONS }, (_, partition) => partition));
  return {
    asked,
    where: {
      kind: REGISTRY_ROWS,
      rows: { query, getMany: () => Promise.resolve([]) },
      siteTable: { get: () => Promise.resolve({ partitions }), query },
      telemetry: new MemoryTelemetry(),
    },
  };
};

const page = { size: 20, order: { by: "id", descending: false }, backwards: false } as const;
const nothingFits = { filter: { replicableName: TYPE, verificationState: "disabled" }, page } as const;

test.each([1, 5, 30, 160, 300, 1_000])(
  "a page that finds nothing costs no more than its bounds, with %i rows in each partition (F72)",
  async (rowsPerPartition) => {
    const { asked, where } = searched(rowsPerPartition);
    const found = await walkRows(where, nothingFits);
    expect(found).toMatchObject({ rows: [], more: true });
    expect(asked.queries).toBeLessThanOrEqual(PAGE_QUERIES_MAX);
    expect(asked.rows).toBeLessThanOrEqual(PAGE_ROWS_READ_MAX);
  },
);

test("going on page by page comes to the end of the type, and reads little in vain", async () => {
  const { asked, where } = searched(3);
  let from: Awaited<ReturnType<typeof walkRows>>["reached"];
  let pages = 0;
  for (let more = true; more; pages += 1) {
    const found = await walkRows(where, {
      ...nothingFits,
      page: { ...page, ...(from === undefined ? {} : { from }) },
    });
    more = found.more;
    from = found.reached;
  }
  expect(pages).toBeGreaterThan(1);
  expect(asked.rows).toBe(3 * ROW_PARTITIONS);
  expect(rowPartition(TYPE, ROW_PARTITIONS - 1)).toBe(`${TYPE}#fff`);
});
