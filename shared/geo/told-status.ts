import type { CountedCell } from "./counters.ts";
import type { GatheredStatus, StoredStatus } from "./gathered-status.ts";
import { deriveStatusFields } from "./naming.ts";
import type { SelectiveSync } from "./selective-sync.ts";
import { asNumber, idsOf } from "./site-answer.ts";
import {
  type SiteStatus,
  siteStatus,
  type SitesWord,
  type StatusFacts,
  type StatusReplicable,
  type StatusSite,
} from "./site-status.ts";
import type { WalkProgress } from "./walk-progress.ts";

/** A status as it is told to whoever asks: of the site that answers as it is now, of another as it last reported. Pure. */

/** Who asks, and when. */
export interface Asked {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Where the caller reached the API, without a slash at the end. */
  readonly apiUrl: string;
  readonly word: SitesWord;
}

const restriction = (rule: SelectiveSync | undefined): Pick<StatusFacts, "selectiveSync" | "namespaceIds"> =>
  rule === undefined || rule.type === "none"
    ? { selectiveSync: undefined, namespaceIds: [] }
    : { selectiveSync: rule.type, namespaceIds: idsOf(rule, "namespaces").map(asNumber) };

/** What only the site's minutely look at itself knows; of a site that has never looked, nothing. */
const gatheredFacts = (stored: StoredStatus | undefined) => {
  const gathered: GatheredStatus | undefined = stored?.gathered;
  const counted = gathered?.counted;
  return {
    rollUp: counted && { asOf: counted.asOf, types: counted.types },
    unverified: new Set(gathered?.unverified),
    gatheredAt: gathered?.gatheredAt,
    primaryChangeAt: gathered?.primary?.lastChangeAt,
    keepsTheSame: gathered?.primary && gathered.primary.keeps === gathered.keeps,
    failedReports: stored?.failedReports ?? 0,
  };
};

const reportProblems = (stored: StoredStatus | undefined): readonly string[] =>
  stored?.reportProblem === undefined ? [] : [stored.reportProblem];

/** What a site has read of itself just now. */
export interface LiveFacts {
  readonly site: StatusSite;
  readonly version: string;
  readonly replicables: readonly StatusReplicable[];
  /** Nothing when the counters could not be read. */
  readonly counted:
    | { readonly cells: ReadonlyMap<string, readonly CountedCell[]>; readonly lastChangeAt: number | undefined }
    | undefined;
  readonly rule: SelectiveSync | undefined;
  /** False: the site is paused. */
  readonly enabled: boolean;
  readonly consistency: Readonly<Record<string, WalkProgress>> | undefined;
  /** What could not be read of it, in sentences. */
  readonly problems: readonly string[];
}

/** The status of the site that answers: its counts as they are now, and beside them what it last gathered. */
export const ownStatus = (
  live: LiveFacts,
  stored: StoredStatus | undefined,
  { now, apiUrl, word }: Asked,
): SiteStatus => {
  // Settings are read live, whatever was wrong a minute ago. Of the counters only the cells are: what the look makes of them
  // may go on to fail.
  const elsewhere = (stored?.gathered.problems ?? []).filter(({ part }) => part !== "settings");
  const problems = [...live.problems, ...elsewhere.map(({ text }) => text), ...reportProblems(stored)];
  return siteStatus({
    ...gatheredFacts(stored),
    site: live.site,
    version: live.version,
    enabled: live.enabled,
    replicables: live.replicables,
    cells: live.counted?.cells,
    lastChangeAt: live.counted?.lastChangeAt,
    ...restriction(live.rule),
    consistency: live.consistency,
    problems: [...new Set(problems)],
    source: "own",
    readAt: now,
    now,
    apiUrl,
    word,
  });
};

/** The status of another site, as it reported it. */
export const reportedStatus = (stored: StoredStatus, { now, apiUrl, word }: Asked): SiteStatus => {
  const { gathered } = stored;
  const { counted } = gathered;
  return siteStatus({
    ...gatheredFacts(stored),
    site: gathered.site,
    version: gathered.version,
    enabled: gathered.settled?.enabled ?? true,
    replicables: gathered.types.map(({ name, plural }) => ({
      name,
      names: { plural, statusFields: deriveStatusFields(plural) },
    })),
    cells: counted && new Map([...counted.types].map(([name, { cells }]) => [name, cells])),
    lastChangeAt: counted?.lastChangeAt,
    ...restriction(gathered.settled?.selectiveSync),
    consistency: undefined,
    problems: [...gathered.problems.map(({ text }) => text), ...reportProblems(stored)],
    source: "reported",
    readAt: gathered.gatheredAt,
    now,
    apiUrl,
    word,
  });
};
