import * as z from "zod/mini";

/**
 * Where a sweep goes on: for each partition that had more than one run sends, the time from which on its rows are still
 * to be sent. Rows that wait for a worker stay due, and without this every round would send the same ones again.
 */
const SweepCursor = z.record(z.string(), z.number());
export type SweepCursor = Readonly<z.infer<typeof SweepCursor>>;

/** What the state machine hands to a round: nothing of interest at first, then the answer of the last round. */
const Round = z.object({ sweep: z.optional(z.object({ cursor: z.optional(SweepCursor) })) });

/** The cursor in a round's input; undefined at the start of an execution. Throws on an input that is no round. */
export const cursorOfRound = (input: unknown): SweepCursor | undefined => Round.parse(input ?? {}).sweep?.cursor;
