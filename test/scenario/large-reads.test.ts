import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChecksumScheme } from "../../shared/geo/checksum.ts";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { type ReadLimits, READ_LIMITS, READ_TRIES_MAX } from "../../shared/geo/limits.ts";
import { writeProgress } from "../../shared/geo/read-progress.ts";
import { MemoryBucket, type StoredObject } from "../../shared/memory/bucket.ts";
import { SeededChance } from "../../shared/memory/chance.ts";
import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { type Digesting, type DigestOutcome, digestVersion } from "../../shared/services/verification/read-digest.ts";
import { type WatchedReads, watchedReads } from "../support/broken-reads.ts";
import { digestOf } from "../support/digest-of.ts";

const KEY = "cool_widgets/42/widget.bin";

/** What is large here: 32 bytes, in ranges of 8. */
const LIMITS: ReadLimits = {
  treeChunkBytes: 8,
  parallelFromBytes: 32,
  rangeBytes: 8,
  rangesInFlight: 3,
  resumableFromBytes: 32,
};

const SAVABLE = ["sha256", "sha256-tree-64m", "crc64nvme"] as const;
const EVERY = [...SAVABLE, "sha512", "sha1", "md5"] as const;

const bytesOf = (size: number): Uint8Array => new Uint8Array(size).map((_zero, index) => (index * 37) % 251);

interface Stored {
  readonly model: MemoryBucket;
  readonly bucket: MemoryReadableBucket;
  readonly version: StoredObject;
}

const stored = (size: number): Stored => {
  const model = new MemoryBucket({ name: "bucket", clock: new ManualClock(), chance: new SeededChance(1) });
  const version = model.put(KEY, bytesOf(size));
  return { model, bucket: new MemoryReadableBucket(model), version };
};

const rulesOf = (limits: ReadLimits = LIMITS) => checksumRules([], limits);

const read = (
  { version }: Pick<Stored, "version">,
  { bucket }: Pick<WatchedReads, "bucket">,
  scheme: ChecksumScheme,
  more: Partial<Digesting> = {},
): Promise<DigestOutcome> =>
  digestVersion({
    bucket,
    key: KEY,
    pin: { versionId: version.versionId, etag: version.etag },
    size: version.body.byteLength,
    scheme,
    rules: rulesOf(),
    isOver: () => false,
    progress: undefined,
    ...more,
  });

const bodyOf = async function* (bytes: Uint8Array) {
  yield await Promise.resolve(bytes);
};

const expected = (scheme: ChecksumScheme, size: number) =>
  digestOf(scheme, bodyOf(bytesOf(size)), LIMITS.treeChunkBytes);

/** True from the given question on. */
const overAfter = (questions: number) => {
  let asked = 0;
  return () => (asked += 1) > questions;
};

const sizes = fc.integer({ min: 0, max: 100 });

const odd = async function* (): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(20));
  // oxlint-disable-next-line typescript/only-throw-error -- streams may be destroyed with anything
  throw "reset";
};

describe("a version", () => {
  test.each(EVERY)("has the same %s, whatever its size, in one read or in ranges", async (scheme) => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        const at = stored(size);
        expect(await read(at, watchedReads(at.bucket), scheme)).toEqual({
          outcome: "digested",
          ...(await expected(scheme, size)),
        });
      }),
      { numRuns: 60 },
    );
  });

  test.each(EVERY)("has the same %s, wherever the connection breaks", async (scheme) => {
    // Breaks before the last byte of whatever is asked for: what comes behind it is another matter.
    const breakable = fc.integer({ min: 1, max: 100 }).filter((size) => size % 8 === 0 || size % 8 > 4);
    const fates = fc.array(fc.record({ breaksAfter: fc.nat(1) }), { maxLength: READ_TRIES_MAX - 1 });
    await fc.assert(
      fc.asyncProperty(breakable, fates, async (size, broken) => {
        const at = stored(size);
        const found = await read(at, watchedReads(at.bucket, broken), scheme);
        expect(found).toEqual({ outcome: "digested", ...(await expected(scheme, size)) });
      }),
      { numRuns: 100 },
    );
  });

  test("that is small is one GET without a range, and its progress is nowhere", async () => {
    const at = stored(31);
    const reads = watchedReads(at.bucket);
    await read(at, reads, "crc64nvme");
    expect(reads.ranges).toEqual(["all"]);
    const stopped = await read(at, watchedReads(at.bucket), "crc64nvme", { isOver: overAfter(2) });
    expect(stopped).toEqual({
      outcome: "unread",
      detail: "time was up after 12 bytes",
      progress: undefined,
      paused: false,
    });
  });
});

