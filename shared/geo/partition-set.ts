import { ROW_PARTITIONS } from "./registry-row.ts";

/** A set of a type's row partitions, as one short text: a bit for each, 684 characters of Base64. Pure. */

const BYTES = ROW_PARTITIONS / 8;

/** Reads a set; what is no text is the empty one. */
export const parsePartitionSet = (stored: unknown): ReadonlySet<number> => {
  const bytes = typeof stored === "string" ? Buffer.from(stored, "base64") : Buffer.alloc(0);
  const found = new Set<number>();
  for (const [index, byte] of bytes.subarray(0, BYTES).entries()) {
    for (let bit = 0; bit < 8; bit += 1) if ((byte & (1 << bit)) !== 0) found.add(8 * index + bit);
  }
  return found;
};

/** Writes a set. */
export const formatPartitionSet = (partitions: Iterable<number>): string => {
  const bytes = Buffer.alloc(BYTES);
  for (const partition of partitions) {
    const index = partition >> 3;
    bytes.writeUInt8(bytes.readUInt8(index) | (1 << (partition & 7)), index);
  }
  return bytes.toString("base64");
};

const PARTITION = /^(?<replicableName>[^#]+)#(?<partition>[\da-f]{3})$/;

/** The type and the partition of a row's `pk` (`rowPartition`); nothing for what is not a row's. */
export const parseRowPartition = (
  pk: unknown,
): { readonly replicableName: string; readonly partition: number } | undefined => {
  const { replicableName, partition } = (typeof pk === "string" && PARTITION.exec(pk)?.groups) || {};
  if (replicableName === undefined || partition === undefined) return undefined;
  return { replicableName, partition: Number.parseInt(partition, 16) };
};
