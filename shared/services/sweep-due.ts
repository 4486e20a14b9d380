import { type GeoMessage, KEYS_PER_MESSAGE_MAX } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { SWEEP_ROWS_MAX } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { duePartitions } from "../geo/registry-row.ts";
import type { SweepCursor } from "../geo/sweep-steps.ts";
import type { Clock } from "../ports/clock.ts";
import type { MessageQueue, OutgoingMessage } from "../ports/message-queue.ts";
import type { Item, Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { findDue } from "../tables/find-due.ts";

/** What a sweep needs. The same at both kinds of site: the tables have the same due index. */
export interface Sweeping {
  readonly table: Pick<Table, "query">;
  readonly replicableNames: readonly string[];
  /** Whether work of a type is wanted now: what is due of one that is switched off stays due (F84). */
  readonly isOn: (replicableName: string) => Promise<boolean>;
  /** Where all of them go. The worker that looks at a row decides what it needs: an index may be behind its table. */
  readonly queue: MessageQueue;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** How far a sweep came. `more`: there was more due than one run sends, and `cursor` says where to go on. */
export type Swept =
  | { readonly swept: number; readonly more: false }
  | { readonly swept: number; readonly more: true; readonly cursor: SweepCursor };

const chunks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, chunk) => list.slice(chunk * size, (chunk + 1) * size));

/**
 * Keys of a type whose rows are due, in as few messages as they fit into.
 * @param probe whether they are a few of many, to find out whether the others can be tried again
 */
export const dueMessages = (
  replicableName: string,
  keys: readonly string[],
  probe = false,
): readonly OutgoingMessage[] =>
  chunks(keys, KEYS_PER_MESSAGE_MAX).map((some) => {
    const message: GeoMessage = {
      version: 1,
      kind: "due",
      replicable_name: replicableName,
      keys: some.map(encodeKey),
      ...(probe ? { probe } : {}),
    };
    return { body: JSON.stringify(message), group: replicableName };
  });

/** Sends them. What was not sent is still due: the next sweep sends it. */
export const sendDue = async (
  { queue, telemetry }: Pick<Sweeping, "queue" | "telemetry">,
  replicableName: string,
  keys: readonly string[],
  probe = false,
): Promise<void> => {
  const sent = await queue.send(dueMessages(replicableName, keys, probe));
  if (sent.outcome === "failed") {
    telemetry.warn("some due rows could not be sent", { replicable: replicableName, reason: sent.reason });
  }
  telemetry.count(COUNT_METRICS.swept, keys.length, replicableName);
};

/** When a row of the due index became due. */
export const dueAt = (item: Item | undefined): number => (typeof item?.["due_at"] === "number" ? item["due_at"] : 0);

/** The key of the object that a row of the due index is about; nothing of a row that has none. */
export const dueKeys = (items: readonly Item[]): readonly string[] =>
  items.flatMap(({ sk }) => (typeof sk === "string" ? [sk] : []));

/** Where the next round goes on in a partition; a page of one single time is stepped over, and found by the next sweep. */
const afterPage = (items: readonly Item[]): number => {
  const [first, last] = [dueAt(items[0]), dueAt(items.at(-1))];
  return first === last ? last + 1 : last;
};

/**
 * T10. Sends the keys of due rows back to the queue and changes nothing, so that it may die anywhere, or run twice: what
 * it did not send is still due, and what it sent twice is looked at twice. Each type and partition gets its share of a
 * run, so that a flood of one type does not keep another waiting.
 *
 * @param cursor where to go on: the partitions of no other type and no other partition are looked at. Default: all
 * @param until rows that became due later are left. Milliseconds since the epoch; default: now
 */
export const sweepDue = async (
  sweeping: Sweeping,
  cursor?: SweepCursor,
  until: number = sweeping.clock.now(),
): Promise<Swept> => {
  const { table, clock } = sweeping;
  const upTo = Math.min(until, clock.now());
  const names: string[] = [];
  for (const name of sweeping.replicableNames) if (await sweeping.isOn(name)) names.push(name);
  const partitionsOf = (name: string) =>
    duePartitions(name).filter((partition) => cursor === undefined || cursor[partition] !== undefined);
  const partitions = names.reduce((sum, name) => sum + partitionsOf(name).length, 0);
  const share = Math.max(1, Math.floor(SWEEP_ROWS_MAX / Math.max(1, partitions)));
  let swept = 0;
  const next: Record<string, number> = {};
  for (const name of names) {
    const due: string[] = [];
    await Promise.all(
      partitionsOf(name).map(async (partition) => {
        const page = await table.query(findDue(partition, cursor?.[partition] ?? 0, upTo, share));
        if (page.next !== undefined && page.items.length > 0) next[partition] = afterPage(page.items);
        due.push(...dueKeys(page.items));
      }),
    );
    if (due.length === 0) continue;
    await sendDue(sweeping, name, due);
    swept += due.length;
  }
  return Object.keys(next).length === 0 ? { swept, more: false } : { swept, more: true, cursor: next };
};
