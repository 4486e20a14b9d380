import { describe, expect, test } from "vitest";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { REVERIFIED_PER_PASS_MAX, STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import { rowKey, verifiedPartition } from "../../shared/geo/registry-row.ts";
import type { MemoryBucket } from "../../shared/memory/bucket.ts";
import { reverify } from "../../shared/services/re-verify.ts";
import { listOldRecords } from "../../shared/services/verification-backfill/list-for-reverification.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { sweepDue } from "../../shared/services/sweep-due.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const DAY_MS = 24 * 60 * 60_000;
const KEY = "cool_widgets/42/widget.bin";
const keyOf = (id: number): string => `cool_widgets/${id}/widget.bin`;
const avatarOf = (id: number): string => `namespace_uploads/7/${id}/avatar.png`;

/** What a disk does over the years: the same version, and other bytes. */
const rot = (bucket: MemoryBucket, key: string): void => {
  const current = bucket.current(key);
  if (current?.kind !== "object") throw new Error(`there is no object ${key}`);
  const [first = 0, ...rest] = current.body;
  bucket.corrupt(key, current.versionId, Uint8Array.of(first ^ 1, ...rest));
};

const settled = async (keys: readonly string[], options?: Parameters<typeof twoSites>[0]): Promise<TwoSites> => {
  const world = twoSites(options);
  await world.sweep();
  for (const key of keys) {
    world.primaryBucket.put(key, `bytes of ${key}`);
    await world.settle();
    world.clock.advance(1_000);
  }
  return world;
};

/** Lets days pass, and what lists the records of objects whose time is near. */
const age = async (world: TwoSites, days: number): Promise<void> => {
  world.clock.advance(days * DAY_MS);
  await listOldRecords(world.listing, world.recorded(), Infinity);
};

const setDays = async (world: TwoSites, days: number): Promise<void> => {
  await world.primarySiteTable.update(changeSettings({ minimumReverificationInterval: days }, world.clock.now()));
  world.clock.advance(STANDING_KEPT_MS);
};

/** Keys of the primary whose time to be read again has come. */
const pending = async (world: TwoSites, keys: readonly string[]): Promise<readonly string[]> => {
  const states = await Promise.all(keys.map((key) => world.state(key)));
  return keys.filter((_, index) => states[index]?.verification_state === "pending");
};

/** Settled rows of the primary as if they had been there for long, without the way there. */
const putRecords = async (world: TwoSites, keys: readonly string[], verifiedAt: (index: number) => number) => {
  for (const [index, key] of keys.entries()) {
    const ref = world.refOf(key);
    const { pk } = rowKey(ref);
    await world.verificationState.put({
      ...rowKey(ref),
      rev: 1,
      verification_state: 2,
      verification_checksum: "sha256:00",
      src_version_id: "v",
      src_etag: '"e"',
      verified_at: verifiedAt(index),
      due_at: verifiedAt(index),
      due_pk: `verified#${ref.replicableName}#${Number.parseInt(pk.split("#")[1] ?? "", 16) % 16}`,
    });
  }
};

const ids = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

describe("an object that was verified long ago (F30)", () => {
  test.each([
    ["whose digest S3 stores", {}],
    ["whose digest the primary computed", { checksum: "none" as const }],
  ])("%s is read again on the primary, and then by each secondary (F28)", async (_, options) => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", options);
    await world.settle();
    await world.live(60 * 60_000);
    const before = { state: await world.state(KEY), row: await world.row(KEY) };
    expect(before.row).toMatchObject({ verification_state: "succeeded" });
    world.clock.advance(90 * DAY_MS);
    await world.sweep();
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "pending",
      verified_at: before.state?.verified_at,
    });
    await world.settle();
    const state = await world.state(KEY);
    expect(state).toMatchObject({
      verification_state: "succeeded",
      verification_checksum: before.state?.verification_checksum,
      verified_at: world.clock.now(),
    });
    expect(await world.row(KEY)).toMatchObject({
      verification_state: "succeeded",
      verified_at: world.clock.now(),
      rep_version_id: before.row?.rep_version_id,
    });
    await world.live(60 * 60_000);
    expect((await world.state(KEY))?.verified_at).toBe(state?.verified_at);
  });

  test("is left alone until its time has come, at the primary and for good at a secondary", async () => {
    const world = await settled([KEY]);
    const { verified_at: verifiedAt } = (await world.row(KEY)) ?? {};
    world.clock.advance(90 * DAY_MS - 2_000);
    await world.sweep();
    await world.settle();
    expect((await world.state(KEY))?.verified_at).toBe(verifiedAt);
    world.clock.advance(1_000_000 * DAY_MS);
    // Of the two sweeps, the secondary's: it has no timer.
    await sweepDue({
      table: world.registry,
      queue: world.queues.events.live,
      replicableNames: ["cool_widget"],
      isOn: () => Promise.resolve(true),
      clock: world.clock,
      telemetry: world.telemetry,
    });
    expect(world.queues.events.live.size).toBe(0);
    expect((await world.row(KEY))?.verified_at).toBe(verifiedAt);
  });

  test("waits for as many days as the operator says, from the moment that it is said", async () => {
    const world = await settled([KEY]);
    world.clock.advance(2 * DAY_MS);
    await world.sweep();
    expect(await pending(world, [KEY])).toEqual([]);
    await setDays(world, 1);
    await world.sweep();
    expect(await pending(world, [KEY])).toEqual([KEY]);
    await world.settle();
    await setDays(world, 999);
    world.clock.advance(500 * DAY_MS);
    await world.sweep();
    expect(await pending(world, [KEY])).toEqual([]);
  });

  test("has nothing to do with one whose type is switched off", async () => {
    const world = await settled([KEY]);
    await world.primarySiteTable.update(setFlag("geo_cool_widget_replication", false, world.clock.now()));
    world.clock.advance(91 * DAY_MS);
    await world.sweep();
    expect(await pending(world, [KEY])).toEqual([]);
    await world.primarySiteTable.update(setFlag("geo_cool_widget_replication", true, world.clock.now()));
    world.clock.advance(STANDING_KEPT_MS);
    await world.sweep();
    expect(await pending(world, [KEY])).toEqual([KEY]);
  });
});

