import pMap from "p-map";
import { fairShares } from "../geo/fair-shares.ts";
import {
  KEYS_IN_FLIGHT,
  REVERIFICATION_BACKLOG_MESSAGES_MAX,
  REVERIFICATION_PAGE,
  REVERIFIED_PER_PASS_MAX,
  VERIFICATION_GRACE_MS,
} from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { verifiedPartitions } from "../geo/registry-row.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { MessageQueue } from "../ports/message-queue.ts";
import type { LateReader, SiteBase } from "../ports/site.ts";
import type { Item, Table } from "../ports/table.ts";
import { findDue } from "../tables/find-due.ts";
import { leaveIndex, markForReverification } from "../tables/verification-state/re-verify.ts";
import { type KeyMatcher, keyMatcher } from "./key-matcher.ts";
import { dueMessages } from "./sweep-due.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What re-verification needs of the primary. A secondary has no timer: it reads again what the primary has read again. */
export interface Reverifying extends Pick<SiteBase, "clock" | "telemetry" | "switches"> {
  readonly verificationState: Pick<Table, "query" | "update">;
  readonly replicables: readonly Replicable[];
  /** The primary's own. */
  readonly settings: LateReader<SiteSettings>;
  /** Of the checksum function. */
  readonly queue: MessageQueue & { backlog(): Promise<number> };
}

/** A settled row whose object was verified too long ago, as the index shows it. */
interface Old {
  readonly replicable: Replicable;
  readonly key: string;
  readonly verifiedAt: number;
}

const oldOf = (replicable: Replicable, item: Item): readonly Old[] => {
  const { sk: key, due_at: verifiedAt } = item;
  return typeof key === "string" && typeof verifiedAt === "number" ? [{ replicable, key, verifiedAt }] : [];
};

/**
 * The oldest of a type, in order, whichever partition they are in. As many as the pages show completely: behind the last
 * row of a page that is not the last one there may be rows that are older than those of other pages.
 */
const oldestOf = async (
  { verificationState }: Reverifying,
  replicable: Replicable,
  before: number,
): Promise<readonly Old[]> => {
  const pages = await Promise.all(
    verifiedPartitions(replicable.name).map((partition) =>
      verificationState.query(findDue(partition, 0, before, REVERIFICATION_PAGE)),
    ),
  );
  const found = pages.map(({ items, next }) => ({ old: items.flatMap((item) => oldOf(replicable, item)), next }));
  const shownUntil = Math.min(
    ...found.map(({ old, next }) => (next === undefined ? Infinity : (old.at(-1)?.verifiedAt ?? Infinity))),
  );
  return found
    .flatMap(({ old }) => old)
    .filter(({ verifiedAt }) => verifiedAt <= shownUntil)
    .toSorted((a, b) => a.verifiedAt - b.verifiedAt);
};

/**
 * F30. Says of the objects that the primary verified longest ago, and too long ago, that they are to be read again, and
 * has it done. As many at once as Geo takes; each type has its share. Run by the sweep, once a minute.
 *
 * It may die anywhere, or run twice. Whoever is marked is in the due index, so that the sweep brings what was not sent; who
 * is not marked is as old as before.
 *
 * @returns how many objects' time has come
 */
export const reverify = async (reverifying: Reverifying): Promise<number> => {
  const { clock, telemetry, switches, settings, queue, replicables } = reverifying;
  // A site's record that can not be read is told of by whoever has to obey it at once; the sweep goes on without.
  const { minimumReverificationInterval } = await settings.read();
  if ((await queue.backlog()) >= REVERIFICATION_BACKLOG_MESSAGES_MAX) return 0;
  const now = clock.now();
  const before = now - minimumReverificationInterval * DAY_MS;
  const found: (readonly Old[])[] = [];
  for (const replicable of replicables) {
    const { primaryChecksumming } = await switches.of(replicable.name);
    if (primaryChecksumming) found.push(await oldestOf(reverifying, replicable, before));
  }
  const shares = fairShares(
    found.map(({ length }) => length),
    REVERIFIED_PER_PASS_MAX,
  );
  const matching = await keyMatcher(replicables, switches);
  let marked = 0;
  for (const [index, old] of found.entries()) {
    marked += await markAndSend(reverifying, matching, old.slice(0, shares[index]), now);
  }
  if (marked > 0) telemetry.info("objects are to be verified again", { objects: marked });
  return marked;
};

const markAndSend = async (
  { verificationState, queue, telemetry }: Reverifying,
  matching: KeyMatcher,
  turn: readonly Old[],
  now: number,
): Promise<number> => {
  const marked = await pMap(
    turn,
    async ({ replicable: { name }, key, verifiedAt }): Promise<readonly string[]> => {
      const ref = { replicableName: name, key };
      // Its type's pattern was changed: nobody works on it, and it is not to stand in the way of what is younger.
      if (matching(key)?.replicable.name !== name) {
        await verificationState.update(leaveIndex(ref, verifiedAt));
        return [];
      }
      const written = await verificationState.update(
        markForReverification(ref, verifiedAt, now + VERIFICATION_GRACE_MS),
      );
      return written.outcome === "written" ? [key] : [];
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  const keys = marked.flat();
  const [first] = turn;
  if (first === undefined || keys.length === 0) return 0;
  const { name } = first.replicable;
  const sent = await queue.send(dueMessages(name, keys));
  // They are due in some minutes: the sweep sends them.
  if (sent.outcome === "failed") {
    telemetry.warn("some objects could not be sent to be verified again", { replicable: name, reason: sent.reason });
  }
  telemetry.count(COUNT_METRICS.reverificationDue, keys.length, name);
  return keys.length;
};
