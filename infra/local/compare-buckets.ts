import { createHash } from "node:crypto";
import pMap from "p-map";
import { type DemoBucket, VersionGoneError } from "./demo-bucket.ts";

/**
 * Whether two buckets hold the same, decided without the product: nothing is believed of what any table, event or
 * checksum says. Every current object of both sides is read and hashed.
 */
export interface Comparison {
  /** Keys of either side that were looked at. */
  readonly keys: number;
  /** Bytes of the primary's objects. */
  readonly bytes: number;
  readonly differences: readonly Difference[];
}

export interface Difference {
  readonly key: string;
  /** For people: what the primary has, and what the secondary has. */
  readonly what: string;
}

/** Objects read at once. Bodies are streamed, so this bounds memory whatever their size. */
const CONCURRENCY = 8;

/** Differences that are listed in full; more of them help nobody. */
const DIFFERENCES_MAX = 100;

const sha256 = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
};

const sorted = (record: object): string =>
  JSON.stringify(Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1)));

interface Seen {
  readonly size: number;
  readonly facts: Readonly<Record<string, string>>;
}

/** How often a key is looked at again because it changed meanwhile. */
const LOOKS_MAX = 5;

const look = async (bucket: DemoBucket, key: string, looks = 1): Promise<Seen | undefined> => {
  try {
    return await lookOnce(bucket, key);
  } catch (error) {
    if (!(error instanceof VersionGoneError) || looks >= LOOKS_MAX) throw error;
    return await look(bucket, key, looks + 1);
  }
};

const lookOnce = async (bucket: DemoBucket, key: string): Promise<Seen | undefined> => {
  const description = await bucket.describe(key);
  if (description === undefined) return undefined;
  const { versionId, size, headers, metadata, storageClass } = description;
  const [sha, tags] = await Promise.all([bucket.read(key, versionId).then(sha256), bucket.tags(key, versionId)]);
  return {
    size,
    facts: {
      size: String(size),
      "SHA-256": sha,
      metadata: sorted(metadata),
      headers: sorted(headers),
      tags: sorted(tags),
      "storage class": storageClass,
    },
  };
};

const differencesBetween = (
  key: string,
  primary: Seen | undefined,
  secondary: Seen | undefined,
): readonly Difference[] => {
  if (primary === undefined && secondary === undefined) return [];
  if (secondary === undefined) return [{ key, what: "is missing on the secondary" }];
  if (primary === undefined) return [{ key, what: "is still on the secondary, and not on the primary" }];
  return Object.entries(primary.facts)
    .filter(([name, value]) => secondary.facts[name] !== value)
    .map(([name, value]) => ({
      key,
      what: `${name}: ${value} on the primary, ${secondary.facts[name]} on the secondary`,
    }));
};

/**
 * Compares the current versions of two buckets: which keys there are, every byte by SHA-256, user metadata, content
 * headers, tags and storage class.
 *
 * @param counts which keys are meant to be the same; default all. Keys that no pattern matches are not replicated.
 */
export const compareBuckets = async (
  primary: DemoBucket,
  secondary: DemoBucket,
  options: {
    readonly counts?: (key: string) => boolean;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<Comparison> => {
  const counts = options.counts ?? (() => true);
  const keys = new Set<string>();
  for (const bucket of [primary, secondary]) {
    for await (const key of bucket.keys()) if (counts(key)) keys.add(key);
  }
  let done = 0;
  let bytes = 0;
  const differences: Difference[] = [];
  await pMap(
    keys,
    async (key) => {
      const [ours, theirs] = await Promise.all([look(primary, key), look(secondary, key)]);
      bytes += ours?.size ?? 0;
      const found = differencesBetween(key, ours, theirs);
      if (differences.length < DIFFERENCES_MAX) differences.push(...found);
      options.onProgress?.((done += 1), keys.size);
    },
    { concurrency: CONCURRENCY },
  );
  return { keys: keys.size, bytes, differences };
};