describe("many objects whose time has come", () => {
  test("have their turns in the order in which they were verified, a thousand in each pass", async () => {
    const world = twoSites();
    const keys = ids(REVERIFIED_PER_PASS_MAX + 500).map(keyOf);
    // In another order than that of their keys and partitions.
    const order = keys.map((_, index) => (index * 7_919) % keys.length);
    await putRecords(world, keys, (index) => order[index] ?? 0);
    world.clock.advance(91 * DAY_MS);
    const inOrder = keys.map((key, index) => ({ key, at: order[index] ?? 0 })).toSorted((a, b) => a.at - b.at);
    let done = 0;
    for (let pass = 1; done < keys.length; pass += 1) {
      await world.settle().catch(() => undefined);
      world.queues.checksum.live.import([]);
      const marked = await reverify(world.reverifying);
      expect(marked).toBeGreaterThan(REVERIFIED_PER_PASS_MAX / 4);
      expect(marked).toBeLessThanOrEqual(REVERIFIED_PER_PASS_MAX);
      done += marked;
      const now = new Set(await pending(world, keys));
      // Whoever is marked is older than all who are not.
      const first = inOrder.slice(0, done).map(({ key }) => key);
      expect(first.filter((key) => !now.has(key)).length).toBe(first.length - now.size);
    }
    expect(done).toBe(keys.length);
  });

  test("are not overtaken by younger ones, also where all of the oldest are in one partition of the index", async () => {
    const world = twoSites();
    const partitionOf = (key: string): number => Number.parseInt(rowKey(world.refOf(key)).pk.slice(-3), 16) % 16;
    const keys = ids(3_500).map(keyOf);
    const at = (index: number): number => partitionOf(keys[index] ?? "") * 10_000 + index;
    await putRecords(world, keys, at);
    world.clock.advance(91 * DAY_MS);
    const marked = await reverify(world.reverifying);
    expect(marked).toBeGreaterThan(0);
    const oldest = keys.toSorted((a, b) => at(keys.indexOf(a)) - at(keys.indexOf(b))).slice(0, marked);
    expect((await pending(world, keys)).toSorted()).toEqual(oldest.toSorted());
  });

  test("are shared fairly between types: a flood of one does not keep another waiting", async () => {
    const world = twoSites();
    const flood = ids(REVERIFIED_PER_PASS_MAX + 500).map(keyOf);
    const few = ids(20).map(avatarOf);
    await putRecords(world, flood, () => 1);
    await putRecords(world, few, () => 2);
    world.clock.advance(91 * DAY_MS);
    expect(await reverify(world.reverifying)).toBeLessThanOrEqual(REVERIFIED_PER_PASS_MAX);
    expect(await pending(world, few)).toEqual(few);
  });

  test("wait while the checksum function has its hands full", async () => {
    const world = await settled([KEY]);
    await age(world, 91);
    const busy = { ...world.reverifying.queue, backlog: () => Promise.resolve(100) };
    expect(await reverify({ ...world.reverifying, queue: busy })).toBe(0);
    expect(await reverify(world.reverifying)).toBe(1);
  });

  test("do not wait behind a row whose key its type does not claim any more", async () => {
    const world = twoSites();
    await putRecords(world, [KEY], () => 1);
    const ref = { replicableName: "cool_widget", key: "elsewhere" };
    const strange = { ...rowKey(ref), rev: 1, verification_state: 2 };
    await world.verificationState.put({ ...strange, verified_at: 0, due_at: 0, due_pk: verifiedPartition(ref) });
    // An index may be behind: what is not as it was there is somebody else's.
    await world.verificationState.put({ pk: "p", sk: KEY, due_at: 0, due_pk: "verified#cool_widget#4" });
    world.clock.advance(91 * DAY_MS);
    expect(await reverify(world.reverifying)).toBe(1);
  });
});

