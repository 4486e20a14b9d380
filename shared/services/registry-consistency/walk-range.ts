import type { Finding, Findings } from "../../geo/consistency.ts";
import type { TypeSwitches } from "../../geo/feature-flags.ts";
import type { ScopeInForce } from "../../geo/walk-scope.ts";
import { type GeoMessage, KEYS_PER_MESSAGE_MAX } from "../../geo/geo-message.ts";
import { encodeKey } from "../../geo/key-codec.ts";
import { leaseMs } from "../../geo/limits.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { MessageQueue, OutgoingMessage } from "../../ports/message-queue.ts";
import type { ReadableBucket } from "../../ports/object-store.ts";
import type { SiteBase } from "../../ports/site.ts";
import type { Table } from "../../ports/table.ts";
import { advanceRange, claimRange, releaseRange, type WalkRange } from "../../tables/site/consistency-items.ts";
import { keyMatcher } from "../key-matcher.ts";
import type { Judged, JudgingSite, OwnKey } from "./judge-keys.ts";
import type { KeyRange, Stretch } from "./list-both-sides.ts";

/** What every walk needs of its site, whatever the listed keys are held against. */
export interface WalkBase extends Pick<SiteBase, "clock" | "chance" | "telemetry" | "functionTimeoutMs" | "switches"> {
  readonly primary: Pick<ReadableBucket, "list">;
  /** How far each walk has come. */
  readonly siteTable: Pick<Table, "get" | "put" | "update" | "delete" | "query">;
  /** Where keys go that have to be looked at. */
  readonly backfill: MessageQueue & { backlog(): Promise<number> };
}

/** What walking needs of a secondary: both listings, the rows, and the queue for what has to be looked at. */
export interface WalkingSite extends JudgingSite, WalkBase {
  readonly primary: Pick<ReadableBucket, "list" | "head">;
  readonly replica: Pick<ReadableBucket, "list">;
  /** Behind what happens today: history has a queue of its own, so that it never delays the present. */
  readonly backfill: WalkBase["backfill"];
}

/** A walk of one kind: what is listed, and what it is held against. */
export interface Walker extends WalkBase {
  /** Whether a type is walked through. */
  isWalked(switches: TypeSwitches): boolean;
  /** Whether the site is to begin nothing now (F98). */
  isPaused(): Promise<boolean>;
  /** What decides which of a type's objects should have rows: when it changes, everything is walked through again. */
  scopeOf(replicable: Replicable): Promise<ScopeInForce>;
  /** Lists a range, a stretch at a time. */
  list(range: KeyRange): AsyncGenerator<Stretch>;
  /** @param everything the scope has changed since the last walk */
  judge(replicable: Replicable, keys: readonly OwnKey[], everything: boolean): Promise<readonly Judged[]>;
}

/** What a walk says of how its ranges are to be walked. */
export interface WalkLimits {
  /** Orphans that may still be handed over in this walk of the type. */
  readonly orphansLeft: number;
  /** The scope has changed since the last walk: settled rows and held ones were decided under another one. */
  readonly everything: boolean;
}

/** How one run on one range ended: `done`, as it was told to, not taken by the queue, or the range was somebody else's. */
export type WalkEnd = "done" | "stopped" | "not_taken" | "not_ours";

/** A range that is being walked: each `next` takes one stretch and says what was found there, and `next("stop")` lets go. */
export type WalkingRange = AsyncGenerator<Findings, WalkEnd, "stop" | undefined>;

const WANTS_A_LOOK: ReadonlySet<Finding> = new Set(["missing", "stale", "out_of_scope", "unverified"]);

/** Whether a key is handed over, orphans apart. @param everything the scope has changed since the last walk */
const wantsALook = (finding: Finding, everything: boolean): boolean =>
  // Who holds a row has decided by what was in force when they looked: counted as a hint, they look again (F46).
  WANTS_A_LOOK.has(finding) || (everything && finding === "held");

const lookMessages = (
  replicableName: string,
  keys: readonly string[],
  replicaListed: boolean,
): readonly OutgoingMessage[] => {
  const messages: OutgoingMessage[] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_MESSAGE_MAX) {
    const message: GeoMessage = {
      version: 1,
      kind: "look",
      replicable_name: replicableName,
      keys: keys.slice(start, start + KEYS_PER_MESSAGE_MAX).map(encodeKey),
      ...(replicaListed ? { replica_listed: true } : {}),
    };
    messages.push({ body: JSON.stringify(message), group: replicableName });
  }
  return messages;
};

const count = (judged: readonly Judged[], finding: Finding): number =>
  judged.filter((one) => one.finding === finding).length;

/**
 * Walks through a range under a lease, a stretch at a time: what is listed, the rows of those keys, the keys that differ into
 * the backfill queue, and then how far it came. Dying anywhere costs the keys of one stretch a second look. Whoever walks
 * decides after each stretch whether to go on, so that several types can be walked in turn.
 *
 * @throws StoreUnavailableError, TableUnavailableError when something did not answer: the range goes on from its cursor later
 */
export const walkRange = async function* (
  site: Walker,
  replicables: readonly Replicable[],
  replicable: Replicable,
  range: WalkRange,
  { orphansLeft, everything }: WalkLimits,
): WalkingRange {
  const replicableName = replicable.name;
  const token = site.chance.token();
  const lease = (): number => site.clock.now() + leaseMs(site.functionTimeoutMs);
  const claimed = await site.siteTable.update(claimRange(range, token, site.clock.now(), lease()));
  if (claimed.outcome === "refused") return "not_ours";

  const matching = await keyMatcher(replicables, site.switches);
  let orphans = orphansLeft;
  const after = range.seenUntil ?? range.after;
  for await (const { keys, seenUntil } of site.list({ ...range, after })) {
    const ours = keys.flatMap((listed) => {
      const match = matching(listed.key);
      return match?.replicable.name === replicableName ? [{ listed, attributes: match.attributes }] : [];
    });
    const judged = await site.judge(replicable, ours, everything);
    const taken = judged.filter(({ finding }) => finding === "orphan").slice(0, Math.max(0, orphans));
    const others = judged.filter(({ finding }) => wantsALook(finding, everything));
    const wanted = [...others, ...taken].map(({ key }) => key);
    const replicas = new Set(ours.flatMap(({ listed }) => (listed.replica === undefined ? [] : [listed.key])));
    const messages = [true, false].flatMap((isListed) => {
      const keysOf = wanted.filter((key) => replicas.has(key) === isListed);
      return lookMessages(replicableName, keysOf, isListed);
    });
    const sent = messages.length === 0 ? undefined : await site.backfill.send(messages);
    // What was not handed over has to be found again: the cursor stays.
    if (sent?.outcome === "failed") {
      await site.siteTable.update(releaseRange(range, token));
      site.telemetry.warn("keys that differ could not be handed over", {
        replicable: replicableName,
        reason: sent.reason,
      });
      return "not_taken";
    }
    const findings: Findings = {
      listed: ours.length,
      missing: count(judged, "missing"),
      stale: count(judged, "stale"),
      orphan: count(judged, "orphan"),
      outOfScope: count(judged, "out_of_scope"),
      enqueued: wanted.length,
    };
    const advanced = await site.siteTable.update(
      advanceRange(range, token, { seenUntil, findings, leaseUntil: lease() }),
    );
    if (advanced.outcome === "refused") return "not_ours";
    orphans -= taken.length;
    const wish = yield findings;
    if (seenUntil === undefined) return "done";
    if (wish === "stop") break;
  }
  await site.siteTable.update(releaseRange(range, token));
  return "stopped";
};
