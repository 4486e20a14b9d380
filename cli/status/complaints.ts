import type { Replicable } from "../../shared/geo/replicable.ts";
import { countOf, printable, spanText } from "../output/texts.ts";
import type { SeenSite, SeenSites } from "./seen-sites.ts";
import { typesOf } from "./type-progress.ts";

/** Something that is not as it should be, and what shows or heals it. */
export interface Complaint {
  readonly site: string;
  /** What kind it is, for scripts: stays as it is. */
  readonly kind: string;
  /** In a sentence without a full stop. */
  readonly problem: string;
  /** A command to go on with. */
  readonly remedy: string;
}

/** What is older says little of a site that looks at itself each minute: Geo's bound for a warning, milliseconds. */
export const STATUS_OLD_MS = 10 * 60 * 1_000;

/** When a site last looked at itself, or told its primary; milliseconds since the epoch. */
export const statusTime = ({ status, connection }: SeenSite): number =>
  Date.parse(connection === undefined ? status.updated_at : (status.as_of ?? status.updated_at));

/** Whether a site's replication is switched off at the moment. A primary has none that could be. */
export const isPaused = ({ primary, status }: SeenSite): boolean => !primary && !status.enabled;

const ofHealth = ({ name, status }: SeenSite): readonly Complaint[] =>
  status.healthy
    ? []
    : [
        {
          site: name,
          kind: "unhealthy",
          problem: `is unhealthy: ${printable(status.health)}`,
          remedy: `geo doctor --site ${name}`,
        },
      ];

const ofPause = (site: SeenSite): readonly Complaint[] =>
  isPaused(site)
    ? [{ site: site.name, kind: "paused", problem: "is paused", remedy: `geo site resume --site ${site.name}` }]
    : [];

const ofAge = (site: SeenSite, now: number): readonly Complaint[] => {
  const age = now - statusTime(site);
  if (age <= STATUS_OLD_MS) return [];
  return [
    {
      site: site.name,
      kind: "stale_status",
      problem: `has a status that is ${spanText(age / 1_000)} old`,
      remedy: `geo doctor --site ${site.name}`,
    },
  ];
};

const ofFailures = (
  { name, status }: SeenSite,
  replicables: readonly Replicable[],
  off: ReadonlySet<string>,
): readonly Complaint[] =>
  typesOf(status, replicables)
    .filter(({ replicableName }) => !off.has(replicableName))
    .flatMap(({ replicableName: type, title, replicated, verified, checksummed }) => {
      const parts = [
        [replicated, "failed to be copied", "failed", `--type ${type} --state failed`],
        [verified, "failed verification", "verification_failed", `--type ${type} --verification-state failed`],
        [checksummed, "got no checksum", "checksum_failed", undefined],
      ] as const;
      return parts.flatMap(([part, problem, kind, filter]): readonly Complaint[] => {
        if (part === null || part.failed === 0) return [];
        return [
          {
            site: name,
            kind,
            problem: `${countOf(part.failed, "object")} of ${title} ${problem}`,
            remedy:
              filter === undefined
                ? `geo redrive --site ${name} --type ${type} --verification-state failed`
                : `geo registry list --site ${name} ${filter}`,
          },
        ];
      });
    });

/** Of sites that do not answer; what their primary knows of them is old soon enough. */
export const ofUnreached = ({ unreached }: SeenSites): readonly Complaint[] =>
  unreached.map(({ name, problem }) => ({
    site: name,
    kind: "unreachable",
    problem: `does not answer: ${printable(problem)}`,
    remedy: `geo doctor --site ${name}`,
  }));

/**
 * What is wrong with a site by its status.
 * @param now milliseconds since the epoch
 * @param off types whose failures do not matter, since they are switched off
 */
export const ofStatus = (
  site: SeenSite,
  now: number,
  replicables: readonly Replicable[],
  off: ReadonlySet<string> = new Set(),
): readonly Complaint[] => [
  ...ofHealth(site),
  ...ofPause(site),
  ...ofAge(site, now),
  ...ofFailures(site, replicables, off),
];

/** A complaint in a line. */
export const complaintLine = ({ site, problem, remedy }: Complaint): string => `${site}: ${problem} (${remedy})`;
