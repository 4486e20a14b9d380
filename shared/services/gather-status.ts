import { GeoError, messageOf } from "../geo/errors.ts";
import {
  type GatheredPart,
  type GatheredStatus,
  type GatherProblem,
  type SeenPrimary,
  type StoredStatus,
  keepsOf,
  type KeptType,
} from "../geo/gathered-status.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { PRODUCT_VERSION } from "../geo/product-version.ts";
import type { SettledFacts } from "../geo/site-answer.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { StatusReplicable, StatusSite } from "../geo/site-status.ts";
import type { Clock } from "../ports/clock.ts";
import type { SwitchReader } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { reportSite } from "../tables/site/known-site.ts";
import { parseStatus, statusKey, storeStatus } from "../tables/site/status-item.ts";
import { readSettings } from "./change-settings.ts";
import { rollUp, type RollUpSite } from "./roll-up.ts";

/** A type that a site keeps, and where. */
export interface KeptReplicable extends StatusReplicable, KeptType {}

/** What of a site's deployment its settings are told with. */
export interface DeployedSettings {
  /** Whether it keeps replicas of objects, when no operator has said anything. */
  readonly syncObjectStorage: boolean;
  /** Seconds. */
  readonly syncTimeoutSeconds: number;
}

/** A site that looks at itself. */
export interface GatheringSite extends DeployedSettings {
  readonly site: StatusSite;
  /** Where its API is, as others reach it, without a slash at the end. */
  readonly apiUrl: string;
  readonly replicables: readonly KeptReplicable[];
  readonly siteTable: RollUpSite["siteTable"] & Pick<Table, "update">;
  readonly switches: Pick<SwitchReader, "of">;
  /** Of a secondary: the primary, which is told. */
  readonly primary: { readonly name: string; readonly siteTable: Pick<Table, "get" | "update"> } | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** What became of a gathering. */
export interface Gathered {
  readonly status: StoredStatus;
  /** Parts that could not be found out; as they were before. */
  readonly failed: readonly GatheredPart[];
}

/** What is told of settings that an operator may have changed, with what the site was deployed with. */
export const settledFacts = (settings: SiteSettings, deployed: DeployedSettings): SettledFacts => ({
  enabled: settings.enabled,
  selectiveSync: settings.selectiveSync,
  capacities: settings.capacities,
  minimumReverificationInterval: settings.minimumReverificationInterval,
  syncObjectStorage: settings.syncObjectStorage ?? deployed.syncObjectStorage,
  blobDownloadTimeout: deployed.syncTimeoutSeconds,
});

const unverifiedOf = async ({ site, replicables, switches }: GatheringSite): Promise<readonly string[]> => {
  const unverified: string[] = [];
  for (const { name } of replicables) {
    const { primaryChecksumming, verification } = await switches.of(name);
    if (!(site.role === "primary" ? primaryChecksumming : verification)) unverified.push(name);
  }
  return unverified;
};

const seenPrimary = async ({ primary }: GatheringSite): Promise<SeenPrimary | undefined> => {
  const stored = primary && parseStatus(await primary.siteTable.get(statusKey(primary.name)));
  return stored && { lastChangeAt: stored.gathered.counted?.lastChangeAt, keeps: stored.gathered.keeps };
};

/** What can not be found out, in a sentence. The table's own text may name accounts and endpoints: it is for the log. */
const SENTENCES: Readonly<Record<GatheredPart, string>> = {
  counters: "The counters of this site can not be read",
  settings: "The settings of this site can not be read",
  flags: "The feature flags, which are the primary's, can not be read",
  primary: "The status of the primary can not be read",
};

/** Which part could not be found out, and by which error. */
export const sentenceOf = (part: GatheredPart, code: string): string => `${SENTENCES[part]} (${code}).`;

const OUT_OF_TIME = { code: "GEO_OUT_OF_TIME", message: "no time was left for it" } as const;

/** Takes the parts one after the other; one that fails, or for which there is no time, stays as it was. */
class Parts {
  readonly problems: GatherProblem[] = [];
  readonly #gathering: GatheringSite;
  readonly #stopAt: number;

  constructor(gathering: GatheringSite, stopAt: number) {
    this.#gathering = gathering;
    this.#stopAt = stopAt;
  }

  async take<Value>(part: GatheredPart, before: Value, find: () => Promise<Value>): Promise<Value> {
    const { clock } = this.#gathering;
    if (clock.now() >= this.#stopAt) return this.#failed(part, before, OUT_OF_TIME);
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      return this.#failed(part, before, error);
    }
  }

