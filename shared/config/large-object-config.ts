import * as z from "zod/mini";
import { COPY_LIMITS } from "../geo/copy-limits.ts";
import { LARGE_COPY_BYTES } from "../geo/large-copy.ts";
import { SINGLE_COPY_BYTES_MAX } from "../geo/limits.ts";
import { PART_LIMITS } from "../geo/part-plan.ts";
import { integer } from "./fields.ts";

const { leastBytes, mostBytes, granuleBytes, objectBytesMax } = PART_LIMITS;

/** How an installation copies what is large, unless it says else. Sizes in bytes. */
export const LARGE_OBJECTS_DEFAULT = {
  singleCopyBytes: COPY_LIMITS.singleCopyBytesMax,
  partBytes: PART_LIMITS.usualBytes,
  workflowBytes: LARGE_COPY_BYTES,
} as const;

const PART = `expected bytes, ${leastBytes} to ${mostBytes}, a multiple of ${granuleBytes}`;

/** From which sizes on objects are copied in another way. Sizes in bytes. */
export const LargeObjectConfig = z.strictObject(
  {
    /**
     * Up to this size an object is copied in one request, and in parts above, 5242880 (5 MiB) to 5000000000 (S3's 5 GB).
     * Default 5000000000. In parts it comes sooner, costs a request for each, and leaves its annotations behind.
     */
    singleCopyBytes: z._default(
      integer(leastBytes, SINGLE_COPY_BYTES_MAX, `expected bytes, ${leastBytes} to ${SINGLE_COPY_BYTES_MAX}`),
      LARGE_OBJECTS_DEFAULT.singleCopyBytes,
    ),
    /**
     * What a part usually has, 5242880 (5 MiB) to 5368709120 (5 GiB), a multiple of 1048576. Default 67108864 (64 MiB). An
     * object that would have more than 10,000 of them has larger ones.
     */
    partBytes: z._default(
      z
        .number({ error: PART })
        .check(
          z.refine((bytes) => bytes >= leastBytes && bytes <= mostBytes && bytes % granuleBytes === 0, { error: PART }),
        ),
      LARGE_OBJECTS_DEFAULT.partBytes,
    ),
    /** From this size on parts are copied by a workflow, by several functions at a time. Default 100000000000 (100 GB). */
    workflowBytes: z._default(
      integer(leastBytes, objectBytesMax, `expected bytes, ${leastBytes} to ${objectBytesMax}`),
      LARGE_OBJECTS_DEFAULT.workflowBytes,
    ),
  },
  { error: "expected { singleCopyBytes, partBytes, workflowBytes }" },
);

const orElse = z.catch;

/** As much of it as can be read. */
export const LargeObjectSketch = orElse(
  z.optional(
    z.object({
      singleCopyBytes: orElse(z.optional(z.number()), undefined),
      workflowBytes: orElse(z.optional(z.number()), undefined),
    }),
  ),
  undefined,
);

/** What is wrong between the sizes. */
export const largeObjectProblems = (sketch: z.output<typeof LargeObjectSketch>): string[] => {
  const single = sketch?.singleCopyBytes ?? LARGE_OBJECTS_DEFAULT.singleCopyBytes;
  const workflow = sketch?.workflowBytes ?? LARGE_OBJECTS_DEFAULT.workflowBytes;
  return workflow <= single
    ? [`largeObjects: expected workflowBytes above singleCopyBytes (${single}), got ${workflow}`]
    : [];
};
