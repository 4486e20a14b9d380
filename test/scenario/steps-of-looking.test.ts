import { describe, expect, test } from "vitest";
import { LOOKS_PER_ATTEMPT_MAX } from "../../shared/geo/limits.ts";
import { parseRegistryRow, parseVerificationStateRow, rowKey } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import type { ReadableBucket, ReadOutcome, ReplicaBucket } from "../../shared/ports/object-store.ts";
import type { Table, WriteOutcome } from "../../shared/ports/table.ts";
import { askToRemove } from "../../shared/services/removal-guard.ts";
import { step, syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { move } from "../support/bare-writes.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** What single looks, reads and refused writes come to: the rare turns of attempts that are otherwise whole. */

const KEY = "cool_widgets/42/widget.bin";

/** A port with some of its methods replaced; the others stay those of the port itself. */
const over = <Port extends object>(port: Port, changes: Partial<Port>): Port =>
  new Proxy(port, {
    get: (target, name) => {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name) as unknown;
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === "function" ? (own.bind(target) as unknown) : own;
    },
  });

const sync = (world: TwoSites, changes: Partial<TwoSites["secondary"]> = {}) =>
  syncBlob(
    { ...world.secondary, ...changes },
    { ref: world.refOf(KEY), cause: "hint", stopAt: world.clock.now() + 50_000, epoch: 0 },
  );

const syncedWorld = async (): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  return world;
};

describe("looking at both sides", () => {
  test("fails with its reason when the replica's bucket does not answer", async () => {
    const world = await syncedWorld();
    world.replicaFaults.failNext("head", "forbidden", "AccessDenied");
    expect(await sync(world)).toMatchObject({ result: "failed", kind: "forbidden" });
  });

  test.each(["primary", "replica"] as const)("fails when the tags of the %s can not be read", async (side) => {
    const world = await syncedWorld();
    (side === "primary" ? world.primaryFaults : world.replicaFaults).failNext("tags", "unavailable");
    expect(await sync(world)).toMatchObject({ result: "failed", kind: "unavailable" });
  });

  test("begins again when a version goes between two looks, and gives up when that does not end", async () => {
    const world = await syncedWorld();
    let looks = 0;
    const replica: ReplicaBucket = over(world.secondary.replica, {
      tags: () => {
        looks += 1;
        return Promise.resolve({ outcome: "gone" });
      },
    });
    expect(await sync(world, { replica })).toMatchObject({ result: "failed", kind: "unsettled" });
    expect(looks).toBe(LOOKS_PER_ATTEMPT_MAX + 1);
  });

  test("does not try to copy what only a customer's key opens", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.loseMessages();
    const primary: ReadableBucket = over(world.secondary.primary, {
      head: async (key) => {
        const seen = await world.secondary.primary.head(key);
        return seen.outcome === "present" ? { ...seen, facts: { ...seen.facts, customerKey: true } } : seen;
      },
    });
    expect(await sync(world, { primary })).toMatchObject({ result: "failed", kind: "customer_key", blocked: true });
  });
});

const brokenBody = async function* () {
  yield new Uint8Array([1]);
  await Promise.resolve();
  throw new Error("the connection broke");
};

const unseenSource = async (): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one");
  await world.loseMessages();
  return world;
};

const readingAs = (
  world: TwoSites,
  read: (version: string) => Promise<ReadOutcome>,
): Partial<TwoSites["secondary"]> => ({
  replica: over(world.secondary.replica, { read: (_key, version) => read(version) }),
});

describe("reading a copy back", () => {
  test("that S3 does not let be read settles the copy and leaves the proof to the verification", async () => {
    const world = await unseenSource();
    world.replicaFaults.failNext("read", "unavailable");
    expect(await sync(world)).toMatchObject({ result: "synced", how: "copied", verification: "to_verify" });
  });

  test("that breaks off settles the copy and leaves the proof to the verification", async () => {
    const world = await unseenSource();
    const broken = readingAs(world, () => Promise.resolve({ outcome: "reading", body: brokenBody(), size: 3 }));
    expect(await sync(world, broken)).toMatchObject({ result: "synced", verification: "to_verify" });
  });

  test("that finds its version gone looks at both sides again", async () => {
    const world = await unseenSource();
    let reads = 0;
    const gone = readingAs(world, (version) => {
      reads += 1;
      return reads === 1 ? Promise.resolve({ outcome: "gone" }) : world.secondary.replica.read(KEY, version);
    });
    expect(await sync(world, gone)).toMatchObject({ result: "synced", verification: "verified" });
    expect(reads).toBe(2);
  });

  test("of a source whose digest S3 does not vouch for is the primary's to make possible", async () => {
    const world = await unseenSource();
    const worker = await new Worker(world, KEY).until("read_back");
    const { attempt } = worker;
    if (attempt.at !== "read_back") throw new Error("unreachable");
    const { checksum: _none, ...source } = attempt.written.source;
    const unvouched = { ...attempt, written: { ...attempt.written, source } };
    expect(await step(world.secondary, unvouched)).toMatchObject({
      at: "commit_synced",
      verdict: { verdict: "awaiting_primary" },
    });
  });

  test("is not begun when the answer to the write can not be had either", async () => {
    const world = await unseenSource();
    world.replicaFaults.loseNextAnswer("copy", "now").failNext("head", "unavailable");
    expect(await sync(world)).toMatchObject({ result: "failed", kind: "unknown_outcome" });
  });
});

