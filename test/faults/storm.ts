import type { Fault, Which } from "./fault-rule.ts";

type Kind = Exclude<Fault["kind"], "refuse" | "delay">;

const on = (which: Which, ...kinds: readonly Kind[]) =>
  kinds.map((kind) => ({ fault: { kind } satisfies Fault, which }));

/** Of everything that the functions ask, whatever can go wrong with it. */
export const STORM: readonly { readonly fault: Fault; readonly which: Which }[] = [
  ...on({ operation: "CopyObject" }, "drop_answer", "reset", "cut_short", "slow_down", "send_twice"),
  ...on({ operation: "DeleteObject" }, "drop_answer", "reset", "slow_down"),
  ...on({ operation: "HeadObject" }, "drop_answer", "reset", "slow_down"),
  ...on({ operation: "GetObject" }, "cut_short", "reset"),
  ...on({ operation: "GetObjectTagging" }, "cut_short"),
  ...on({ operation: "GetItem" }, "cut_short", "slow_down"),
  // Until the SDK gives up: the row is then held by nobody until its lease ends, which the suite makes short.
  ...on({ operation: "UpdateItem", caller: "event-consumer" }, "drop_answer", "reset", "cut_short", "send_twice"),
  // The leases of the others outlive their functions' fifteen minutes: their second tries get through.
  ...on({ operation: "UpdateItem", caller: "checksum", attempt: 1 }, "drop_answer", "reset"),
  ...on({ operation: "UpdateItem", caller: "verification", attempt: 1 }, "drop_answer", "reset"),
  ...on({ operation: "SendMessageBatch" }, "drop_answer", "slow_down", "send_twice"),
  ...on({ operation: "PublishBatch" }, "drop_answer"),
];
