import pMap from "p-map";
import type { BulkCounts, BulkUpdate } from "../../geo/bulk-progress.ts";
import { type Asked, judgeRegistryRow, judgeStateRow } from "../../geo/bulk-selection.ts";
import { GeoError } from "../../geo/errors.ts";
import { type GeoMessage, KEYS_PER_MESSAGE_MAX } from "../../geo/geo-message.ts";
import { encodeKey } from "../../geo/key-codec.ts";
import { KEYS_IN_FLIGHT, VERIFICATION_GRACE_MS } from "../../geo/limits.ts";
import { parseRegistryRow, parseVerificationStateRow } from "../../geo/registry-row.ts";
import type { OutgoingMessage } from "../../ports/message-queue.ts";
import type { Item } from "../../ports/table.ts";
import { markAsked } from "../../tables/verification-state/mark-asked.ts";
import type { KeyMatcher } from "../key-matcher.ts";
import { dueMessages } from "../sweep-due.ts";
import type { BulkSite, MeasuredQueue } from "./bulk-site.ts";
import type { RowPage } from "./next-page.ts";

/** A row that is to be asked for something. */
interface Wanted {
  readonly ask: Asked;
  readonly key: string;
  readonly modelRecordId: string;
  /** Of the primary's record as it was read. */
  readonly rev: number;
}

/** How a page was handed over; `not_taken`: some of it may not have been, so it has to be done again. */
export type HandedOver =
  | { readonly outcome: "done"; readonly counts: BulkCounts }
  | { readonly outcome: "not_taken"; readonly reason: string };

const judge = (site: BulkSite, { selection, askedAt }: BulkUpdate, item: Item) => {
  if (site.role === "secondary") {
    const row = parseRegistryRow(item);
    return { key: row.sk, rev: row.rev, judgement: judgeRegistryRow(selection, row, askedAt) };
  }
  const row = parseVerificationStateRow(item);
  return { key: row.sk, rev: row.rev, judgement: judgeStateRow(selection, row, askedAt) };
};

/** Which rows of a page are asked for something, and how many are selected and need not be. */
const sift = (site: BulkSite, update: BulkUpdate, page: RowPage, matching: KeyMatcher) => {
  const wanted: Wanted[] = [];
  let skipped = 0;
  for (const item of page.items) {
    try {
      const { key, rev, judgement } = judge(site, update, item);
      const match = matching(key);
      // Its type's pattern was changed since: nobody would work on it, and its message would be parked.
      const isOurs = match?.replicable.name === page.replicableName;
      if ("ask" in judgement && isOurs) {
        wanted.push({ ask: judgement.ask, key, rev, modelRecordId: match.modelRecordId });
      } else if ("ask" in judgement || judgement.skip === "already") skipped += 1;
    } catch (error) {
      // One row that can not be read is not to keep all others from being worked on: it is told of where it is worked on.
      if (!(error instanceof GeoError)) throw error;
      site.telemetry.error("a row was left out of a bulk update: it can not be read", { reason: error.message });
      skipped += 1;
    }
  }
  return { wanted, skipped };
};

const chunks = <T>(list: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / KEYS_PER_MESSAGE_MAX) }, (_, chunk) =>
    list.slice(chunk * KEYS_PER_MESSAGE_MAX, (chunk + 1) * KEYS_PER_MESSAGE_MAX),
  );

const eventOf = (site: BulkSite, { id }: BulkUpdate, replicableName: string, { key, modelRecordId }: Wanted) => ({
  id: site.chance.token(),
  replicable_name: replicableName,
  event_name: "checksum_succeeded" as const,
  created_at: site.clock.now(),
  payload: { model_record_id: modelRecordId, correlation_id: id, blob_path: encodeKey(key) },
});

const messagesOf = (
  site: BulkSite,
  update: BulkUpdate,
  replicableName: string,
  ask: Asked,
  rows: readonly Wanted[],
): readonly OutgoingMessage[] => {
  if (ask === "verify" || ask === "due" || ask === "checksum") {
    return dueMessages(
      replicableName,
      rows.map(({ key }) => key),
    );
  }
  return chunks(rows).map((some) => {
    const common = {
      version: 1,
      replicable_name: replicableName,
      keys: some.map(({ key }) => encodeKey(key)),
    } as const;
    const message: GeoMessage =
      ask === "resync"
        ? { ...common, kind: "resync", correlation_id: update.id }
        : ask === "look"
          ? { ...common, kind: "look" }
          : { version: 1, kind: "geo_events", events: some.map((row) => eventOf(site, update, replicableName, row)) };
    return { body: JSON.stringify(message), group: replicableName };
  });
};

/** Where what a row is asked for goes. */
export const queueOf = (site: BulkSite, ask: Asked): MeasuredQueue =>
  (ask === "verify" || ask === "verify_again" ? site.verificationQueue : undefined) ?? site.lookQueue;

/** Marks settled records as to be read again; those that somebody has written since have been looked at since. */
const mark = async (site: BulkSite, replicableName: string, rows: readonly Wanted[]): Promise<readonly Wanted[]> => {
  const dueAt = site.clock.now() + VERIFICATION_GRACE_MS;
  const marked = await pMap(
    rows,
    async (row) => {
      const written = await site.rows.update(markAsked({ replicableName, key: row.key }, row, dueAt));
      return written.outcome === "written" ? [row] : [];
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  return marked.flat();
};

/**
 * Asks the rows of a page for what is wanted of them. May be done again, or die anywhere: a message is a hint that changes
 * nothing by itself, and a record that was marked and not sent is in the due index.
 */
export const handOver = async (
  site: BulkSite,
  update: BulkUpdate,
  page: RowPage,
  matching: KeyMatcher,
): Promise<HandedOver> => {
  const { wanted, skipped } = sift(site, update, page, matching);
  let changed = 0;
  for (const [ask, all] of Map.groupBy(wanted, (row) => row.ask)) {
    const rows = ask === "checksum" ? await mark(site, page.replicableName, all) : all;
    if (rows.length === 0) continue;
    const sent = await queueOf(site, ask).send(messagesOf(site, update, page.replicableName, ask, rows));
    if (sent.outcome === "failed") return { outcome: "not_taken", reason: sent.reason };
    changed += rows.length;
  }
  const counts = { lookedAt: page.items.length, changed, skipped: skipped + wanted.length - changed };
  return { outcome: "done", counts };
};
