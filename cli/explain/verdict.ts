import type { ReplicaRecord } from "../../shared/client/object-contract.ts";
import { printable } from "../output/texts.ts";
import { timeText } from "../registry/registry-answer.ts";
import { type AskedSite, originalOf, replicaOf, shellWord } from "./asked-site.ts";
import {
  absent,
  doubtful,
  gone,
  isCurrent,
  isGone,
  isTouched,
  keepsNothing,
  outOfScope,
  whole,
} from "./known-verdict.ts";
import { at, because, command, type Verdict } from "./verdict-words.ts";

/** Failures that pass by themselves. */
const PASSING: ReadonlySet<string | null> = new Set(["throttled", "unavailable", "unknown_outcome", "unsettled"]);

/** What no site's state matters for. */
const unclaimed = ({ object }: AskedSite): Verdict | undefined =>
  object.replicable_name === null
    ? {
        safe: false,
        reason: "unclaimed",
        sentence: `never hears of it, since ${object.claimed_because}`,
        remedy:
          "see which keys each type claims in docs/supported-types.md, or declare a type: geo replicable new --help",
      }
    : undefined;

/** What keeps the whole site, or the type, from following anything. */
const standing = (site: AskedSite): Verdict | undefined => {
  const { enabled, type, replicable_name: name } = site.object;
  if (type?.replication === false) {
    return {
      safe: false,
      reason: "switched_off",
      sentence: `does not follow it, since replication of ${name ?? ""} is switched off`,
      remedy: `geo flag set geo_${name ?? ""}_replication on`,
    };
  }
  if (enabled) return undefined;
  return {
    safe: false,
    reason: "paused",
    sentence: "is paused, and follows nothing until it is resumed",
    remedy: `geo site resume ${shellWord(site.name)}`,
  };
};

const unheard = (site: AskedSite, primary: AskedSite | undefined): Verdict => {
  const scope = outOfScope(site);
  if (scope !== undefined) return scope;
  const isKnown = primary !== undefined && originalOf(primary) !== undefined;
  return {
    safe: false,
    reason: "unheard",
    sentence: isKnown
      ? "has not heard of it yet; its events may be on the way"
      : "has never heard of it; is the key right, and is the object in the primary's bucket?",
    remedy: `wait for its event, or have it looked at: ${command("resync", site)}`,
  };
};

const failed = (site: AskedSite, replica: ReplicaRecord): Verdict => {
  const { failure_kind: kind, last_sync_failure: text, retry_at: retryAt, retry_count: tries } = replica;
  if (kind === "removal_guard" || replica.blocked_reason === "removal_guard") {
    return {
      safe: false,
      reason: "held_back",
      sentence: `holds its removal back: ${printable(text ?? "").replace("Removal held back by the guard: ", "")}`,
      remedy: `look first (docs/runbook.md, RemovalHeldBack), and if it was wanted: geo removals release ${site.object.replicable_name ?? ""} --site ${shellWord(site.name)} --removals <number>`,
    };
  }
  const again = command("redrive", site);
  return {
    safe: false,
    reason: "failed",
    sentence: `waits: try ${tries + 1} is due ${at(retryAt)}, ${because(text)}`,
    remedy: PASSING.has(kind)
      ? `nothing, it is tried again by itself; to try it now: ${again}`
      : `mend the cause, then try it now: ${again}`,
  };
};

const wrong = (site: AskedSite, replica: ReplicaRecord): Verdict => ({
  safe: false,
  reason: "verification_failed",
  sentence: `has a replica that was found wrong, ${because(replica.verification_failure)}; next look ${at(replica.verification_retry_at ?? replica.due_at)}`,
  remedy: `have it copied again: ${command("resync", site)}`,
});