describe("a connection that breaks", () => {
  test("is taken up at the byte where it broke", async () => {
    const at = stored(20);
    const reads = watchedReads(at.bucket, [{ breaksAfter: 6 }, { breaksAfter: 8 }]);
    expect(await read(at, reads, "sha256")).toEqual({ outcome: "digested", ...(await expected("sha256", 20)) });
    expect(reads.ranges).toEqual(["all", "6-19", "14-19"]);
  });

  test("is taken up within its range, and the other ranges know nothing of it", async () => {
    const at = stored(40);
    const reads = watchedReads(at.bucket, ["whole", { breaksAfter: 4 }]);
    expect(await read(at, reads, "crc64nvme")).toEqual({ outcome: "digested", ...(await expected("crc64nvme", 40)) });
    expect(reads.ranges.toSorted()).toEqual(["0-7", "12-15", "16-23", "24-31", "32-39", "8-15"]);
  });

  test("is given up on after a few tries, with its reason", async () => {
    const at = stored(20);
    const reads = watchedReads(
      at.bucket,
      Array.from({ length: 9 }, () => ({ breaksAfter: 1 })),
    );
    expect(await read(at, reads, "sha256")).toEqual({
      outcome: "unread",
      detail: "the connection broke",
      progress: undefined,
      paused: false,
    });
    expect(reads.ranges).toHaveLength(READ_TRIES_MAX);
  });

  test("without an error is one that broke: fewer bytes than were told are no version", async () => {
    const at = stored(20);
    expect(await read(at, watchedReads(at.bucket, [{ endsAfter: 4 }]), "sha256")).toMatchObject({
      outcome: "digested",
    });
    const reads = watchedReads(
      at.bucket,
      Array.from({ length: 9 }, () => ({ endsAfter: 0 })),
    );
    expect(await read(at, reads, "sha256")).toMatchObject({ detail: "the body ended after 0 of 20 bytes" });
  });

  test("behind the last byte is not taken up: there is nothing left to ask for", async () => {
    const at = stored(20);
    const reads = watchedReads(at.bucket, [{ breaksAfter: 20 }]);
    expect(await read(at, reads, "sha256")).toMatchObject({ outcome: "unread", detail: "the connection broke" });
    expect(reads.ranges).toEqual(["all"]);
  });

  test("says what it was, even when that was no error", async () => {
    const at = stored(20);
    const bucket = {
      headVersion: at.bucket.headVersion.bind(at.bucket),
      read: () => Promise.resolve({ outcome: "reading", body: odd(), size: 20 } as const),
    };
    expect(await read(at, { bucket }, "sha256")).toMatchObject({ detail: "reset" });
  });
});

