import { type GeoMessage, KEYS_PER_MESSAGE_MAX } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { SWEEP_ROWS_MAX } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { duePartitions } from "../geo/registry-row.ts";
import { REPLICATION_STATE } from "../geo/replication-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { MessageQueue, OutgoingMessage } from "../ports/message-queue.ts";
import type { Item, Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { findDue } from "../tables/registry/find-due.ts";

/** What a sweep needs. The same at both kinds of site: the tables have the same due index. */
export interface Sweeping {
  readonly table: Pick<Table, "query">;
  readonly replicableNames: readonly string[];
  /** For rows whose object has to be looked at. */
  readonly events: MessageQueue;
  /** For settled rows whose verification is due. */
  readonly verification: MessageQueue;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** How far a sweep came. `more`: there was more due than one run sends. */
export interface Swept {
  readonly swept: number;
  readonly more: boolean;
}

const chunks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, chunk) => list.slice(chunk * size, (chunk + 1) * size));

const dueMessages = (replicableName: string, keys: readonly string[]): readonly OutgoingMessage[] =>
  chunks(keys, KEYS_PER_MESSAGE_MAX).map((some) => {
    const message: GeoMessage = { version: 1, kind: "due", replicable_name: replicableName, keys: some.map(encodeKey) };
    return { body: JSON.stringify(message), group: replicableName };
  });

/** A settled row out of quarantine is due for its verification; everything else for a look at the object. */
const wantsVerification = (item: Item, now: number): boolean =>
  item["state"] === REPLICATION_STATE.synced &&
  !(typeof item["taint_until"] === "number" && item["taint_until"] <= now);

/**
 * T10. Sends the keys of due rows back to the queues and changes nothing, so that it may die anywhere, or run twice: what
 * it did not send is still due, and what it sent twice is looked at twice. Each type and partition gets its share of a
 * run, so that a flood of one type does not keep another waiting.
 */
export const sweepDue = async (sweeping: Sweeping): Promise<Swept> => {
  const { table, events, verification, clock, telemetry } = sweeping;
  const now = clock.now();
  const partitions = sweeping.replicableNames.flatMap((name) =>
    duePartitions(name).map((partition) => ({ name, partition })),
  );
  const share = Math.max(1, Math.floor(SWEEP_ROWS_MAX / Math.max(1, partitions.length)));
  let swept = 0;
  let more = false;
  for (const name of sweeping.replicableNames) {
    const pages = await Promise.all(
      duePartitions(name).map((partition) => table.query(findDue(partition, now, share))),
    );
    const due = pages.flatMap((page) => page.items);
    if (pages.some((page) => page.next !== undefined)) more = true;
    if (due.length === 0) continue;
    const keys = (wanted: boolean) =>
      due.flatMap((item) => (wantsVerification(item, now) === wanted && typeof item.sk === "string" ? [item.sk] : []));
    const outcomes = [
      await events.send(dueMessages(name, keys(false))),
      await verification.send(dueMessages(name, keys(true))),
    ];
    // What was not sent is still due: the next run sends it.
    for (const outcome of outcomes) {
      if (outcome.outcome === "failed")
        telemetry.warn("some due rows could not be sent", { replicable: name, reason: outcome.reason });
    }
    swept += due.length;
    telemetry.count(COUNT_METRICS.swept, due.length, name);
  }
  return { swept, more };
};
