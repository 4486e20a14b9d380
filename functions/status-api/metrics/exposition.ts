import { Counter, Gauge, Registry } from "prom-client";
import { LAG_PARTS, type LagHistogram } from "../../../shared/geo/type-summary.ts";
import type { TypeTotals } from "../../../shared/services/read-totals.ts";
import type { SiteStatus } from "../../../shared/geo/site-status.ts";
import type { WalkProgress } from "../../../shared/geo/walk-progress.ts";
import { CountedHistogram, type LabelledHistogram } from "./exposed-histogram.ts";
import { type Described, type GaugedType, gaugesOf, integerOf, SITE_GAUGES } from "./gauges-of-geo.ts";

/** What is exposed. */
export interface Exposed {
  readonly replicables: readonly (GaugedType & {
    readonly name: string;
    readonly names: { readonly plural: string };
  })[];
  /** The site's own, and at a primary what each secondary last reported. */
  readonly statuses: readonly SiteStatus[];
  /** The site that answers; its totals are the only ones that it has. */
  readonly siteName: string;
  /** By the names of types; nothing when they could not be read. */
  readonly totals: ReadonlyMap<string, TypeTotals> | undefined;
}

type Labels = Readonly<Record<string, string>>;
type Member = readonly [labels: Labels, value: number | undefined];

/** One family; what has no value is left out, and a family without a member altogether. */
const expose = (registry: Registry, kind: "gauge" | "counter", family: Described, members: readonly Member[]): void => {
  const fits = (value: number): boolean => Number.isFinite(value) && (kind === "gauge" || value >= 0);
  const known = members.flatMap(([labels, value]) => (value !== undefined && fits(value) ? [{ labels, value }] : []));
  const [first] = known;
  // A type might be called as one of ours: its gauge goes without saying rather than everything with an error.
  if (first === undefined || registry.getSingleMetric(family.name) !== undefined) return;
  const config = { ...family, labelNames: Object.keys(first.labels), registers: [registry] };
  if (kind === "gauge") {
    const gauge = new Gauge(config);
    for (const { labels, value } of known) gauge.set(labels, value);
  } else {
    const counter = new Counter(config);
    for (const { labels, value } of known) counter.inc(labels, value);
  }
};

/** Geo labels a site by its name, twice. */
const geoLabels = ({ name }: SiteStatus): Labels => ({ name, url: name });

/** Every second bucket: bounds a factor of two apart tell as much as a graph shows, with half as many series. */
const thinned = (histogram: LagHistogram): LagHistogram => ({
  ...histogram,
  buckets: histogram.buckets.filter((_, index) => index % 2 === 0),
});

const lagMembers = ({ replicables, totals, siteName }: Exposed): readonly LabelledHistogram[] =>
  replicables.flatMap(({ name }) => {
    const parts = totals?.get(name)?.lag;
    if (parts === undefined || parts.total.count === 0) return [];
    return LAG_PARTS.map((part) => ({
      labels: { name: siteName, replicable_name: name, part },
      histogram: thinned(parts[part]),
    }));
  });

/** A type of which nothing has ever happened is left out: most installations use a few types of many. */
const outcomeMembers = ({ replicables, totals, siteName }: Exposed): readonly Member[] =>
  replicables.flatMap(({ name }) => {
    const outcomes = Object.entries(totals?.get(name)?.outcomes ?? {});
    return outcomes.every(([, times]) => times === 0)
      ? []
      : outcomes.map(([outcome, times]): Member => [{ name: siteName, replicable_name: name, outcome }, times]);
  });

interface Age {
  readonly up_to_seconds: number | null;
  readonly count: number;
}

// Statuses are made by `siteStatus`, whose fields of types have names that only the types know; here they are taken back.
const agesOf = (status: SiteStatus, plural: string): readonly Age[] =>
  Array.isArray(status[`${plural}_backlog_ages`]) ? (status[`${plural}_backlog_ages`] as readonly Age[]) : [];

const recountOf = (status: SiteStatus, plural: string): number | undefined => {
  const recount = status[`${plural}_recount`];
  return typeof recount === "object" &&
    recount !== null &&
    "difference" in recount &&
    typeof recount.difference === "number"
    ? recount.difference
    : undefined;
};