describe("a large version", () => {
  test.each(["sha256-tree-64m", "crc64nvme"] as const)("is read in ranges, a few at a time, for %s", async (scheme) => {
    const at = stored(60);
    const reads = watchedReads(at.bucket);
    await read(at, reads, scheme);
    expect(reads.ranges.toSorted()).toEqual(["0-7", "16-23", "24-31", "32-39", "40-47", "48-55", "56-59", "8-15"]);
    expect(reads.atOnce()).toBe(3);
  });

  test("is read range by range while another is read in parallel, so that the sockets suffice", async () => {
    const [one, other] = [stored(60), stored(60)];
    const rules = rulesOf();
    const [oneReads, otherReads] = [watchedReads(one.bucket), watchedReads(other.bucket)];
    await Promise.all([read(one, oneReads, "crc64nvme", { rules }), read(other, otherReads, "crc64nvme", { rules })]);
    expect([oneReads.atOnce(), otherReads.atOnce()]).toEqual([3, 1]);
    // Whoever comes next has the lane again.
    const next = watchedReads(one.bucket);
    await read(one, next, "crc64nvme", { rules });
    expect(next.atOnce()).toBe(3);
  });

  test("leaves the lane when reading it throws", async () => {
    const at = stored(60);
    const rules = rulesOf();
    const bucket = {
      headVersion: at.bucket.headVersion.bind(at.bucket),
      read: () => Promise.reject(new Error("the process is ended")),
    };
    await expect(read(at, { bucket }, "crc64nvme", { rules })).rejects.toThrow("the process is ended");
    expect(rules.lane.enter()).toBeDefined();
  });

  test.each(["sha512", "sha1", "md5"] as const)(
    "is read in one go for %s, which can be neither cut nor saved",
    async (scheme) => {
      const at = stored(60);
      const reads = watchedReads(at.bucket);
      await read(at, reads, scheme);
      expect(reads.ranges).toEqual(["all"]);
    },
  );

  test.each(SAVABLE)("that runs out of time goes on from where it came to, by %s", async (scheme) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 32, max: 100 }), fc.integer({ min: 1, max: 20 }), async (size, chunks) => {
        const at = stored(size);
        let found = await read(at, watchedReads(at.bucket), scheme, { isOver: overAfter(chunks) });
        for (let attempts = 1; found.outcome === "unread" && attempts < 40; attempts += 1) {
          const { progress } = found;
          // Later attempts have more time, so that a piece that takes longer than the first had is finished in the end.
          const isOver = overAfter(chunks + 6 * attempts);
          found = await read(at, watchedReads(at.bucket), scheme, { progress, isOver });
        }
        expect(found).toEqual({ outcome: "digested", ...(await expected(scheme, size)) });
      }),
      { numRuns: 60 },
    );
  });

  test("is paused only when this attempt came further than the last", async () => {
    const at = stored(60);
    const first = await read(at, watchedReads(at.bucket), "sha256", { isOver: overAfter(2) });
    expect(first).toMatchObject({ outcome: "unread", paused: true });
    if (first.outcome !== "unread") throw new Error("unreachable");
    expect(first.detail).toBe("time was up after 12 bytes; 12 of 60 are saved");
    const broken = watchedReads(
      at.bucket,
      Array.from({ length: 9 }, () => ({ breaksAfter: 0 })),
    );
    const second = await read(at, broken, "sha256", { progress: first.progress });
    // A failure counts, and loses nothing.
    expect(second).toMatchObject({ paused: false, progress: first.progress });
    const none = await read(at, watchedReads(at.bucket), "crc64nvme", { isOver: () => true });
    expect(none).toMatchObject({ paused: false, progress: undefined });
  });

  test("that was read to its end, and not judged, is not read again", async () => {
    const at = stored(60);
    const reading = await read(at, watchedReads(at.bucket), "sha256", { isOver: overAfter(14) });
    if (reading.outcome !== "unread") throw new Error("the time was not up");
    expect(reading.progress).toContain('"offset":60');
    const reads = watchedReads(at.bucket);
    const found = await read(at, reads, "sha256", { progress: reading.progress });
    expect(found).toEqual({ outcome: "digested", ...(await expected("sha256", 60)) });
    expect(reads.ranges).toEqual([]);
  });

  test.each(SAVABLE)(
    "is begun anew by %s where the progress is of another version, damaged, or too long",
    async (scheme) => {
      const at = stored(60);
      const pin = { versionId: at.version.versionId, etag: at.version.etag };
      const first = await read(at, watchedReads(at.bucket), scheme, { isOver: overAfter(5) });
      if (first.outcome !== "unread" || first.progress === undefined) throw new Error("nothing was saved");
      const { state } = JSON.parse(first.progress) as { readonly state: string };
      const useless = [
        writeProgress({ ...pin, versionId: "another" }, { scheme, offset: 8, state }),
        writeProgress({ ...pin, etag: '"another"' }, { scheme, offset: 8, state }),
        writeProgress(pin, { scheme, offset: 8, state: "?" }),
        writeProgress(pin, { scheme, offset: 61, state }),
      ];
      for (const progress of useless) {
        const reads = watchedReads(at.bucket);
        const found = await read(at, reads, scheme, { progress });
        expect(found).toEqual({ outcome: "digested", ...(await expected(scheme, 60)) });
        expect(reads.ranges[0]).toMatch(/^0-/);
      }
    },
  );

  test("is begun anew when its pieces were cut in another size", async () => {
    const at = stored(60);
    const first = await read(at, watchedReads(at.bucket), "sha256-tree-64m", {
      rules: rulesOf({ ...LIMITS, treeChunkBytes: 12, rangesInFlight: 1 }),
      isOver: overAfter(4),
    });
    if (first.outcome !== "unread") throw new Error("the time was not up");
    expect(first.progress).toContain('"offset":12');
    const found = await read(at, watchedReads(at.bucket), "sha256-tree-64m", { progress: first.progress });
    expect(found).toEqual({ outcome: "digested", ...(await expected("sha256-tree-64m", 60)) });
  });

  test("that lacks its end is digested as it is", async () => {
    const at = stored(60);
    at.model.corrupt(KEY, at.version.versionId, bytesOf(40));
    for (const scheme of SAVABLE) {
      expect(await read(at, watchedReads(at.bucket), scheme, { size: 60 })).toEqual({
        outcome: "digested",
        ...(await expected(scheme, 40)),
      });
    }
  });

  test("that is gone before or while it is read is gone", async () => {
    for (const scheme of SAVABLE) {
      const at = stored(60);
      const reads = watchedReads(at.bucket, [], () => at.model.deleteVersion(KEY, at.version.versionId));
      const broken = watchedReads(reads.bucket, [{ breaksAfter: 4 }, { breaksAfter: 4 }, { breaksAfter: 4 }]);
      expect(await read(at, broken, scheme)).toEqual({ outcome: "gone" });
      expect(await read(at, watchedReads(at.bucket), scheme)).toEqual({ outcome: "gone" });
    }
  });

  test("that S3 does not answer for says so, and keeps what was saved", async () => {
    const at = stored(60);
    const refusing = new MemoryReadableBucket(at.model, {
      headVersion: () => ({ kind: "unavailable", detail: "503" }),
    });
    expect(await read(at, { bucket: refusing }, "sha256", { progress: "as it was" })).toEqual({
      outcome: "unread",
      detail: "503",
      progress: "as it was",
      paused: false,
    });
    const unreadable = new MemoryReadableBucket(at.model, { read: () => ({ kind: "forbidden", detail: "403" }) });
    expect(await read(at, { bucket: unreadable }, "crc64nvme")).toMatchObject({
      detail: "403; 0 of 60 are saved",
      progress: undefined,
    });
  });
});

test("what is large by default is read in pieces of the size that the scheme's name says", () => {
  expect(READ_LIMITS.treeChunkBytes).toBe(64 * 1024 * 1024);
  expect(READ_LIMITS.parallelFromBytes).toBeGreaterThan(READ_LIMITS.rangeBytes * READ_LIMITS.rangesInFlight);
});
