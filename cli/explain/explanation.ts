import { type AskedSite, originalOf, replicaOf, type UnaskedSite } from "./asked-site.ts";
import { type TimelineEntry, timelineOf } from "./timeline.ts";
import { ASK_ALL } from "./known-verdict.ts";
import { verdictOfPrimary, verdictOfSecondary } from "./verdict.ts";
import type { Verdict } from "./verdict-words.ts";

/** How an object stands at a site that was asked. */
interface StandingAt extends Verdict {
  readonly site: AskedSite;
}

/** What a site holds for the object's checksum. */
export interface ToldChecksum {
  readonly site: string;
  readonly checksum: string;
  /** How it was made; null of one that nobody can read. */
  readonly scheme: string | null;
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

const checksumsOf = (site: AskedSite): readonly ToldChecksum[] => {
  const { verification_checksum: checksum, verification_scheme: scheme } = replicaOf(site) ?? originalOf(site) ?? {};
  return checksum === null || checksum === undefined ? [] : [{ site: site.name, checksum, scheme: scheme ?? null }];
};

const named = (names: readonly string[]): string => names.join(", ");

type Conclusion = Pick<Explanation, "safe" | "verdict" | "remedy">;

const unsafe = (verdict: string, remedy: string | null): Conclusion => ({ safe: false, verdict, remedy });

/** Secondaries of which it is not known whether the object is safe there, or whether it is to be there at all. */
const inDoubt = (standings: readonly StandingAt[]): readonly StandingAt[] =>
  standings.filter(
    ({ site, safe, reason }) => site.object.role === "secondary" && safe === null && reason !== "out_of_scope",
  );

/** What it comes to where no secondary has it for certain. */
const nowhere = (standings: readonly StandingAt[]): Conclusion => {
  const [doubt] = inDoubt(standings);
  if (doubt !== undefined) return unsafe(`Not known: ${doubt.site.name} ${doubt.sentence}.`, doubt.remedy);
  const leftOut = standings.find(({ reason }) => reason === "out_of_scope");
  return leftOut === undefined
    ? unsafe("Not known: no secondary could be asked.", null)
    : unsafe(`Not safe: ${leftOut.site.name} ${leftOut.sentence}.`, leftOut.remedy);
};

/** What all of it comes to. Safe is only what is known to be safe wherever it is to be kept. */
const concluded = (standings: readonly StandingAt[], unasked: readonly UnaskedSite[]): Conclusion => {
  const bad = standings.find(({ safe }) => safe === false);
  if (bad?.reason === "unclaimed") return unsafe(`Not replicated: ${bad.site.object.claimed_because}.`, bad.remedy);
  if (bad !== undefined) return unsafe(`Not safe: ${bad.site.name} ${bad.sentence}.`, bad.remedy);
  const good = standings.filter(({ safe }) => safe === true);
  const [first] = good;
  if (first === undefined) return nowhere(standings);
  const doubts = inDoubt(standings);
  const missing = named(unasked.map(({ name }) => name));
  if (doubts.length > 0 || unasked.length > 0) {
    const reasons = [
      ...doubts.map(({ site, sentence }) => `of ${site.name}, which ${sentence}`),
      ...(unasked.length > 0 ? [`of ${missing}, which could not be asked`] : []),
    ];
    return unsafe(
      `Safe at ${named(good.map(({ site }) => site.name))}, and not known ${reasons.join(", nor ")}.`,
      doubts[0]?.remedy ?? `ask again when ${missing} can be reached`,
    );
  }
  if (!standings.some(({ site }) => site.object.role === "primary")) {
    return unsafe(
      `${first.site.name} ${first.sentence}; whether that is the newest version only the primary knows, and it was not asked.`,
      ASK_ALL,
    );
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
    checksums: asked.flatMap(checksumsOf),
    standings,
    unasked,
    ...concluded(standings, unasked),
  };
};
