import { type GeoConfig, reportsDrift, type SiteConfig } from "../../shared/config/geo-config.ts";
import { feedNames, primaryNames, secondaryNames, siteNames } from "../../shared/geo/physical-names.ts";
import { undeliveredQueues } from "../../shared/geo/undelivered-queues.ts";
import type { AwsLook, Looked, Place } from "./aws-look.ts";
import { type Check, inAws, notNamed, notSeen } from "./examined.ts";
import { ok, problem, type Said } from "./finding.ts";

type Kind = "bucket" | "queue" | "state machine" | "table" | "topic";

/** Something that a site has to have. */
interface Part extends Place {
  readonly kind: Kind;
}

/** Kinds that AWS knows by the account's number: in their names, or in their ARNs. */
const NAMED_BY_ACCOUNT: ReadonlySet<Kind> = new Set(["bucket", "state machine", "topic"]);

const parts = (kind: Kind, region: string, ...names: readonly string[]): readonly Part[] =>
  names.map((name) => ({ kind, region, name }));

const ofEverySite = (config: GeoConfig, site: SiteConfig): readonly Part[] => {
  const names = siteNames(config, site);
  const { siteTable } = secondaryNames(config, site);
  return [
    ...parts("table", site.region, siteTable),
    ...parts("state machine", site.region, names.retrySweep, names.bulkUpdate),
    ...parts("queue", site.region, ...undeliveredQueues(config, site).map(({ queue }) => queue)),
  ];
};

/** A bucket of somebody's own is there before we are, and tells nothing of what was deployed. */
export const bucketNameOf = (site: SiteConfig, made: string): string => site.existingBucket?.name ?? made;

/** Everything of a site that this looks for, by the names that its configuration gives it. */
const partsOf = (config: GeoConfig, site: SiteConfig): readonly Part[] => {
  const { region } = site;
  if (site.role === "primary") {
    const names = primaryNames(config, site);
    return [
      ...parts("bucket", region, bucketNameOf(site, names.bucket), names.manifestBucket),
      ...parts("topic", region, names.bucketEventsTopic, names.geoEventsTopic),
      ...parts("table", region, names.verificationStateTable),
      ...parts("queue", region, names.checksumQueue, names.checksumDeadLetterQueue),
      ...parts("state machine", region, names.batchDestroy),
      ...ofEverySite(config, site),
    ];
  }
  const names = secondaryNames(config, site);
  const feed = feedNames(config, site);
  return [
    ...parts("bucket", region, bucketNameOf(site, names.bucket)),
    ...parts("table", region, names.registryTable),
    ...parts("queue", region, names.eventsQueue, names.eventsDeadLetterQueue),
    ...parts("queue", region, names.verificationQueue, names.verificationDeadLetterQueue),
    ...parts("queue", region, names.backfillQueue, names.backfillDeadLetterQueue),
    ...(reportsDrift(site) ? parts("queue", region, names.driftQueue, names.driftDeadLetterQueue) : []),
    ...parts("queue", config.primary.region, feed.ingestQueue, feed.ingestDeadLetterQueue),
    ...parts("state machine", region, names.largeCopy),
    ...ofEverySite(config, site),
  ];
};

const lookAt = (aws: AwsLook, { kind, ...place }: Part, account: string): Promise<Looked<unknown>> => {
  switch (kind) {
    case "bucket":
      return aws.bucket(place);
    case "queue":
      return aws.queue(place);
    case "state machine":
      return aws.stateMachine(place, account);
    case "table":
      return aws.table(place);
    case "topic":
      return aws.topic(place, account);
  }
};

const ofSite = async (
  aws: AwsLook,
  config: GeoConfig,
  site: SiteConfig,
  isAccountKnown: boolean,
): Promise<readonly Said[]> => {
  const all = partsOf(config, site).filter(
    ({ kind, name }) => isAccountKnown || !NAMED_BY_ACCOUNT.has(kind) || name === site.existingBucket?.name,
  );
  const seen = await Promise.all(all.map(async (part) => ({ part, looked: await lookAt(aws, part, config.account) })));
  const missing = seen.filter(({ looked }) => looked.outcome === "absent").map(({ part }) => part);
  const notLookedAt = seen.flatMap(({ part, looked }) =>
    looked.outcome === "refused" || looked.outcome === "failed"
      ? [notSeen(site.name, `${part.kind} ${part.name} in ${part.region}`, looked)]
      : [],
  );
  // One reason is enough where it is the same for all.
  const cannot = [
    ...notLookedAt.slice(0, 1),
    ...(isAccountKnown ? [] : [notNamed(site.name, "what is named by its account")]),
  ];
  if (missing.length === 0) {
    return cannot.length > 0 ? cannot : [ok(site.name, `all of its ${String(all.length)} parts are there`)];
  }
  if (missing.length === all.length) {
    const found = `nothing of it is deployed in ${site.region}${isAccountKnown ? "" : ", as far as these credentials can see"}`;
    return [problem(site.name, found, "deploy its stacks (npx cdk deploy)"), ...cannot];
  }
  const named = missing.map(({ kind, name, region }) => `${kind} ${name} in ${region}`).join(", ");
  return [
    problem(
      site.name,
      `half of it is deployed: ${String(missing.length)} of ${String(all.length)} parts are missing: ${named}`,
      "deploy all stacks of the site, its feed in the primary's region among them (npx cdk deploy --all)",
    ),
    ...cannot,
  ];
};

/** Whether everything is there that the configuration names. Functions are known by what they do: see the other checks. */
export const deployment: Check = {
  name: "deployment",
  async look(examined) {
    const place = inAws(examined);
    if ("cannot" in place) return [place.cannot];
    const { aws, config } = place;
    const sites = [config.primary, ...config.secondaries];
    return (await Promise.all(sites.map((site) => ofSite(aws, config, site, examined.isAccountKnown)))).flat();
  },
};
