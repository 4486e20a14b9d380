import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { CAPACITIES_DEFAULT } from "./capacities.ts";
import type { CountedCell } from "./counters.ts";
import { GeoError } from "./errors.ts";
import { SELECTIVE_SYNC_TYPES } from "./selective-sync.ts";
import type { StatusSite } from "./site-status.ts";
import type { SettledFacts } from "./site-answer.ts";
import type { RolledUpType } from "./status-fields.ts";

/**
 * What a site finds out about itself each minute, as it is kept in its own table and, of a secondary, in the primary's. Facts
 * and not the finished answer: a type without rows takes a few bytes, and how old they are is seen when they are read.
 */
export interface GatheredStatus {
  readonly site: StatusSite;
  /** Where its API is, without a slash at the end. */
  readonly apiUrl: string;
  /** The product's version that runs there. */
  readonly version: string;
  /** Milliseconds since the epoch, as all times here. */
  readonly gatheredAt: number;
  /** Every type that it keeps. Its fields follow from the plural, so that another version's types can be told as well. */
  readonly types: readonly { readonly name: string; readonly plural: string }[];
  /** Names of those that are not verified there. */
  readonly unverified: readonly string[];
  readonly counted: GatheredCounts | undefined;
  readonly settled: SettledFacts | undefined;
  /** What a secondary saw of the primary. */
  readonly primary: SeenPrimary | undefined;
  /** Of what it keeps where: two sites that keep the same say the same. */
  readonly keeps: string;
  /** What could not be found out, in sentences; what was known of it before is kept. */
  readonly problems: readonly GatherProblem[];
}

/** What the counters came to. */
export interface GatheredCounts {
  readonly asOf: number;
  readonly lastChangeAt: number | undefined;
  /** Types that have rows or had any, by their names. */
  readonly types: ReadonlyMap<string, GatheredType>;
}

export interface GatheredType extends RolledUpType {
  readonly cells: readonly CountedCell[];
}

export interface SeenPrimary {
  readonly lastChangeAt: number | undefined;
  readonly keeps: string;
}

/** The parts that a status is gathered in: each alone may fail. */
export const GATHERED_PARTS = ["counters", "settings", "flags", "primary"] as const;
export type GatheredPart = (typeof GATHERED_PARTS)[number];

export interface GatherProblem {
  readonly part: GatheredPart;
  readonly text: string;
}

/** A gathered status, and how it went with telling the primary of it. */
export interface StoredStatus {
  readonly gathered: GatheredStatus;
  /** How often the primary could not be told, ever; 0 at a primary. */
  readonly failedReports: number;
  /** Why it could not be told the last time, in a sentence; undefined when it was. */
  readonly reportProblem: string | undefined;
}

/** A type that a site keeps, and under which keys. */
export interface KeptType {
  readonly name: string;
  readonly keyPattern: { readonly text: string };
}

/** What a site keeps where, in a few characters: the same for two sites that keep the same. Types come in the order of their names. */
export const keepsOf = (replicables: readonly KeptType[]): string =>
  createHash("sha256")
    .update(replicables.map(({ name, keyPattern }) => JSON.stringify([name, keyPattern.text])).join(), "utf8")
    .digest("hex")
    .slice(0, 16);

/** The latest time that a `Date` can tell (ECMA-262, 21.4.1.1), milliseconds since the epoch. */
export const TIME_MS_MAX = 8_640_000_000_000_000;

/** Milliseconds since the epoch, as far as a date can tell of them: a report comes from elsewhere. */
const Time = z.number().check(z.minimum(0), z.maximum(TIME_MS_MAX));

const Figures = z.object({ count: z.number(), p50Ms: z.number(), p99Ms: z.number(), maxMs: z.number() });

const Type = z.object({
  /** Sync state (or null), verification state, rows, bytes. */
  cells: z.array(z.tuple([z.nullable(z.number()), z.number(), z.number(), z.number()])),
  oldest: z.optional(z.number()),
  ages: z.array(z.tuple([z.nullable(z.number()), z.number()])),
  lag: z.object({
    total: z.optional(Figures),
    notify: z.optional(Figures),
    queue: z.optional(Figures),
    copy: z.optional(Figures),
    verify: z.optional(Figures),
  }),
  /** End, versions, p50 and p99 in milliseconds; absent in what an older version wrote. */
  steps: z._default(z.array(z.tuple([Time, z.number(), z.number(), z.number()])), []),
  audit: z.optional(
    z.object({ at: Time, verdict: z.enum(["exact", "different", "unsettled"]), difference: z.number() }),
  ),
});

const capacity = (name: keyof typeof CAPACITIES_DEFAULT) => z._default(z.number(), CAPACITIES_DEFAULT[name]);