/** A replica that was copied, and is not known to be right. */
const copied = (site: AskedSite, replica: ReplicaRecord, primary: AskedSite | undefined): Verdict => {
  const unsafe = { safe: false } as const;
  if (isTouched(replica) || isCurrent(replica, primary) === false) {
    return {
      ...unsafe,
      reason: "outdated",
      sentence: "has an older version; a change of it is on the way",
      remedy: `wait, or have it copied: ${command("resync", site)}`,
    };
  }
  if (isGone(primary)) {
    return {
      ...unsafe,
      reason: "not_removed",
      sentence: "still shows it, though it is gone from the primary; the removal is on the way",
      remedy: `wait, or have it looked at: ${command("resync", site)}`,
    };
  }
  switch (replica.verification_state) {
    case "disabled":
      return site.object.type?.verification === false
        ? {
            ...unsafe,
            reason: "verification_switched_off",
            sentence: "has copied it, and nothing of its type is verified",
            remedy: `geo flag set geo_${site.object.replicable_name ?? ""}_force_primary_checksumming on`,
          }
        : {
            ...unsafe,
            reason: "not_verified",
            sentence: "has copied it, and can not verify it before the primary has a checksum",
            remedy: `have the primary make one: ${command("reverify", { ...site, name: primary?.name ?? "<primary>" })}`,
          };
    case "succeeded":
      return replica.checksum_mismatch ? wrong(site, replica) : doubtful(site, replica, primary);
    case "failed":
      return wrong(site, replica);
    case "pending":
    case "started":
      return {
        ...unsafe,
        reason: "not_verified",
        sentence: `has copied it, and verifies it ${replica.verification_state === "started" ? "now" : `next: ${at(replica.due_at)}`}`,
        remedy: `wait, or have it verified: ${command("reverify", site)}`,
      };
  }
};

/**
 * How an object stands at a secondary: the first that applies of what makes it safe for certain, of what holds back everything
 * there, and of what its own row says.
 * @param primary undefined where it could not be asked
 */
export const verdictOfSecondary = (site: AskedSite, primary: AskedSite | undefined): Verdict => {
  const replica = replicaOf(site);
  const settled =
    unclaimed(site) ?? keepsNothing(site) ?? gone(replica, primary) ?? (replica && whole(site, replica, primary));
  if (settled !== undefined) return settled;
  const held = standing(site);
  if (held !== undefined) return held;
  if (replica === undefined) return unheard(site, primary);
  switch (replica.state) {
    case "failed":
      return failed(site, replica);
    case "started":
      return {
        safe: false,
        reason: "under_way",
        sentence: `is working on it now, until ${timeText(replica.lease?.until ?? null)} at most`,
        remedy: "wait; should the worker have died, the next one takes over at that time",
      };
    case "pending":
      return {
        safe: false,
        reason: "waiting",
        sentence: `waits to copy it since ${timeText(replica.waiting_since ?? replica.created_at)}; looked at next ${at(replica.due_at)}`,
        remedy: `wait, or have it tried now: ${command("resync", site)}`,
      };
    case "absent":
      return absent(site, replica, primary);
    case "synced":
      return copied(site, replica, primary);
  }
};

const has = (sentence: string): Verdict => ({ safe: null, reason: "original", sentence, remedy: null });

/** How an object stands at the primary, which has the original. */
export const verdictOfPrimary = (site: AskedSite): Verdict => {
  const nothing = unclaimed(site);
  if (nothing !== undefined) return nothing;
  const original = originalOf(site);
  if (original === undefined) {
    return {
      safe: null,
      reason: "original_not_known",
      sentence: "has no record of it: it was never put, was removed long ago, or its event has not come yet",
      remedy: null,
    };
  }
  if (original.tombstone) return has("has removed it");
  switch (original.verification_state) {
    case "failed":
      return {
        safe: false,
        reason: "original_damaged",
        sentence: `could not make its checksum, ${because(original.verification_failure)}; next try ${at(original.verification_retry_at ?? original.due_at)}`,
        remedy: `have it read again: ${command("reverify", site)}`,
      };
    case "succeeded":
      return has(`has it, and its checksum since ${timeText(original.verified_at)}`);
    case "disabled":
      return has("has it, and makes no checksums of its type");
    case "pending":
    case "started":
      return has("has it, and is making its checksum");
  }
};