const heldBy = (token: string, leaseUntil: number): WriteOutcome => ({
  outcome: "refused",
  item: { pk: "p", sk: KEY, state: REPLICATION_STATE.started, gen: 1, attempt_token: token, lease_until: leaseUntil },
});

const refusing = (world: TwoSites, answers: readonly WriteOutcome[]): Partial<TwoSites["secondary"]> => {
  const left = [...answers];
  return {
    registry: over<Table>(world.registry, {
      update: (request) => {
        const answer = left.shift();
        return answer === undefined ? world.registry.update(request) : Promise.resolve(answer);
      },
    }),
  };
};

describe("a claim that is refused", () => {
  const LONG = Number.MAX_SAFE_INTEGER;
  const gone: WriteOutcome = { outcome: "refused", item: undefined };

  test("over a row that is gone by now is made again, at each of its places", async () => {
    for (const answers of [[gone], [heldBy("other", LONG), gone], [heldBy("other", 0), gone]]) {
      const world = twoSites();
      world.primaryBucket.put(KEY, "one");
      expect(await sync(world, refusing(world, answers))).toMatchObject({ result: "synced" });
    }
  });

  test("as a takeover by somebody else's is made again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const answers = [heldBy("other", 0), heldBy("third", LONG)];
    expect(await sync(world, refusing(world, answers))).toMatchObject({ result: "synced" });
  });

  test("as a due row's takeover looks at the row again, and ends when there is none", async () => {
    const world = twoSites();
    const asked = { ref: world.refOf(KEY), token: "mine", cause: "due", stopAt: Infinity, epoch: 0 } as const;
    const again = await step(world.secondary, { at: "take_over", asked, oldToken: "other" });
    expect(again).toMatchObject({ at: "look_at_row" });
    if (again.at !== "look_at_row") throw new Error("unreachable");
    expect(await step(world.secondary, again)).toMatchObject({ at: "ended", result: { result: "nothing_due" } });
  });
});

const oddBody = async function* (): AsyncGenerator<Uint8Array> {
  yield new Uint8Array([1]);
  await Promise.resolve();
  // oxlint-disable-next-line typescript/only-throw-error -- streams may be destroyed with anything
  throw "reset";
};

/** The primary, whose table has somebody else write just before each of our writes. */
const overtaken = (world: TwoSites, times: number): TwoSites["primary"] => {
  let left = times;
  return {
    ...world.primary,
    verificationState: over<Table>(world.verificationState, {
      update: async (asked) => {
        if (left > 0) {
          left -= 1;
          const item = await world.verificationState.get(asked.key);
          return { outcome: "refused", item };
        }
        return world.verificationState.update(asked);
      },
    }),
  };
};

const unreadSource = async (): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one", { checksum: "none" });
  await world.loseMessages();
  return world;
};

const request = (world: TwoSites) => ({
  ref: world.refOf(KEY),
  modelRecordId: "42",
  correlationId: "c",
  stopAt: world.clock.now() + 50_000,
});

