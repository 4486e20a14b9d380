import * as z from "zod/mini";
import { EXECUTION_NAME } from "./physical-names.ts";

/**
 * What the retry-sweep function is asked, by the schedule and by the states of its workflow, and what travels between
 * these. A step says all that it needs, so that any of them may be done twice, or by another function.
 */

/** Rows due of one type up to which a workflow works on them one round after the other; beyond, its partitions side by side. */
export const STORM_ROWS = 20_000;

/** How often one execution drains before it leaves the rest to its successor: bounds its history and its time. */
export const DRAIN_ROUNDS_MAX = 25;

/** Most executions in a chain. With a storm's two million rows each, more than can be due. */
const PARTS_MAX = 1_000;

/**
 * For each partition that there is something left in: the time from which on its rows are still to be sent. Rows that
 * wait for a worker stay due, and without this every round would send the same ones again.
 */
const SweepCursor = z.record(z.string().check(z.minLength(1), z.maxLength(300)), z.int().check(z.nonnegative()));
export type SweepCursor = Readonly<z.infer<typeof SweepCursor>>;

const replicableName = z.string().check(z.minLength(1), z.maxLength(255));
const time = z.int().check(z.nonnegative());

/** What an execution is started with. `part` and `chain` make the names of its successors. */
const DrainInput = z.object({
  replicable_name: replicableName,
  /** The name that the executions of one drain have in common. */
  chain: z.string().check(z.regex(EXECUTION_NAME), z.maxLength(70)),
  part: z.int().check(z.minimum(1), z.maximum(PARTS_MAX)),
  /** Rows that become due later are not this chain's. Default: when it starts. Milliseconds since the epoch. */
  until: z.optional(time),
  /** Where to go on. Default: everything. */
  cursor: z.optional(SweepCursor),
});
export type DrainInput = z.infer<typeof DrainInput>;

/** A round of draining: what it is asked, and what it answers. */
const DrainStep = z.object({
  action: z.literal("drain"),
  replicable_name: replicableName,
  until: time,
  cursor: SweepCursor,
  /** How many rounds have been made. */
  round: z.int().check(z.nonnegative()),
  /** Whether there is more to be drained from `cursor` on. */
  more: z.boolean(),
  /** Rows that were sent so far. */
  swept: z.int().check(z.nonnegative()),
});
export type DrainStep = z.infer<typeof DrainStep>;

/** What an execution knows after it has counted, and all that its later states need. */
const CountedDue = z.object({
  /** `nothing` is due; `some`, to be drained round by round; a `storm`; or the input was `refused`. */
  amount: z.enum(["nothing", "some", "storm"]),
  chain: DrainInput.shape.chain,
  part: DrainInput.shape.part,
  replicable_name: replicableName,
  until: time,
  /** The rounds over all partitions, if there is `some`. */
  drain: DrainStep,
  /** The same for each partition, in a `storm`. */
  partitions: z.array(DrainStep),
});
export type CountedDue = z.infer<typeof CountedDue>;
export type CountAnswer = CountedDue | { readonly amount: "refused"; readonly reason: string };

/** What starts the function. */
const SweepRequest = z.discriminatedUnion("action", [
  /** The schedule. Where a cloud does not fill the time in, it is no time. */
  z.object({ action: z.literal("tick"), scheduled_at: z.optional(z.string()) }),
  /** The workflow's first state; `input` is the execution's, whatever somebody started it with. */
  z.object({ action: z.literal("count"), input: z.unknown() }),
  DrainStep,
  /** Starts the successor, if there is anything left. */
  z.object({ action: z.literal("leave_the_rest"), left: CountedDue }),
]);
export type SweepRequest = z.infer<typeof SweepRequest>;

const problemsOf = (error: z.core.$ZodError): string =>
  error.issues.map(({ path, message }) => `${path.length === 0 ? "input" : path.join(".")}: ${message}`).join("; ");

/** Reads what the function was asked; throws with what was expected and what came. */
export const parseSweepRequest = (event: unknown): SweepRequest => {
  const parsed = z.safeParse(SweepRequest, event);
  if (parsed.success) return parsed.data;
  throw new TypeError(`expected a step of the retry sweep, got ${JSON.stringify(event)}: ${problemsOf(parsed.error)}`);
};

/** Reads the input of an execution; what is wrong with it is an answer, so that it is not tried again. */
export const parseDrainInput = (input: unknown): DrainInput | { readonly problems: string } => {
  const parsed = z.safeParse(DrainInput, input);
  return parsed.success ? parsed.data : { problems: problemsOf(parsed.error) };
};

/** A full minute in the form in which it stands in names: `20261121T1602`, UTC. */
export const minuteOf = (now: number): string =>
  new Date(now).toISOString().slice(0, "2026-11-21T16:02".length).replaceAll(/[-:]/g, "");

/** The minute that a start was scheduled for; `now`'s when the schedule did not say. */
export const scheduledMinute = (scheduledAt: string | undefined, now: number): string => {
  const scheduled = Date.parse(scheduledAt ?? "");
  return minuteOf(Number.isNaN(scheduled) ? now : scheduled);
};

/** What of a cursor belongs to a type. */
export const cursorOfType = (cursor: SweepCursor, typeName: string): SweepCursor =>
  Object.fromEntries(
    Object.entries(cursor).filter(([partition]) => partition.slice(0, partition.lastIndexOf("#")) === typeName),
  );