const Document = z.object({
  site: z.object({ name: z.string(), role: z.enum(["primary", "secondary"]), region: z.string() }),
  apiUrl: z.string(),
  version: z.string(),
  gatheredAt: Time,
  types: z.array(z.object({ name: z.string(), plural: z.string() })),
  unverified: z.array(z.string()),
  counted: z.optional(z.object({ asOf: Time, lastChangeAt: z.optional(Time), types: z.record(z.string(), Type) })),
  settled: z.optional(
    z.object({
      enabled: z._default(z.boolean(), true),
      selectiveSync: z.object({ type: z.enum(SELECTIVE_SYNC_TYPES), ids: z.array(z.string()) }),
      syncObjectStorage: z.boolean(),
      capacities: z.object({
        files_max_capacity: capacity("files_max_capacity"),
        verification_max_capacity: capacity("verification_max_capacity"),
        repos_max_capacity: capacity("repos_max_capacity"),
        container_repositories_max_capacity: capacity("container_repositories_max_capacity"),
      }),
      minimumReverificationInterval: z.number(),
      blobDownloadTimeout: z.number(),
    }),
  ),
  primary: z.optional(z.object({ lastChangeAt: z.optional(Time), keeps: z.string() })),
  keeps: z.string(),
  problems: z.array(z.object({ part: z.enum(GATHERED_PARTS), text: z.string() })),
});

type StoredType = z.infer<typeof Type>;

/** A type of which there is nothing to tell is left out: most installations use a few types of many. */
const isEmpty = ({ cells, audit, lag }: GatheredType): boolean =>
  cells.length === 0 && audit === undefined && lag.total === undefined;

const encodeType = ({ cells, oldestUnsyncedTime, backlogAges, lag, lagSteps, audit }: GatheredType) => ({
  cells: cells.map(({ state, verificationState, rows, bytes }) => [state ?? null, verificationState, rows, bytes]),
  oldest: oldestUnsyncedTime,
  // Bands without rows say nothing that their absence does not.
  ages: backlogAges.map(({ upToSeconds, rows }) => [upToSeconds ?? null, rows]),
  lag,
  steps: lagSteps.map(({ until, figures }) => [until, figures.count, figures.p50Ms, figures.p99Ms]),
  audit,
});

const decodeType = (replicableName: string, stored: StoredType): GatheredType => ({
  cells: stored.cells.map(([state, verificationState, rows, bytes]) => ({
    replicableName,
    state: state ?? undefined,
    verificationState,
    rows,
    bytes,
  })),
  oldestUnsyncedTime: stored.oldest,
  backlogAges: stored.ages.map(([upToSeconds, rows]) => ({ upToSeconds: upToSeconds ?? undefined, rows })),
  lag: {
    total: stored.lag.total,
    notify: stored.lag.notify,
    queue: stored.lag.queue,
    copy: stored.lag.copy,
    verify: stored.lag.verify,
  },
  lagSteps: stored.steps.map(([until, count, p50Ms, p99Ms]) => ({ until, figures: { count, p50Ms, p99Ms } })),
  audit: stored.audit,
});

/** As it is stored: JSON, in which what is undefined is left out. */
export const encodeGathered = ({ counted, settled, ...rest }: GatheredStatus): string =>
  JSON.stringify({
    ...rest,
    counted: counted && {
      asOf: counted.asOf,
      lastChangeAt: counted.lastChangeAt,
      types: Object.fromEntries(
        [...counted.types].flatMap(([name, type]) => (isEmpty(type) ? [] : [[name, encodeType(type)]])),
      ),
    },
    settled: settled && {
      ...settled,
      selectiveSync: { ids: [], ...settled.selectiveSync },
    },
  });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Reads what `encodeGathered` wrote, of this version or another. Throws `GEO_UNREADABLE_ROW` on what can not be read. */
export const decodeGathered = (text: string): GatheredStatus => {
  const read = z.safeParse(Document, parsed(text));
  if (!read.success) {
    const fields = read.error.issues.map(({ path }) => path.join(".") || "all of it").join(", ");
    throw new GeoError("GEO_UNREADABLE_ROW", `a site's status can not be read: ${fields}`, { cause: read.error });
  }
  const { counted, settled, primary, ...rest } = read.data;
  return {
    ...rest,
    counted: counted && {
      asOf: counted.asOf,
      lastChangeAt: counted.lastChangeAt,
      types: new Map(Object.entries(counted.types).map(([name, type]) => [name, decodeType(name, type)])),
    },
    settled: settled && {
      ...settled,
      selectiveSync:
        settled.selectiveSync.type === "none"
          ? { type: "none" }
          : { type: settled.selectiveSync.type, ids: settled.selectiveSync.ids },
    },
    primary: primary && { lastChangeAt: primary.lastChangeAt, keeps: primary.keeps },
  };
};