const FINDINGS = {
  missing: "found_missing_count",
  stale: "found_stale_count",
  orphan: "found_orphan_count",
  out_of_scope: "found_out_of_scope_count",
} as const satisfies Record<string, keyof WalkProgress>;

/** Ours, beside Geo's. Types are a label here, and never a key of an object. */
const exposeOurs = (registry: Registry, exposed: Exposed): void => {
  const { statuses, replicables } = exposed;
  const eachType = (
    members: (status: SiteStatus, type: Exposed["replicables"][number], labels: Labels) => readonly Member[],
  ) =>
    statuses.flatMap((status) =>
      replicables.flatMap((type) => members(status, type, { name: status.name, replicable_name: type.name })),
    );
  const field = (suffix: string): readonly Member[] =>
    eachType((status, { names }, labels) => [[labels, integerOf(status, `${names.plural}_${suffix}`)]]);

  expose(
    registry,
    "gauge",
    { name: "geo_site_healthy", help: "1 when the site is healthy, else 0" },
    statuses.map((status) => [{ name: status.name }, status.healthy ? 1 : 0]),
  );
  expose(
    registry,
    "gauge",
    { name: "geo_replication_queued", help: "Objects that wait for their copy or are being copied" },
    field("queued_count"),
  );
  expose(
    registry,
    "gauge",
    {
      name: "geo_verification_queued",
      help: "Objects that wait for their verification; on the primary, for their checksum",
    },
    field("verification_queued_count"),
  );
  expose(registry, "gauge", { name: "geo_object_bytes", help: "Size of the objects that are counted" }, field("bytes"));
  expose(
    registry,
    "gauge",
    {
      name: "geo_replication_backlog",
      help: "Objects that are not synced, by how long they have waited: up to so many seconds, and more than the next lower bound",
    },
    eachType((status, { names }, labels) =>
      (integerOf(status, names.statusFields.registryCount) ?? 0) > 0
        ? agesOf(status, names.plural).map(({ up_to_seconds: bound, count }): Member => [
            { ...labels, up_to_seconds: bound === null ? "+Inf" : String(bound) },
            count,
          ])
        : [],
    ),
  );
  expose(
    registry,
    "gauge",
    {
      name: "geo_recount_difference",
      help: "Rows that the last recount found in other counters than they were counted in",
    },
    eachType((status, { names }, labels) => [[labels, recountOf(status, names.plural)]]),
  );
  expose(
    registry,
    "counter",
    {
      name: "geo_reconcile_findings_total",
      help: "What the walk through both sides found that differs; begins anew with each walk",
    },
    eachType((status, { name }, labels) =>
      Object.entries(FINDINGS).map(([finding, key]): Member => [
        { ...labels, finding },
        status.registry_consistency?.[name]?.[key],
      ]),
    ),
  );
  expose(
    registry,
    "counter",
    {
      name: "geo_object_outcomes_total",
      help: "What became of objects: synced, failed, verified (on the primary: checksummed), verification_failed, removed",
    },
    outcomeMembers(exposed),
  );
  const lag = lagMembers(exposed);
  if (lag.length > 0) {
    const family = {
      name: "geo_replication_lag_seconds",
      help: "From a write on the primary to its verified replica, and the parts of that way",
    };
    registry.registerMetric(new CountedHistogram(family, lag));
  }
};

/**
 * What Prometheus is told, in its text format 0.0.4: Geo's gauges by Geo's names and labels, and ours. Made anew for each
 * call, so that nothing of one is left for the next.
 */
export const exposition = async (
  exposed: Exposed,
): Promise<{ readonly contentType: string; readonly text: string }> => {
  const { statuses, replicables } = exposed;
  const registry = new Registry();
  for (const { field, ...gauge } of SITE_GAUGES) {
    expose(
      registry,
      "gauge",
      gauge,
      statuses.map((status) => [geoLabels(status), integerOf(status, field)]),
    );
  }
  expose(
    registry,
    "counter",
    { name: "geo_status_failed_total", help: "How often the primary could not be told of the site's status" },
    statuses.map((status) => [geoLabels(status), integerOf(status, "status_reports_failed_count")]),
  );
  exposeOurs(registry, exposed);
  for (const { field, ...gauge } of replicables.flatMap(gaugesOf)) {
    expose(
      registry,
      "gauge",
      gauge,
      statuses.map((status) => [geoLabels(status), integerOf(status, field)]),
    );
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
};
