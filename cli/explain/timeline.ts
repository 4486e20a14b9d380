import { bytesText, printable } from "../output/texts.ts";
import { type AskedSite, originalOf, replicaOf } from "./asked-site.ts";
import { comparedBy, type ComparedBy } from "./verdict-words.ts";

/** Something that happened to an object, or will. */
export interface TimelineEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly site: string;
  readonly event: string;
}

type Told = readonly [at: string | null, event: string];

const version = (id: string | null): string => (id === null ? "" : `, version ${printable(id)}`);

/** What a primary did to have a checksum, and a secondary to compare its replica, by what was looked at. */
const MADE = {
  bytes: "checksum made",
  size: "size noted",
  attestation: "noted what S3 says of it",
} as const satisfies Readonly<Record<ComparedBy, string>>;
const READ = {
  bytes: "read back and compared",
  size: "size compared",
  attestation: "compared by what S3 says of it",
} as const satisfies Readonly<Record<ComparedBy, string>>;

/** What each site's facts come to; times that are not known are left out. */
const eventsOf = (site: AskedSite): readonly Told[] => {
  const original = originalOf(site);
  if (original !== undefined) {
    const { source, tombstone, verification_state: verification, verification_scheme: scheme } = original;
    const size = source.size === null ? "" : `: ${bytesText(source.size)}`;
    return [
      [source.last_modified, tombstone ? "deleted" : `written${size}${version(source.version_id)}`],
      [original.created_at, "first heard of"],
      [original.verification_started_at, "began to make its checksum"],
      [original.verified_at, `${MADE[comparedBy(scheme)]}${scheme === null ? "" : ` (${scheme})`}`],
      [verification === "failed" ? original.verification_retry_at : null, "tries to make its checksum again"],
      [original.due_at, tombstone ? "forgets that it was there" : "looks at it next"],
    ];
  }
  const replica = replicaOf(site);
  if (replica === undefined) return [];
  const { state, verification_state: verification } = replica;
  return [
    [replica.created_at, "first heard of"],
    [replica.last_event_at, "last event of it"],
    [replica.last_synced_at, `replica made, or found to be right${version(replica.replica.version_id)}`],
    [replica.verification_started_at, "began to read it back"],
    [replica.verified_at, READ[comparedBy(replica.verification_scheme)]],
    [state === "failed" ? replica.retry_at : null, `tries again (${replica.retry_count} failed so far)`],
    [verification === "failed" ? replica.verification_retry_at : null, "verifies again"],
    [replica.lease?.until ?? null, `worked on until then by ${printable(replica.lease?.holder ?? "")}`],
    [
      replica.verification_lease?.until ?? null,
      `verified until then by ${printable(replica.verification_lease?.holder ?? "")}`,
    ],
    [state === "failed" ? null : replica.due_at, "looks at it next"],
    [replica.quarantined_until, "stops expecting an old write to land"],
  ];
};

/** The life of an object on all sites, the oldest first; what comes at the same time in the order of the sites. */
export const timelineOf = (sites: readonly AskedSite[]): readonly TimelineEntry[] =>
  sites
    .flatMap((site) => eventsOf(site).flatMap(([at, event]) => (at === null ? [] : [{ at, site: site.name, event }])))
    .toSorted((left, right) => Date.parse(left.at) - Date.parse(right.at));