describe("a pass that is cut short", () => {
  test("between the mark and the message loses nothing: the next sweeps bring the row", async () => {
    const world = await settled([KEY]);
    await age(world, 91);
    const dying = { ...world.reverifying.queue, send: () => Promise.reject(new Error("the process is gone")) };
    await expect(reverify({ ...world.reverifying, queue: dying })).rejects.toThrow("gone");
    expect(await pending(world, [KEY])).toEqual([KEY]);
    await world.live(10 * 60_000);
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded", verification_retry_count: 0 });
    expect((await world.row(KEY))?.verified_at).toBeGreaterThan(90 * DAY_MS);
  });

  test("by a queue that takes nothing, or by the loss of the message, either", async () => {
    const world = await settled([KEY]);
    await age(world, 91);
    const deaf = {
      ...world.reverifying.queue,
      send: () => Promise.resolve({ outcome: "failed" as const, failed: [0], reason: "down" }),
    };
    expect(await reverify({ ...world.reverifying, queue: deaf })).toBe(1);
    expect(world.telemetry.linesOf("some objects could not be sent to be verified again")).toHaveLength(1);
    await world.loseMessages();
    const since = world.clock.now();
    await world.live(10 * 60_000);
    expect((await world.state(KEY))?.verified_at).toBeGreaterThan(since);
    expect((await world.row(KEY))?.verified_at).toBeGreaterThan(since);
  });

  test("by the death of the reader behind its announcement has the secondaries told again, and not too seldom", async () => {
    const world = await settled([KEY]);
    world.clock.advance(91 * DAY_MS);
    await world.sweep();
    world.queues.checksum.live.import([]);
    const told: unknown[] = [];
    const dying = {
      ...world.primary,
      geoEvents: {
        name: "geo-events",
        send: (messages: unknown) => {
          told.push(messages);
          return Promise.reject(new Error("the process is gone"));
        },
      },
    };
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    await expect(recordPrimaryChecksum(dying, request)).rejects.toThrow("gone");
    expect(told).toHaveLength(1);
    // Not settled, so that somebody comes back: had it been settled first, nobody would.
    expect(await world.state(KEY)).toMatchObject({ verification_state: "started" });
    const since = world.clock.now();
    await world.live(60 * 60_000);
    expect((await world.row(KEY))?.verified_at).toBeGreaterThan(since);
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
  });
});

