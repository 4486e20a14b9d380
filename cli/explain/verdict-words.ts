import type { ReplicaRecord } from "../../shared/client/object-contract.ts";
import { printable, spanText } from "../output/texts.ts";
import { timeText } from "../registry/registry-answer.ts";
import { type AskedSite, shellWord } from "./asked-site.ts";

/** How an object stands at one site. */
export interface Verdict {
  /** Null: it is not known, or it is not this site's to keep, or the site is the primary, which has the original. */
  readonly safe: boolean | null;
  /** A word for scripts; it does not change. */
  readonly reason:
    | "safe"
    | "safe_under_watch"
    | "removed"
    | "original"
    | "unclaimed"
    | "unheard"
    | "out_of_scope"
    | "scope_not_known"
    | "keeps_no_objects"
    | "switched_off"
    | "paused"
    | "held_back"
    | "under_way"
    | "failed"
    | "waiting"
    | "outdated"
    | "not_removed"
    | "not_verified"
    | "newest_not_known"
    | "quarantined"
    | "checksums_differ"
    | "verification_failed"
    | "verification_switched_off"
    | "original_not_known"
    | "original_damaged";
  /** How it stands, after the site's name: `waits: next try at …`. */
  readonly sentence: string;
  /** What a person can do, naming the command; null where nothing has to be done. */
  readonly remedy: string | null;
}

/** A command for this one object. */
export const command = (verb: string, { name, object }: AskedSite, more = ""): string =>
  `geo ${verb} --site ${shellWord(name)} --type ${object.replicable_name ?? ""} --key ${shellWord(object.key)}${more}`;

export const at = (time: string | null): string => (time === null ? "at an unknown time" : `at ${timeText(time)}`);

export const because = (text: string | null): string =>
  text === null ? "for a reason that was not noted" : `because: ${printable(text).replace(/\.$/, "")}`;

/** What the value of a row was made from: every byte, or what S3 says without anybody reading one. */
export type ComparedBy = "bytes" | "size" | "attestation";

/** @param scheme null of a value that is not there, or that nobody can read */
export const comparedBy = (scheme: string | null): ComparedBy => {
  if (scheme === "size") return "size";
  return scheme?.startsWith("attested-") === true ? "attestation" : "bytes";
};

const COMPARED = {
  bytes: "verified",
  size: "compared by size alone, without reading a byte,",
  attestation: "compared by what S3 says of it, without reading a byte,",
} as const satisfies Readonly<Record<ComparedBy, string>>;

/** How and when a replica was found right. */
export const verifiedText = ({
  source,
  verified_at: verifiedAt,
  verification_scheme: scheme,
}: ReplicaRecord): string => {
  const seconds =
    source.last_modified === null || verifiedAt === null
      ? undefined
      : (Date.parse(verifiedAt) - Date.parse(source.last_modified)) / 1_000;
  const when = seconds === undefined || seconds < 0 ? at(verifiedAt) : `${spanText(seconds)} after the write`;
  return `${COMPARED[comparedBy(scheme)]} ${when}`;
};
