import type { ReplicaRecord } from "../../shared/client/object-contract.ts";
import { quarantineMs } from "../../shared/geo/limits.ts";
import { timeText } from "../registry/registry-answer.ts";
import { type AskedSite, originalOf, shellWord } from "./asked-site.ts";
import { type Verdict, command, verifiedText } from "./verdict-words.ts";

/**
 * What may be called safe or gone, and what is said where that is not known. Whatever is not known for certain is not called
 * safe: somebody fails over by it.
 */

/** The primary has noted that the object is gone. */
export const isGone = (primary: AskedSite | undefined): boolean =>
  primary !== undefined && originalOf(primary)?.tombstone === true;

/** Something was heard of the key that was not followed yet. */
export const isTouched = ({ generation }: ReplicaRecord): boolean => generation.counted > generation.done;

/**
 * Whether a replica was made from what the primary has now; undefined when the primary has not told. A version id comes back
 * where versions are suspended, its ETag does not.
 */
export const isCurrent = ({ source }: ReplicaRecord, primary: AskedSite | undefined): boolean | undefined => {
  const original = primary && originalOf(primary)?.source;
  if (original === undefined || original.version_id === null || source.version_id === null) return undefined;
  return (
    original.version_id === source.version_id &&
    (original.etag === null || source.etag === null || original.etag === source.etag)
  );
};

/** Whether both sites hold a checksum of the same version and kind, and not the same one. */
const checksumsDiffer = (replica: ReplicaRecord, primary: AskedSite | undefined): boolean => {
  const original = primary && originalOf(primary);
  return (
    original !== undefined &&
    original.verification_checksum !== null &&
    original.verification_scheme === replica.verification_scheme &&
    original.verification_checksum !== replica.verification_checksum
  );
};

/**
 * Whether a row that is in quarantine was verified since it came under suspicion, so that nothing had landed by then. No
 * function runs for longer than Lambda allows, so that every quarantine is as long as that of the shortest.
 */
const isReadSince = (quarantinedUntil: string, verifiedAt: string | null): boolean =>
  verifiedAt !== null && Date.parse(verifiedAt) >= Date.parse(quarantinedUntil) - quarantineMs(0);

/** A replica that is there and says that all is well, of which nothing speaks against it; undefined for any other. */
export const whole = (site: AskedSite, replica: ReplicaRecord, primary: AskedSite | undefined): Verdict | undefined => {
  const { state, verification_state: verification, quarantined_until: until } = replica;
  if (state !== "synced" || verification !== "succeeded" || replica.checksum_mismatch || isTouched(replica)) {
    return undefined;
  }
  // Where the primary was not asked, that is said of the object as a whole.
  if (primary !== undefined && (isGone(primary) || isCurrent(replica, primary) !== true)) return undefined;
  if (site.object.type?.replication === false || checksumsDiffer(replica, primary)) return undefined;
  if (until !== null && !isReadSince(until, replica.verified_at)) return undefined;
  const pause = site.object.enabled ? "" : " (the site is paused, and hears of nothing newer)";
  const sentence = `is safe: ${verifiedText(replica)}${pause}`;
  return until === null
    ? { safe: true, reason: "safe", sentence, remedy: null }
    : {
        safe: true,
        reason: "safe_under_watch",
        sentence: `${sentence}; watched until ${timeText(until)}, since a write whose end nobody saw may land until then: it would be noticed and put right`,
        remedy: null,
      };
};

/** A removal that was followed for good, or an object that never was; undefined for any other. */
export const gone = (replica: ReplicaRecord | undefined, primary: AskedSite | undefined): Verdict | undefined => {
  const isFollowed =
    replica === undefined || (replica.state === "absent" && !isTouched(replica) && replica.quarantined_until === null);
  return isGone(primary) && isFollowed
    ? { safe: true, reason: "removed", sentence: "has removed it, as the primary has", remedy: null }
    : undefined;
};

