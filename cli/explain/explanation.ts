import { type AskedSite, originalOf, replicaOf, type UnaskedSite } from "./asked-site.ts";
import { type TimelineEntry, timelineOf } from "./timeline.ts";
import { type Verdict, verdictOfPrimary, verdictOfSecondary } from "./verdict.ts";

/** How an object stands at a site that was asked. */
interface StandingAt extends Verdict {
  readonly site: AskedSite;
}

/** What a site holds for the object's checksum. */
export interface ToldChecksum {
  readonly site: string;
  readonly checksum: string;
}

/** The life of one object, on every site that could be asked. */
export interface Explanation {
  readonly key: string;
  readonly replicableName: string | null;
  readonly claimedBecause: string;
  readonly timeline: readonly TimelineEntry[];
  readonly checksums: readonly ToldChecksum[];
  readonly standings: readonly StandingAt[];
  readonly unasked: readonly UnaskedSite[];
  /** Whether every site that has to keep it does, verified, and all of them said so. */
  readonly safe: boolean;
  /** In one sentence. */
  readonly verdict: string;
  readonly remedy: string | null;
}

const checksumOf = (site: AskedSite): string | null =>
  (replicaOf(site) ?? originalOf(site))?.verification_checksum ?? null;

const named = (names: readonly string[]): string => names.join(", ");

/** What all of it comes to. */
const concluded = (
  standings: readonly StandingAt[],
  unasked: readonly UnaskedSite[],
): Pick<Explanation, "safe" | "verdict" | "remedy"> => {
  const bad = standings.find(({ safe }) => safe === false);
  if (bad?.reason === "unclaimed") {
    return { safe: false, verdict: `Not replicated: ${bad.site.object.claimed_because}.`, remedy: bad.remedy };
  }
  if (bad !== undefined) {
    return { safe: false, verdict: `Not safe: ${bad.site.name} ${bad.sentence}.`, remedy: bad.remedy };
  }
  const good = standings.filter(({ safe }) => safe === true);
  const [first] = good;
  const missing = unasked.map(({ name }) => name);
  if (first === undefined) {
    const other = standings.find(({ site, safe }) => safe === null && site.object.role === "secondary");
    const why = other === undefined ? "no secondary could be asked" : `${other.site.name} ${other.sentence}`;
    return { safe: false, verdict: `Not safe: ${why}.`, remedy: other?.remedy ?? null };
  }
  if (missing.length > 0) {
    return {
      safe: false,
      verdict: `Safe at ${named(good.map(({ site }) => site.name))}, and not known of ${named(missing)}, which could not be asked.`,
      remedy: `ask again when ${named(missing)} can be reached`,
    };
  }
  if (!standings.some(({ site }) => site.object.role === "primary")) {
    return {
      safe: false,
      verdict: `${first.site.name} ${first.sentence}; whether that is the newest version only the primary knows, and it was not asked.`,
      remedy: "ask all sites: geo explain without --site, with a file of sites that names the primary",
    };
  }
  if (good.every(({ reason }) => reason === "removed")) {
    return { safe: true, verdict: `Gone: removed at ${named(good.map(({ site }) => site.name))}.`, remedy: null };
  }
  const [only] = good.length === 1 ? good : [];
  return {
    safe: true,
    verdict:
      only === undefined
        ? `Safe at ${named(good.map(({ site }) => site.name))}.`
        : `Safe at ${only.site.name}: ${only.sentence.replace(/^is safe: /, "")}.`,
    remedy: null,
  };
};

/**
 * Explains an object from what sites told of it. Pure: what is told of the present is as of their answers.
 * @param asked at least one site
 */
export const explain = (asked: readonly [AskedSite, ...AskedSite[]], unasked: readonly UnaskedSite[]): Explanation => {
  const primary = asked.find(({ object }) => object.role === "primary");
  const standings = asked.map((site) => ({
    site,
    ...(site === primary ? verdictOfPrimary(site) : verdictOfSecondary(site, primary)),
  }));
  const { object } = primary ?? asked[0];
  return {
    key: object.key,
    replicableName: object.replicable_name,
    claimedBecause: object.claimed_because,
    timeline: timelineOf(asked),
    checksums: asked.flatMap((site) => {
      const checksum = checksumOf(site);
      return checksum === null ? [] : [{ site: site.name, checksum }];
    }),
    standings,
    unasked,
    ...concluded(standings, unasked),
  };
};