describe("the primary's record", () => {
  test("of an object that can not be looked at says why, and is tried again", async () => {
    const world = twoSites();
    world.primaryFaults.failNext("head", "forbidden", "AccessDenied");
    expect(await recordPrimaryChecksum(world.primary, request(world))).toMatchObject({ result: "failed" });
    expect(await world.state(KEY)).toMatchObject({ verification_state: "failed", verification_retry_count: 1 });
    world.primaryFaults.failNext("head", "forbidden", "AccessDenied");
    await recordPrimaryChecksum(world.primary, request(world));
    expect(await world.state(KEY)).toMatchObject({ verification_retry_count: 2 });
  });

  test("that others keep writing is left to them after a few tries", async () => {
    for (const break_ of [false, true]) {
      const world = await unreadSource();
      if (break_) for (let tries = 0; tries < 9; tries += 1) world.primaryFaults.failNext("head", "unavailable");
      expect(await recordPrimaryChecksum(overtaken(world, 99), request(world))).toEqual({ result: "left_to_others" });
    }
  });

  test("of an object that is gone is written down at the next try when the first is refused", async () => {
    const world = twoSites();
    expect(await recordPrimaryChecksum(overtaken(world, 1), request(world))).toEqual({ result: "forgotten" });
  });

  test("of what it already says is confirmed, and looked at again when that is refused", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    expect(await recordPrimaryChecksum(overtaken(world, 1), request(world))).toEqual({ result: "unchanged" });
  });

  test("of an object that is replaced or purged while it is read belongs to who saw that (F29)", async () => {
    const world = await unreadSource();
    const replaced = over(world.primary.bucket, {
      read: async (key: string, version: string) => {
        world.primaryBucket.put(KEY, "two", { checksum: "none" });
        await world.settle();
        return world.primary.bucket.read(key, version);
      },
    });
    const first = await recordPrimaryChecksum({ ...world.primary, bucket: replaced }, request(world));
    expect(first).toEqual({ result: "left_to_others" });
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });

    const purged = await unreadSource();
    const bucket = over(purged.primary.bucket, { read: () => Promise.resolve({ outcome: "gone" as const }) });
    expect(await recordPrimaryChecksum({ ...purged.primary, bucket }, request(purged))).toMatchObject({
      result: "failed",
      text: expect.stringContaining("removed while it was to be read") as string,
    });
  });

  test("of an object whose body breaks off says why", async () => {
    const world = await unreadSource();
    const broken = over(world.primary.bucket, {
      read: () => Promise.resolve({ outcome: "reading" as const, body: oddBody(), size: 3 }),
    });
    expect(await recordPrimaryChecksum({ ...world.primary, bucket: broken }, request(world))).toMatchObject({
      text: expect.stringContaining("reset") as string,
    });
  });

  test("of an object that is too large for one copy is read like any other: its replica waits for its digest", async () => {
    const world = await unreadSource();
    const huge = over(world.primary.bucket, {
      head: async (key: string) => {
        const seen = await world.primary.bucket.head(key);
        return seen.outcome === "present" ? { ...seen, facts: { ...seen.facts, size: 6e9 } } : seen;
      },
    });
    expect(await recordPrimaryChecksum({ ...world.primary, bucket: huge }, request(world))).toMatchObject({
      result: "computed",
    });
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
  });

  test("whose failure comes too late, because the object was replaced, belongs to who saw that", async () => {
    const world = await unreadSource();
    const lateBody = async function* (): AsyncGenerator<Uint8Array> {
      world.primaryBucket.put(KEY, "two", { checksum: "none" });
      await world.settle();
      yield new Uint8Array([1]);
      throw new Error("the connection broke");
    };
    const bucket = over(world.primary.bucket, {
      read: () => Promise.resolve({ outcome: "reading" as const, body: lateBody(), size: 3 }),
    });
    const result = await recordPrimaryChecksum({ ...world.primary, bucket }, request(world));
    expect(result).toEqual({ result: "left_to_others" });
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
  });

  test("of an older kind, without the columns that were added since, is read all the same", async () => {
    const world = twoSites();
    const key = rowKey(world.refOf(KEY));
    await world.verificationState.put({ ...key, state: REPLICATION_STATE.absent, verification_state: 0, rev: 1 });
    expect(await recordPrimaryChecksum(world.primary, request(world))).toEqual({ result: "forgotten" });
    expect(await world.state(KEY)).toBeUndefined();

    const version = world.primaryBucket.put(KEY, "one", { checksum: "none" });
    await world.loseMessages();
    const { versionId, etag } = version;
    const reading = { src_version_id: versionId, src_etag: etag, due_at: world.clock.now() + 1_000 };
    await world.verificationState.put({ ...key, ...reading, verification_state: 1, rev: 1 });
    expect(await recordPrimaryChecksum(world.primary, request(world))).toEqual({ result: "left_to_others" });
  });

  test("that timed out while its reader came back is looked at again", async () => {
    const world = await unreadSource();
    const key = rowKey(world.refOf(KEY));
    await recordPrimaryChecksum(world.primary, request(world));
    await world.verificationState.update({
      key,
      update: "SET verification_state = :started REMOVE due_at, verification_started_at",
      values: { ":started": 1 },
    });
    expect(await recordPrimaryChecksum(overtaken(world, 1), request(world))).toMatchObject({
      result: "failed",
      text: "Verification timed out after 0",
    });
  });
});

test("the guard that others keep moving holds the removal back for now", async () => {
  const world = twoSites();
  const siteTable = over<Table>(world.siteTable, {
    update: () => Promise.resolve({ outcome: "refused", item: undefined }),
  });
  expect(await askToRemove({ ...world.secondary, siteTable }, "cool_widget")).toEqual({
    removal: "held_back",
    detail: "the guard could not be asked",
  });
});

test("a write that is made of a row without versions matches no row", async () => {
  const world = twoSites();
  const ref = world.refOf(KEY);
  const item = { ...rowKey(ref), state: REPLICATION_STATE.synced, verification_state: 1, v_token: "v", gen: 1 };
  await world.registry.put(item);
  await world.verificationState.put({ ...rowKey(ref), verification_state: 1 });
  for (const write of move(ref, parseRegistryRow(item), parseVerificationStateRow(item))) {
    expect((await world[write.table].update(write.request)).outcome).toBe("refused");
  }
});