/** What the site's bucket holds then is nobody's business here. */
export const keepsNothing = (site: AskedSite): Verdict | undefined =>
  site.keepsObjects
    ? undefined
    : {
        safe: null,
        reason: "keeps_no_objects",
        sentence: "keeps no replicas, and leaves alone what is in its bucket",
        remedy: "ask whatever else copies objects there, or have the site keep them (sync_object_storage)",
      };

/** A replica that the site's rule may leave out. Its key alone does not tell: owners may stand in the object's metadata. */
export const outOfScope = ({ name, object: { selective_sync: scope } }: AskedSite): Verdict | undefined => {
  const rule = scope?.type ?? null;
  if (rule === null || scope?.wanted === true) return undefined;
  const isLeftOut = scope?.wanted === false;
  return {
    safe: null,
    reason: isLeftOut ? "out_of_scope" : "scope_not_known",
    sentence: `has no replica: it is restricted by ${rule}, and this object is not${isLeftOut ? "" : ", or not yet,"} among what it keeps`,
    remedy: `geo selective-sync show --site ${shellWord(name)}`,
  };
};

/** What to do where the primary was not asked. */
export const ASK_ALL = "ask all sites: geo explain without --site, with a file of sites that names the primary";

const recordFirst = (site: AskedSite, primary: AskedSite): string =>
  `wait until ${primary.name} has recorded it: geo status --site ${shellWord(primary.name)}; if it stays so, have it looked at: ${command("resync", site)}`;

/** A replica whose row says that all is well, and that is not `whole` all the same. */
export const doubtful = (site: AskedSite, replica: ReplicaRecord, primary: AskedSite | undefined): Verdict => {
  const again = command("reverify", site);
  if (checksumsDiffer(replica, primary)) {
    return {
      safe: false,
      reason: "checksums_differ",
      sentence: "has a replica whose checksum is not the one that the primary has of the same version",
      remedy: `have it compared again: ${again}`,
    };
  }
  if (primary !== undefined && isCurrent(replica, primary) === undefined) {
    const why = originalOf(primary) === undefined ? "has no record of it" : "has not told which it has";
    return {
      safe: null,
      reason: "newest_not_known",
      sentence: `has a replica that was ${verifiedText(replica)}; whether that is the newest version is not known, since the primary ${why}`,
      remedy: recordFirst(site, primary),
    };
  }
  return {
    safe: null,
    reason: "quarantined",
    sentence: `was ${verifiedText(replica)}, which is before a write whose end nobody saw; that may land until ${timeText(replica.quarantined_until)}`,
    remedy: `have it read now: ${again}`,
  };
};

/** A site that shows nothing of the key, where that is not known to be right for good. */
export const absent = (site: AskedSite, replica: ReplicaRecord, primary: AskedSite | undefined): Verdict => {
  const wait = `wait, or have it looked at: ${command("resync", site)}`;
  if (isTouched(replica)) {
    const sentence = "has removed it, and a change of it is on the way";
    return { safe: false, reason: "outdated", sentence, remedy: wait };
  }
  if (primary === undefined) {
    const sentence = "has removed it; whether the primary has it again only the primary knows";
    return { safe: null, reason: "newest_not_known", sentence, remedy: ASK_ALL };
  }
  if (isGone(primary)) {
    return {
      safe: null,
      reason: "quarantined",
      sentence: `has removed it, as the primary has, and a write whose end nobody saw may land until ${timeText(replica.quarantined_until)}`,
      remedy: "wait until then: it would be noticed, and removed",
    };
  }
  if (originalOf(primary) === undefined) {
    const sentence = "has removed it, and the primary has no record of it";
    return { safe: null, reason: "newest_not_known", sentence, remedy: recordFirst(site, primary) };
  }
  const sentence = "has removed it, and the primary has it; its event may be on the way";
  return outOfScope(site) ?? { safe: false, reason: "outdated", sentence, remedy: wait };
};