describe("bytes that rot", () => {
  test.each([
    ["whose digest S3 stores", {}],
    ["whose digest the primary computed", { checksum: "none" as const }],
  ])("on the primary, %s, fail its record and no replica", async (_, options) => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", options);
    await world.settle();
    await world.live(60 * 60_000);
    const before = await world.state(KEY);
    const row = await world.row(KEY);
    rot(world.primaryBucket, KEY);
    world.clock.advance(91 * DAY_MS);
    await world.live(3 * 60 * 60_000);
    const state = await world.state(KEY);
    expect(state).toMatchObject({
      verification_state: "failed",
      verification_checksum: before?.verification_checksum,
      verification_failure: expect.stringContaining("Bytes differ from what was recorded of this version") as string,
    });
    expect(state?.verification_checksum_found).toMatch(/^[a-z0-9]+:[0-9a-f]+$/);
    expect(state?.verification_checksum_found).not.toBe(before?.verification_checksum);
    expect(state?.verification_failure).toContain(String(before?.verification_checksum));
    expect(state?.verification_failure).toContain(String(state?.verification_checksum_found));
    expect(state?.verification_retry_count).toBeGreaterThan(2);
    // The good replica stays as it is, and nobody was told to look at it.
    expect(await world.row(KEY)).toEqual(row);
    expect(world.replicaText(KEY)).toBe("one");
    expect(world.telemetry.total("PrimaryDiffers")).toBe(state?.verification_retry_count);

    // An event about it changes nothing: the bytes are still wrong.
    world.primaryBucket.putTags(KEY, { touched: "yes" });
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ verification_state: "failed" });

    // What an operator does: the good bytes come back as a new version.
    world.primaryBucket.put(KEY, "one", options);
    await world.live(60 * 60_000);
    const healed = await world.state(KEY);
    expect(healed).toMatchObject({ verification_state: "succeeded" });
    expect(healed).not.toHaveProperty("verification_checksum_found", expect.any(String));
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test("on the primary for one read only are right again at the next", async () => {
    const world = await settled([KEY]);
    rot(world.primaryBucket, KEY);
    world.clock.advance(91 * DAY_MS);
    await world.sweep();
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ verification_state: "failed" });
    rot(world.primaryBucket, KEY);
    await world.live(10 * 60_000);
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded", verification_retry_count: 0 });
  });

  test("in a replica are found when the primary reads its own again, and the replica is made anew", async () => {
    const world = await settled([KEY]);
    rot(world.replicaBucket, KEY);
    await world.live(60 * 60_000);
    expect(world.replicaText(KEY)).not.toBe(`bytes of ${KEY}`);
    world.clock.advance(91 * DAY_MS);
    await world.live(2 * 60 * 60_000);
    expect(world.replicaText(KEY)).toBe(`bytes of ${KEY}`);
    expect(world.telemetry.total("ChecksumMismatch")).toBeGreaterThan(0);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });
});

describe("reading an object again", () => {
  test("that can not be read keeps what was recorded of it", async () => {
    const world = await settled([KEY]);
    const before = await world.state(KEY);
    world.clock.advance(91 * DAY_MS);
    await world.sweep();
    world.primaryFaults.failNext("read", "unavailable");
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "failed",
      verification_checksum: before?.verification_checksum,
    });
    await world.live(10 * 60_000);
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
  });

  test("that is replaced meanwhile says nothing of the new one", async () => {
    const world = await settled([KEY]);
    rot(world.primaryBucket, KEY);
    world.clock.advance(91 * DAY_MS);
    await world.sweep();
    world.queues.checksum.live.import([]);
    const { bucket } = world.primary;
    const slow = {
      ...world.primary,
      bucket: {
        ...bucket,
        head: (key: string) => bucket.head(key),
        headVersion: (key: string, versionId: string) => bucket.headVersion(key, versionId),
        read: async (...args: Parameters<typeof bucket.read>) => {
          const read = await bucket.read(...args);
          world.primaryBucket.put(KEY, "two");
          await world.settle();
          return read;
        },
      } as typeof bucket,
    };
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    expect(await recordPrimaryChecksum(slow, request)).toEqual({ result: "left_to_others" });
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(world.replicaText(KEY)).toBe("two");
  });

  test("goes by what was recorded of it, while a secondary that needs the digest meanwhile gets it", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    await world.settle();
    await world.live(60 * 60_000);
    await age(world, 91);
    await reverify(world.reverifying);
    world.queues.checksum.live.import([]);
    await world.registry.update({
      key: rowKey(world.refOf(KEY)),
      update: "SET verification_state = :pending, due_at = :now, due_pk = :partition",
      values: { ":pending": 0, ":now": world.clock.now(), ":partition": "cool_widget#7" },
    });
    expect(await verifyReplica(world.secondary, world.refOf(KEY), "due", Infinity)).toEqual({ result: "verified" });
  });

  test("that is too large for one copy is read like any other, and told of when it is shorter than it was", async () => {
    const world = await settled([KEY]);
    await age(world, 91);
    await reverify(world.reverifying);
    world.queues.checksum.live.import([]);
    const { bucket } = world.primary;
    const head = async (key: string) => {
      const seen = await bucket.head(key);
      return seen.outcome === "present" ? { ...seen, facts: { ...seen.facts, size: 6_000_000_000 } } : seen;
    };
    const reads: string[] = [];
    const large = {
      ...world.primary,
      bucket: {
        bucket: bucket.bucket,
        head,
        headVersion: (key, versionId) => bucket.headVersion(key, versionId),
        read: (key, ...rest) => {
          reads.push(key);
          return bucket.read(key, ...rest);
        },
      } as typeof bucket,
    };
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    expect(await recordPrimaryChecksum(large, request)).toMatchObject({
      result: "differs",
      text: expect.stringMatching(/recorded .* \(6000000000 bytes\), found .* \(35 bytes\)$/) as string,
    });
    expect(reads).toEqual([KEY]);
  });

  test("that has been replaced since its time came is only a look at the new one", async () => {
    const world = await settled([KEY]);
    await age(world, 91);
    await reverify(world.reverifying);
    const replaced = world.primaryBucket.put(KEY, "two");
    await world.loseMessages();
    await world.live(10 * 60_000);
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "succeeded",
      src_version_id: replaced.versionId,
    });
    expect(world.telemetry.total("PrimaryDiffers")).toBe(0);
  });

  test("of a type whose kind of checksum says nothing of bytes is one look, which the secondaries repeat", async () => {
    const replicables = twoSites().replicables.map((one) =>
      one.name === "cool_widget" ? { ...one, checksumPolicy: "size" as const } : one,
    );
    const world = await settled([KEY], { replicables });
    world.clock.advance(91 * DAY_MS);
    await world.sweep();
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded", verified_at: world.clock.now() });
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded", verified_at: world.clock.now() });
  });
});

