import { type GeoConfig, reportsDrift, type SiteConfig } from "../../shared/config/geo-config.ts";
import { bucketName, primaryNames, secondaryNames } from "../../shared/geo/physical-names.ts";
import { CHANGES_OF_A_BUCKET, CHANGES_OF_A_REPLICA } from "../../shared/geo/reported-changes.ts";
import type { Looked, SeenBucket, SeenRule } from "./aws-look.ts";
import { bucketNameOf } from "./deployment.ts";
import { type Check, type Examined, inAws, notNamed, notSeen } from "./examined.ts";
import { ok, problem, type Said, warning } from "./finding.ts";

/** An upload that is older has outlived the function that began it: the daily sweep should have seen it. */
const DAY_MS = 24 * 60 * 60 * 1_000;

const placeOf = (config: GeoConfig, site: SiteConfig) => ({
  region: site.region,
  name: bucketNameOf(site, bucketName(config, site)),
});

/** Asks about the bucket of each site, and has what was seen judged; a bucket that is not there is the deployment's to tell. */
const ofEachBucket = async <T>(
  examined: Examined,
  sitesOf: (config: GeoConfig) => readonly SiteConfig[],
  ask: (site: SiteConfig, config: GeoConfig, aws: Exclude<Examined["aws"], { problem: string }>) => Promise<Looked<T>>,
  judge: (site: SiteConfig, seen: T, config: GeoConfig) => Said,
): Promise<readonly Said[]> => {
  const place = inAws(examined);
  if ("cannot" in place) return [place.cannot];
  const { aws, config } = place;
  const said = await Promise.all(
    sitesOf(config).map(async (site): Promise<readonly Said[]> => {
      if (!examined.isAccountKnown && site.existingBucket === undefined) return [notNamed(site.name, "its bucket")];
      const looked = await ask(site, config, aws);
      if (looked.outcome === "absent") return [];
      if (looked.outcome !== "seen") return [notSeen(site.name, `its bucket ${placeOf(config, site).name}`, looked)];
      return [judge(site, looked.seen, config)];
    }),
  );
  return said.flat();
};

const everySite = ({ primary, secondaries }: GeoConfig): readonly SiteConfig[] => [primary, ...secondaries];

const bucketOf: (
  site: SiteConfig,
  config: GeoConfig,
  aws: Exclude<Examined["aws"], { problem: string }>,
) => Promise<Looked<SeenBucket>> = (site, config, aws) => aws.bucket(placeOf(config, site));

/** Without versions a delete can not be told from a loss, and functions refuse to work. */
export const versioning: Check = {
  name: "versioning",
  look: (examined) =>
    ofEachBucket(examined, everySite, bucketOf, ({ name }, { versioning: status }) =>
      status === "Enabled"
        ? ok(name, "its bucket keeps versions")
        : problem(
            name,
            `versioning of its bucket is ${status}, and nothing is replicated until it is Enabled`,
            "aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket …",
          ),
    ),
};

const reportsWhere = (config: GeoConfig, site: SiteConfig) =>
  site.role === "primary"
    ? {
        to: primaryNames(config, site).bucketEventsTopic,
        kind: "topics" as const,
        changes: CHANGES_OF_A_BUCKET,
      }
    : { to: secondaryNames(config, site).driftQueue, kind: "queues" as const, changes: CHANGES_OF_A_REPLICA };

/** Whether a rule reports an event: it names it, or all of its kind. */
const covers = ({ events }: SeenRule, wanted: string): boolean =>
  events.some((event) => event === wanted || (event.endsWith("*") && wanted.startsWith(event.slice(0, -1))));

/** The events that no rule reports of every key, with what is reported of them. */
const notReported = (rules: readonly SeenRule[], changes: readonly string[]): readonly string[] =>
  changes.flatMap((event) => {
    const reporting = rules.filter((rule) => covers(rule, event));
    if (reporting.some(({ isFiltered }) => !isFiltered)) return [];
    return [reporting.length === 0 ? event : `${event} (only of keys that a filter lets through)`];
  });

/** Whether S3 tells somebody of every change. Without that, walks find them, once a week. */
export const notifications: Check = {
  name: "notifications",
  look: (examined) =>
    ofEachBucket(
      examined,
      ({ primary, secondaries }) => [primary, ...secondaries.filter(reportsDrift)],
      bucketOf,
      (site, seen, config) => {
        const { to, kind, changes } = reportsWhere(config, site);
        const rules = seen[kind].filter((rule) => rule.to === to);
        const missing = notReported(rules, changes);
        if (missing.length === 0) return ok(site.name, `its bucket reports every change to ${to}`);
        return problem(
          site.name,
          rules.length === 0
            ? `its bucket has no rule that reports changes to ${to}`
            : `its bucket does not report all changes to ${to}; missing: ${missing.join(", ")}`,
          "put it back as docs/adopt.md says under notifications: a deployment that changes nothing does not",
        );
      },
    ),
};

/** Parts of copies that nobody goes on with cost money, and show nowhere. Only counted: the site's own sweep ends them. */
export const uploads: Check = {
  name: "uploads",
  look: (examined) => {
    const before = examined.now() - DAY_MS;
    return ofEachBucket(
      examined,
      ({ secondaries }) => secondaries,
      (site, config, aws) => aws.uploads(placeOf(config, site), before),
      ({ name }, { old, oldestAt, more }) =>
        old === 0
          ? ok(name, `no upload of its bucket is older than a day${more ? ", of the first 10,000" : ""}`)
          : warning(
              name,
              `${String(old)}${more ? " or more" : ""} uploads of its bucket are older than a day, the oldest of ${new Date(oldestAt ?? 0).toISOString()}`,
              "look whether the sweep of large-copy runs (docs/runbook.md); rows may still name some of them",
            ),
    );
  },
};
