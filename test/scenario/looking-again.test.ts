import { describe, expect, test } from "vitest";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import {
  type Verification,
  verificationStep,
  verifyReplica,
} from "../../shared/services/verification/verify-replica.ts";
import { twoSites, type TwoSites, type TwoSitesOptions } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** A mismatch that may pass, because the primary has looked again since the copy was made (F32). */

const KEY = "cool_widgets/42/widget.bin";
const MINUTE_MS = 60_000;
const WRONG = `sha256:${"00".repeat(32)}`;

const replicated = async (checksum: "crc64nvme" | "none", options: TwoSitesOptions = {}): Promise<TwoSites> => {
  const world = twoSites(options);
  world.primaryBucket.put(KEY, "sound", { checksum });
  await world.settle();
  return world;
};

const rot = async (world: TwoSites, text: string): Promise<void> => {
  const row = await world.row(KEY);
  world.replicaBucket.corrupt(KEY, row?.rep_version_id ?? "", new TextEncoder().encode(text));
};

const verify = (world: TwoSites) => verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", Infinity);

/** The primary's record is made again, later than the copy. */
const primaryVerifiesAgain = async (world: TwoSites, columns: Readonly<Record<string, string>> = {}): Promise<void> => {
  world.clock.advance(MINUTE_MS);
  const names = Object.keys(columns);
  await world.verificationState.update({
    key: rowKey(world.refOf(KEY)),
    update: `SET ${["verified_at = :now", ...names.map((name) => `${name} = :${name}`)].join(", ")}`,
    values: {
      ":now": world.clock.now(),
      ...Object.fromEntries(names.map((name) => [`:${name}`, columns[name] ?? ""])),
    },
  });
};

const claim = (world: TwoSites): Verification => ({
  at: "claim",
  ref: world.refOf(KEY),
  token: "v",
  which: "any",
  stopAt: Infinity,
});

const walkUntil = async (world: TwoSites, place: Verification["at"]): Promise<Verification> => {
  let at = claim(world);
  while (at.at !== place) {
    if (at.at === "ended") throw new Error(`ended before ${place}: ${JSON.stringify(at.result)}`);
    at = await verificationStep(world.secondary, at);
  }
  return at;
};

const step = (world: TwoSites, at: Verification): Promise<Verification> => {
  if (at.at === "ended") throw new Error("it has ended");
  return verificationStep(world.secondary, at);
};

const NO_FAILURE = { retry_count: 0, verification_retry_count: 0, checksum_mismatch: false };

