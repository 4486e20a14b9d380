import type { Replicable } from "../../shared/geo/replicable.ts";
import { type Fact, factLines, wrapped } from "../output/lines.ts";
import type { Paint } from "../output/paint.ts";
import {
  agoText,
  bytesText,
  countOf,
  countText,
  percentText,
  printable,
  shareText,
  shortSpan,
} from "../output/texts.ts";
import { isPaused, STATUS_OLD_MS, statusTime } from "./complaints.ts";
import type { SeenSite, SeenSites } from "./seen-sites.ts";
import { syncSettings } from "./sync-settings.ts";
import { isEmpty, type Part, sumOf, type TypeProgress, typesOf } from "./type-progress.ts";

/** How a status is shown. */
export interface StatusView {
  readonly replicables: readonly Replicable[];
  /** Types without a single object as well. */
  readonly all: boolean;
  readonly columns: number;
  readonly paint: Paint;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const RULE_COLUMNS = 60;

const partText = ({ done, total, failed, queued }: Part, ...more: readonly string[]): string =>
  [
    shareText(done, total),
    ...(failed > 0 ? [`${countText(failed)} failed`] : []),
    ...(queued > 0 ? [`${countText(queued)} queued`] : []),
    ...more,
  ].join(", ");

const isWhole = ({ done, total }: Part): boolean => done >= total;

const partFact = (label: string, part: Part, paint: Paint, ...more: readonly string[]): Fact => ({
  label,
  text: partText(part, ...more),
  paint: (text) => paint(part.failed > 0 ? "bad" : isWhole(part) ? "good" : "warning", text),
});

const typeFacts = (type: TypeProgress, isPrimary: boolean, { paint, now }: StatusView): readonly Fact[] => {
  const { title, checksummed, replicated, verified, bytes, lag, oldestUnsyncedAt } = type;
  const size = bytes === null ? [] : [bytesText(bytes)];
  if (isPrimary) {
    return checksummed === null
      ? [{ label: title, text: ["not checksummed", ...size].join(", ") }]
      : [partFact(`${title} Checksummed`, checksummed, paint, ...size)];
  }
  if (replicated === null) return [{ label: title, text: "could not be counted", paint: (text) => paint("bad", text) }];
  const oldest =
    oldestUnsyncedAt === null ? [] : [`oldest waits for ${shortSpan(Math.max(0, (now - oldestUnsyncedAt) / 1_000))}`];
  const late = lag === null ? [] : [`lag ${shortSpan(lag.p50)} (p50), ${shortSpan(lag.p99)} (p99)`];
  return [
    partFact(`${title} Replicated`, replicated, paint, ...size, ...oldest),
    verified === null
      ? { label: `${title} Verified`, text: "not verified at this site" }
      : partFact(`${title} Verified`, verified, paint, ...late),
  ];
};

const when = (seconds: number | null, now: number): string =>
  seconds === null ? "never" : `${agoText(seconds * 1_000, now)} (${new Date(seconds * 1_000).toISOString()})`;

const headFacts = (site: SeenSite, paint: Paint): readonly Fact[] => {
  const { status } = site;
  return [
    { label: "Version", text: printable(status.version) },
    { label: "Geo Role", text: site.primary ? "Primary" : "Secondary" },
    {
      label: "Health Status",
      text: status.healthy ? status.health_status : `Unhealthy: ${printable(status.health)}`,
      paint: (text) => paint(status.healthy ? "good" : "bad", text),
    },
    ...(site.primary ? [] : [{ label: "Sync Settings", text: syncSettings(site) }]),
    ...(isPaused(site)
      ? [
          {
            label: "Replication",
            text: `paused; to go on: geo site resume --site ${site.name}`,
            paint: (text: string) => paint("warning", text),
          },
        ]
      : []),
  ];
};

const tailFacts = (site: SeenSite, { paint, now }: StatusView): readonly Fact[] => {
  const { status } = site;
  const at = statusTime(site);
  return [
    site.primary
      ? { label: "Last event", text: when(status.last_event_timestamp, now) }
      : { label: "Last event seen from primary", text: when(status.last_event_timestamp, now) },
    ...(site.primary ? [] : [{ label: "Last event processed", text: when(status.cursor_last_event_timestamp, now) }]),
    {
      label: "Last status report was",
      text: agoText(at, now),
      paint: (text) => (now - at > STATUS_OLD_MS ? paint("warning", text) : text),
    },
  ];
};

const urlOf = ({ connection, settings }: SeenSite): string => connection?.url ?? settings?.url ?? "no address";

const siteText = (site: SeenSite, problem: string | undefined, view: StatusView): string => {
  const { paint, columns, replicables, all } = view;
  const types = typesOf(site.status, replicables);
  const shown = all ? types : types.filter((type) => !isEmpty(type));
  const folded = types.length - shown.length;
  const facts = [
    ...headFacts(site, paint),
    ...shown.flatMap((type) => typeFacts(type, site.primary, view)),
    ...(folded === 0 ? [] : [{ label: "Without objects", text: `${countOf(folded, "type")}; --all shows them` }]),
    ...tailFacts(site, view),
  ];
  const told =
    site.connection === undefined ? "As it last reported to its primary; it was not asked itself" : undefined;
  const notes = [told, problem === undefined ? undefined : printable(problem)].flatMap((note) =>
    note === undefined ? [] : wrapped(note, columns).map((line) => `${paint("warning", line)}\n`),
  );
  return (
    `${paint("heading", printable(site.name))} (${site.primary ? "primary" : "secondary"}, ${printable(site.status.region)})\n` +
    `${printable(urlOf(site))}\n${notes.join("")}${"-".repeat(Math.min(RULE_COLUMNS, columns))}\n` +
    factLines(facts, columns)
  );
};

/** Every site's status for people, in the order and the words of Geo's own. */
export const statusText = ({ seen, unreached }: SeenSites, view: StatusView): string => {
  const problems = new Map(unreached.map(({ name, problem }) => [name, problem]));
  const sites = seen.map((site) => siteText(site, problems.get(site.name), view));
  const unseen = unreached
    .filter(({ name }) => !seen.some((site) => site.name === name))
    .map(
      ({ name, problem }) =>
        `${view.paint("heading", printable(name))}\n${wrapped(
          `Nobody could tell of it: ${printable(problem)}`,
          view.columns,
        )
          .map((line) => `${view.paint("bad", line)}\n`)
          .join("")}`,
    );
  return [...sites, ...unseen].join("\n");
};

/** A site in a line, for where a screen can not be drawn anew. */
export const statusLine = (site: SeenSite, { replicables, now }: StatusView): string => {
  const types = typesOf(site.status, replicables);
  const part = (name: string, key: "checksummed" | "replicated" | "verified"): string => {
    const { done, total, failed } = sumOf(types.map((type) => type[key]));
    return `${percentText(done, total)} of ${countText(total)} ${name}${failed > 0 ? ` (${countText(failed)} failed)` : ""}`;
  };
  const parts = site.primary
    ? [part("checksummed", "checksummed")]
    : [part("replicated", "replicated"), part("verified", "verified")];
  const state = isPaused(site) ? `${site.status.health_status}, paused` : site.status.health_status;
  return `${new Date(now).toISOString()}  ${printable(site.name)}: ${parts.join(", ")}; ${state}\n`;
};