describe("an object in an archive, which nobody can read", () => {
  test.each(["crc64nvme", "none"] as const)(
    "keeps what was recorded of it (S3 stored %s), through failures and when its time has come",
    async (checksum) => {
      const world = twoSites();
      world.primaryBucket.put(KEY, "one", { checksum });
      await world.settle();
      await world.live(60 * 60_000);
      const recorded = (await world.state(KEY))?.verification_checksum;
      world.primaryBucket.archive(KEY);
      world.primaryFaults.failNext("head", "forbidden");
      const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
      expect(await recordPrimaryChecksum(world.primary, request)).toMatchObject({ result: "failed" });
      await world.live(60 * 60_000);
      expect(await world.state(KEY)).toMatchObject({
        verification_state: "succeeded",
        verification_checksum: recorded,
      });

      await age(world, 91);
      await reverify(world.reverifying);
      await world.live(60 * 60_000);
      expect(await world.state(KEY)).toMatchObject({
        verification_state: "succeeded",
        verification_checksum: recorded,
      });
    },
  );
});

const itsTimeHasCome = async (world: TwoSites): Promise<void> => {
  await age(world, 91);
  await reverify(world.reverifying);
  world.queues.checksum.live.import([]);
};

describe("a kind of checksum that was changed since", () => {
  const asSha256 = checksumRules([{ name: "cool_widget", checksumPolicy: "sha256" }]);

  test("is taken up once the bytes have come to the value of the old one again", async () => {
    const world = await settled([KEY]);
    await itsTimeHasCome(world);
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    const site = { ...world.primary, checksums: asSha256 };
    expect(await recordPrimaryChecksum(site, request)).toMatchObject({ result: "computed" });
    const checksum = expect.stringMatching(/^sha256:/) as string;
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded", verification_checksum: checksum });
    expect(world.queues.ingest.live.bodies.join()).toContain("checksum_succeeded");
  });

  test("does not make rotten bytes the truth: they are compared with the old value first", async () => {
    const world = await settled([KEY]);
    const before = await world.state(KEY);
    rot(world.primaryBucket, KEY);
    await itsTimeHasCome(world);
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    const site = { ...world.primary, checksums: asSha256 };
    expect(await recordPrimaryChecksum(site, request)).toMatchObject({ result: "differs" });
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "failed",
      verification_checksum: before?.verification_checksum,
    });
  });
});