describe("a mismatch", () => {
  test("F32, R16: with a digest that the primary corrects meanwhile is no failure, and the replica is not copied again", async () => {
    const world = await replicated("none");
    const right = (await world.state(KEY))?.verification_checksum ?? "";
    const before = (await world.row(KEY))?.rep_version_id;
    await primaryVerifiesAgain(world, { verification_checksum: WRONG });
    const weighing = await walkUntil(world, "weigh_mismatch");
    await primaryVerifiesAgain(world, { verification_checksum: right });
    expect(await step(world, await step(world, weighing))).toMatchObject({
      at: "ended",
      result: { result: "looking_again", text: expect.stringContaining(WRONG) as string },
    });
    const quiet = await world.row(KEY);
    expect(quiet).toMatchObject({ state: "pending", verification_state: "pending", ...NO_FAILURE });
    expect(quiet).not.toHaveProperty("last_sync_failure");
    expect(quiet).not.toHaveProperty("verification_failure");
    expect(quiet?.gen).toBeGreaterThan(quiet?.done_gen ?? 0);
    expect(quiet?.due_at).toBe(world.clock.now());
    await world.live(10 * MINUTE_MS);
    const healed = await world.row(KEY);
    expect(healed).toMatchObject({ state: "synced", verification_state: "succeeded", ...NO_FAILURE });
    expect(healed?.rep_version_id).toBe(before);
    expect(healed).not.toHaveProperty("mismatch_excused");
  });

  test("F32, R15: of a replica whose source has another version by now brings that version, and is no failure", async () => {
    const world = await replicated("crc64nvme");
    world.primaryBucket.put(KEY, "newer");
    // The primary's record is made; the secondary's event is lost.
    await recordPrimaryChecksum(world.primary, {
      ref: world.refOf(KEY),
      modelRecordId: "42",
      correlationId: "c",
      stopAt: Infinity,
    });
    await world.loseMessages();
    await rot(world, "rotte");
    expect(await verify(world)).toMatchObject({ result: "looking_again" });
    expect(await world.row(KEY)).toMatchObject({ state: "pending", ...NO_FAILURE });
    await world.live(2 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe("newer");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded", ...NO_FAILURE });
  });

  test.each([
    ["in the pass that looks again", {}],
    ["by the verification function", { fusedVerificationBytesMax: 0 }],
  ])("that stays becomes a failure, with both digests: it is found %s", async (_how, options) => {
    const world = await replicated("crc64nvme", options);
    await world.live(MINUTE_MS);
    await rot(world, "rotte");
    await primaryVerifiesAgain(world);
    expect(await verify(world)).toMatchObject({ result: "looking_again" });
    const failures: unknown[] = [];
    for (let minutes = 0; minutes < 10; minutes += 1) {
      await world.sweep();
      await world.settle();
      const row = await world.row(KEY);
      if (row?.checksum_mismatch === true) failures.push(row);
      world.clock.advance(MINUTE_MS);
    }
    expect(failures[0]).toMatchObject({
      state: "failed",
      verification_state: "failed",
      verification_retry_count: 1,
      verification_checksum: expect.stringMatching(/^crc64nvme:/) as string,
      verification_checksum_mismatched: (await world.state(KEY))?.verification_checksum,
    });
    expect(world.replicaText(KEY)).toBe("sound");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded", ...NO_FAILURE });
  });

  test("is excused once for each version, and no more often", async () => {
    const world = await replicated("crc64nvme", { fusedVerificationBytesMax: 0 });
    await rot(world, "rotte");
    await primaryVerifiesAgain(world);
    expect(await verify(world)).toMatchObject({ result: "looking_again" });
    await new Worker(world, KEY).finish();
    await primaryVerifiesAgain(world);
    expect(await verify(world)).toMatchObject({ result: "mismatched" });
    // Another version of the source has a pardon of its own.
    world.primaryBucket.put(KEY, "newer");
    await new Worker(world, KEY).finish();
    await rot(world, "rotte");
    await primaryVerifiesAgain(world);
    expect(await verify(world)).toMatchObject({ result: "looking_again" });
  });

  test("is not excused when the primary has not looked since the copy, or knows nothing of the object", async () => {
    const world = await replicated("crc64nvme");
    await rot(world, "rotte");
    expect(await verify(world)).toMatchObject({ result: "mismatched" });
    const forgotten = await replicated("crc64nvme");
    await rot(forgotten, "rotte");
    await forgotten.verificationState.delete({ key: rowKey(forgotten.refOf(KEY)) });
    expect(await verify(forgotten)).toMatchObject({ result: "mismatched" });
    const bare = await replicated("crc64nvme");
    await rot(bare, "rotte");
    await bare.verificationState.update({ key: rowKey(bare.refOf(KEY)), update: "REMOVE verified_at" });
    await bare.registry.update({ key: rowKey(bare.refOf(KEY)), update: "REMOVE last_synced_at" });
    expect(await verify(bare)).toMatchObject({ result: "mismatched" });
  });

  test("of a row that is touched before it is excused is said of nothing any more (R15)", async () => {
    const world = await replicated("crc64nvme");
    await rot(world, "rotte");
    await primaryVerifiesAgain(world);
    const about = await walkUntil(world, "look_again");
    await new Worker(world, KEY).until("observe_source");
    expect(await step(world, about)).toMatchObject({ result: { result: "superseded" } });
  });
});

describe("verifications that come at once (F31)", () => {
  test("of one replica: one claims it, and the other reads nothing", async () => {
    const world = await replicated("crc64nvme");
    const [one, other] = await Promise.all([
      verificationStep(world.secondary, { ...claim(world), token: "one" } as Extract<Verification, { at: "claim" }>),
      verificationStep(world.secondary, { ...claim(world), token: "other" } as Extract<Verification, { at: "claim" }>),
    ]);
    expect([one.at, other.at].toSorted()).toEqual(["ended", "read_replica"]);
  });

  test("of one object at the primary: one reads it (F29)", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    await world.loseMessages();
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    let other: unknown;
    const bucket = Object.assign(Object.create(world.primary.bucket) as typeof world.primary.bucket, {
      read: async (key: string, versionId: string) => {
        world.clock.advance(1);
        other = await recordPrimaryChecksum(world.primary, request);
        return world.primary.bucket.read(key, versionId);
      },
    });
    expect(await recordPrimaryChecksum({ ...world.primary, bucket }, request)).toMatchObject({ result: "computed" });
    expect(other).toEqual({ result: "left_to_others" });
  });

  test("a new replica does not wait behind those that have failed before: it is asked for by message, they by the sweep", async () => {
    const failing = Array.from({ length: 40 }, (_, n) => `cool_widgets/${n}/failing.bin`);
    const world = twoSites({ fusedVerificationBytesMax: 0 });
    for (const key of failing) {
      world.primaryBucket.put(key, "x");
      world.replicaFaults.failNext("read", "unavailable");
    }
    await world.settle();
    expect(await world.row(failing[0] ?? "")).toMatchObject({ verification_state: "failed" });
    world.primaryBucket.put(KEY, "new");
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await world.row(failing[0] ?? "")).toMatchObject({ verification_state: "failed" });
  });
});