  /** Takes down what is wrong with a part. @param what in words for people, without a full stop */
  note(part: GatheredPart, { code, message }: Pick<GeoError, "code" | "message">, what: string): void {
    const { telemetry } = this.#gathering;
    telemetry.error("part of the status could not be gathered", { part, code, message });
    telemetry.count(COUNT_METRICS.statusPartFailed, 1);
    this.problems.push({ part, text: `${what} (${code}).` });
  }

  #failed<Value>(part: GatheredPart, before: Value, error: Pick<GeoError, "code" | "message">): Value {
    this.note(part, error, SENTENCES[part]);
    return before;
  }
}

/** What was stored before. What can not be read is as good as nothing: it is written anew each minute. */
const readPrevious = async ({ site, siteTable, telemetry }: GatheringSite): Promise<StoredStatus | undefined> => {
  const item = await siteTable.get(statusKey(site.name));
  try {
    return parseStatus(item);
  } catch (error) {
    telemetry.warn("the stored status can not be read and is made anew", { message: messageOf(error) });
    return undefined;
  }
};

const gather = async (gathering: GatheringSite, before: GatheredStatus | undefined, stopAt: number) => {
  const { site, replicables, siteTable, clock } = gathering;
  const now = clock.now();
  const parts = new Parts(gathering, stopAt);
  const counted = await parts.take("counters", before?.counted, async () => {
    const { asOf, types, unsaved } = await rollUp({ siteTable, replicables, role: site.role, now });
    if (unsaved !== undefined) parts.note("counters", unsaved, "The lag of the last hour can not be kept");
    return { asOf: now, lastChangeAt: asOf, types };
  });
  const settled = await parts.take("settings", before?.settled, async () =>
    settledFacts(await readSettings({ siteTable }), gathering),
  );
  const unverified = await parts.take("flags", before?.unverified ?? [], () => unverifiedOf(gathering));
  const primary = await parts.take("primary", before?.primary, () => seenPrimary(gathering));
  const gathered: GatheredStatus = {
    site: { name: site.name, role: site.role, region: site.region },
    apiUrl: gathering.apiUrl,
    version: PRODUCT_VERSION,
    gatheredAt: now,
    types: replicables.map(({ name, names }) => ({ name, plural: names.plural })),
    unverified,
    counted,
    settled,
    primary,
    keeps: keepsOf(replicables),
    problems: parts.problems,
  };
  return gathered;
};

/** Tells the primary: the status, and that the site is there. What comes back is why that failed, in a sentence. */
const report = async (
  { primary, telemetry, clock }: GatheringSite,
  gathered: GatheredStatus,
  failedReports: number,
  stopAt: number,
): Promise<string | undefined> => {
  if (primary === undefined) return undefined;
  const failed = (code: string, message: string): string => {
    telemetry.error("the primary could not be told of this site's status", { code, message });
    telemetry.count(COUNT_METRICS.statusReportFailed, 1);
    return `The primary could not be told of this site's status (${code}).`;
  };
  if (clock.now() >= stopAt) return failed("GEO_OUT_OF_TIME", "no time was left for it");
  try {
    await primary.siteTable.update(storeStatus({ gathered, failedReports, reportProblem: undefined }));
    const { site, apiUrl } = gathered;
    await primary.siteTable.update(reportSite({ name: site.name, region: site.region, apiUrl }, gathered.gatheredAt));
    return undefined;
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    return failed(error.code, error.message);
  }
};

/**
 * A site looks at itself: what only a roll-up of its counters knows, its settings, what the flags say, and of a secondary what
 * the primary shows. It is written into the site's own table, and a secondary's into the primary's, where this also tells
 * that there is such a site. A fixed number of reads and at most three writes. A part that can not be found out, and a
 * primary that can not be told, lose nothing else: they are said in the status, counted, and tried again with the next one.
 *
 * @param stopAt after which nothing more is begun but the last write, milliseconds since the epoch
 * @throws TableUnavailableError when the site's own table did not answer: nothing was written then
 */
export const gatherStatus = async (gathering: GatheringSite, stopAt: number): Promise<Gathered> => {
  const { siteTable } = gathering;
  const previous = await readPrevious(gathering);
  const gathered = await gather(gathering, previous?.gathered, stopAt);
  const failedBefore = previous?.failedReports ?? 0;
  const reportProblem = await report(gathering, gathered, failedBefore, stopAt);
  const failedReports = failedBefore + (reportProblem === undefined ? 0 : 1);
  const status: StoredStatus = { gathered, failedReports, reportProblem };
  await siteTable.update(storeStatus(status));
  return { status, failed: gathered.problems.map(({ part }) => part) };
};
