import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { type ReadLimits, READ_LIMITS } from "../../shared/geo/limits.ts";
import { CHECKSUM_POLICIES, type ChecksumPolicy } from "../../shared/geo/replicable.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { PutOptions } from "../../shared/memory/bucket.ts";
import { coolWidget } from "../../shared/replicables/cool-widget.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { twoSites, type TwoSites, type TwoSitesOptions } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** Every kind of checksum, from the copy to the repair; and what those that read nothing can not see. */

const KEY = "cool_widgets/42/widget.bin";
const CONTENT = "the content of a widget, forty bytes ...";
const FLIPPED = "the content of a widget, forty bytes ..!";
const MINUTE_MS = 60_000;

/** Pieces of eight bytes, so that forty are a tree. */
const SMALL_PIECES: ReadLimits = { ...READ_LIMITS, treeChunkBytes: 8 };

const worldOf = (checksumPolicy: ChecksumPolicy, more: TwoSitesOptions = {}): TwoSites =>
  twoSites({ replicables: [{ ...coolWidget, checksumPolicy }], readLimits: SMALL_PIECES, ...more });

const replicated = async (
  policy: ChecksumPolicy,
  checksum: NonNullable<PutOptions["checksum"]> = "crc64nvme",
  more: TwoSitesOptions = {},
): Promise<TwoSites> => {
  const world = worldOf(policy, more);
  world.primaryBucket.put(KEY, CONTENT, { checksum });
  await world.settle();
  return world;
};

const rot = async (world: TwoSites, text: string): Promise<void> => {
  const row = await world.row(KEY);
  world.replicaBucket.corrupt(KEY, row?.rep_version_id ?? "", new TextEncoder().encode(text));
};

/** The primary says again that it has a digest: even a verified replica is looked at again (F28). */
const verifyAgain = (world: TwoSites, secondary = world.secondary) =>
  verifyReplica(secondary, world.refOf(KEY), "checksum_succeeded", Infinity);

const sha256 = (bytes: string | Buffer): Buffer => createHash("sha256").update(bytes).digest();

const TREE = sha256(
  Buffer.concat(
    Array.from({ length: CONTENT.length / 8 }, (_, piece) => sha256(CONTENT.slice(piece * 8, piece * 8 + 8))),
  ),
).toString("hex");

const starting = (text: string): string => expect.stringMatching(new RegExp(`^${text}`)) as string;

/** Which kind, what S3 stores with the source, and how the value begins that is recorded. */
const KINDS_THAT_READ: readonly (readonly [ChecksumPolicy, "crc64nvme" | "sha256" | "none", string])[] = [
  ["stored_or_sha256", "crc64nvme", "crc64nvme:"],
  ["stored_or_sha256", "sha256", `sha256:${sha256(CONTENT).toString("hex")}`],
  ["stored_or_sha256", "none", `sha256:${sha256(CONTENT).toString("hex")}`],
  ["sha256", "crc64nvme", `sha256:${sha256(CONTENT).toString("hex")}`],
  ["sha256-tree-64m", "crc64nvme", `sha256-tree-64m:${TREE}`],
  ["crc64nvme", "crc64nvme", "crc64nvme:"],
  ["crc64nvme", "sha256", "crc64nvme:"],
  ["crc64nvme", "none", "crc64nvme:"],
  ["attested", "none", `sha256:${sha256(CONTENT).toString("hex")}`],
];

describe.each(KINDS_THAT_READ)(
  "of a type that declares %s, where S3 stores %s, a replica (F23, F24, F25, F26)",
  (policy, stored, value) => {
    test("is copied and verified, and both records say by which value", async () => {
      const world = await replicated(policy, stored);
      expect(await world.state(KEY)).toMatchObject({
        verification_state: "succeeded",
        verification_checksum: starting(value),
      });
      expect(await world.row(KEY)).toMatchObject({
        state: "synced",
        verification_state: "succeeded",
        verification_checksum: (await world.state(KEY))?.verification_checksum,
      });
    });

    test("in which one byte is flipped is found, recorded with both digests, and copied again", async () => {
      const world = await replicated(policy, stored);
      const sound = (await world.state(KEY))?.verification_checksum;
      await rot(world, FLIPPED);
      expect(await verifyAgain(world)).toMatchObject({ result: "mismatched" });
      const found = await world.row(KEY);
      expect(found).toMatchObject({
        state: "failed",
        verification_state: "failed",
        checksum_mismatch: true,
        verification_checksum_mismatched: sound,
        verification_checksum: starting(value.slice(0, value.indexOf(":") + 1)),
        last_sync_failure: starting("Verification failed with: Checksum does not match the primary checksum"),
      });
      expect(found?.verification_checksum).not.toBe(sound);
      await world.live(5 * MINUTE_MS);
      expect(world.replicaText(KEY)).toBe(CONTENT);
      expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded", checksum_mismatch: false });
    });

    test("that lacks its end is found by its digest, and the text tells both sizes", async () => {
      const world = await replicated(policy, stored);
      await rot(world, CONTENT.slice(0, -1));
      expect(await verifyAgain(world)).toMatchObject({ result: "mismatched" });
      const text = (await world.row(KEY))?.verification_failure;
      expect(text).toContain("(40 bytes)");
      await world.live(5 * MINUTE_MS);
      expect(world.replicaText(KEY)).toBe(CONTENT);
    });
  },
);

describe.each<[ChecksumPolicy, string]>([
  ["size", "size:40"],
  ["attested", "attested-crc64nvme:"],
])("of a type that declares %s, a replica", (policy, value) => {
  test.each([[READ_LIMITS.parallelFromBytes], [0]])(
    "is verified without reading a byte, and its record says so (read back up to %d bytes)",
    async (fusedVerificationBytesMax) => {
      const world = worldOf(policy, { fusedVerificationBytesMax });
      const reads = [vi.spyOn(world.primaryFaults, "read"), vi.spyOn(world.replicaFaults, "read")];
      world.primaryBucket.put(KEY, CONTENT);
      await world.settle();
      expect(await world.row(KEY)).toMatchObject({
        verification_state: "succeeded",
        verification_checksum: starting(value),
      });
      expect(await world.state(KEY)).toMatchObject({ verification_checksum: starting(value) });
      expect(await verifyAgain(world)).toEqual({ result: "verified" });
      for (const read of reads) expect(read).not.toHaveBeenCalled();
    },
  );

  test("in which one byte is flipped passes: that is what it costs to read nothing", async () => {
    const world = await replicated(policy);
    await rot(world, FLIPPED);
    expect(await verifyAgain(world)).toEqual({ result: "verified" });
    await world.live(60 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe(FLIPPED);
    // Nobody is told that the bytes were read.
    expect((await world.row(KEY))?.verification_checksum).toMatch(new RegExp(`^${value}`));
  });

  test("that lacks its end is found by its size, and copied again", async () => {
    const world = await replicated(policy);
    await rot(world, CONTENT.slice(0, 9));
    expect(await verifyAgain(world)).toMatchObject({
      result: "mismatched",
      text: expect.stringContaining("(9 bytes)") as string,
    });
    expect(await world.row(KEY)).toMatchObject({
      checksum_mismatch: true,
      verification_checksum_mismatched: starting(value),
    });
    await world.live(5 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe(CONTENT);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
  });

  test("that arrives without its end is never called verified", async () => {
    const world = worldOf(policy);
    world.primaryBucket.put(KEY, CONTENT);
    const worker = await new Worker(world, KEY).until("read_back");
    const { versionId = "" } = world.replicaBucket.current(KEY) ?? {};
    world.replicaBucket.corrupt(KEY, versionId, new TextEncoder().encode("short"));
    expect(await worker.finish()).toMatchObject({ result: "failed", kind: "checksum_mismatch" });
    await world.live(5 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe(CONTENT);
  });

  test("that was destroyed is found, and copied again", async () => {
    const world = await replicated(policy, "crc64nvme", { replicaDrift: false });
    world.replicaBucket.deleteVersion(KEY, (await world.row(KEY))?.rep_version_id ?? "");
    expect(await verifyAgain(world)).toMatchObject({ result: "mismatched" });
    await world.live(5 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe(CONTENT);
  });

  test("that vanishes before it is looked at, in the pass that copied it, is copied again", async () => {
    const world = worldOf(policy, { replicaDrift: false });
    world.primaryBucket.put(KEY, CONTENT);
    const worker = await new Worker(world, KEY).until("read_back");
    world.replicaBucket.deleteVersion(KEY, world.replicaBucket.current(KEY)?.versionId ?? "");
    expect(await worker.finish()).toMatchObject({ result: "synced", verification: "verified" });
    expect(world.replicaText(KEY)).toBe(CONTENT);
  });

  test("that S3 does not answer for is not verified, and asked about again", async () => {
    const world = worldOf(policy);
    world.primaryBucket.put(KEY, CONTENT);
    world.replicaFaults.failNext("headVersion", "unavailable");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "synced", verification: "to_verify" });
    world.replicaFaults.failNext("headVersion", "forbidden", "AccessDenied");
    expect(await verifyAgain(world)).toMatchObject({
      result: "failed",
      text: "Error during verification: AccessDenied",
    });
    await world.live(10 * MINUTE_MS);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
  });
});

/** A copy as a store would have it that keeps checksums of its own choice. */
const copiedWith = async (checksum: NonNullable<PutOptions["checksum"]>): Promise<TwoSites> => {
  const world = worldOf("attested", { replicaDrift: false });
  world.primaryBucket.put(KEY, CONTENT);
  const worker = await new Worker(world, KEY).until("read_back");
  const version = world.replicaBucket.current(KEY);
  if (version?.kind !== "object" || worker.attempt.at !== "read_back") throw new Error("there is no copy");
  const other = world.replicaBucket.put("elsewhere", CONTENT, { checksum });
  const { checksum: kept, ...rest } = version;
  const replaced = other.checksum === undefined ? rest : { ...rest, checksum: other.checksum };
  const state = world.replicaBucket.export();
  world.replicaBucket.import({
    ...state,
    objects: state.objects.map(([key, versions]) => (key === KEY ? [key, [replaced]] : [key, versions])),
  });
  expect(kept?.algorithm).toBe("CRC64NVME");
  expect(await worker.finish()).toMatchObject({ result: "synced", verification: "to_verify" });
  return world;
};

describe("what S3 says of a replica of a type that declares attested", () => {
  test.each(["sha256", "none"] as const)(
    "in another scheme (%s) proves nothing: the bytes are read",
    async (checksum) => {
      const world = await copiedWith(checksum);
      await world.settle();
      expect(await world.row(KEY)).toMatchObject({
        verification_state: "succeeded",
        verification_checksum: starting("crc64nvme:"),
      });
      await rot(world, FLIPPED);
      expect(await verifyAgain(world)).toMatchObject({ result: "mismatched" });
    },
  );
});

describe.each(CHECKSUM_POLICIES)("of a type that declares %s, what people do to a replica", (policy) => {
  test("is noticed by its version and undone, whatever its bytes are compared by", async () => {
    const world = await replicated(policy);
    world.replicaBucket.put(KEY, FLIPPED);
    await world.live(3 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe(CONTENT);
    world.replicaBucket.deleteCurrent(KEY);
    await world.live(3 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe(CONTENT);
    const foreign = "cool_widgets/43/nobody-knows-it.bin";
    world.replicaBucket.put(foreign, CONTENT);
    await world.live(3 * MINUTE_MS);
    expect(world.replicaText(foreign)).toBeUndefined();
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });
});

const policies = (checksumPolicy: ChecksumPolicy) =>
  checksumRules([{ name: coolWidget.name, checksumPolicy }], SMALL_PIECES);

describe("a type whose kind of checksum is changed (F23)", () => {
  const changes = CHECKSUM_POLICIES.flatMap((from) => CHECKSUM_POLICIES.map((to) => [from, to] as const));

  test.each(changes)("from %s to %s is verified by either, and never by a mismatch of the two", async (from, to) => {
    const world = await replicated(from);
    const before = (await world.row(KEY))?.verification_checksum;
    const secondary = { ...world.secondary, checksums: policies(to) };
    // The primary has not read again: its value counts, by its own scheme.
    expect(await verifyAgain(world, secondary)).toEqual({ result: "verified" });
    expect((await world.row(KEY))?.verification_checksum).toBe(before);
    // Now it has.
    await world.verificationState.update({
      key: rowKey(world.refOf(KEY)),
      update: "SET verification_state = :pending, rev = rev + :one",
      values: { ":pending": VERIFICATION_STATE.pending, ":one": 1 },
    });
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity };
    await recordPrimaryChecksum({ ...world.primary, checksums: policies(to) }, request);
    expect(await verifyAgain(world, secondary)).toEqual({ result: "verified" });
    const fresh = await replicated(to);
    expect((await world.row(KEY))?.verification_checksum).toBe((await fresh.row(KEY))?.verification_checksum);
    expect(await world.row(KEY)).toMatchObject({ checksum_mismatch: false, verification_retry_count: 0 });
  });
});

/** How often S3 is asked for one new object, by what. */
const requestsFor = async (policy: ChecksumPolicy, checksum: "crc64nvme" | "none") => {
  const world = worldOf(policy);
  const spies = {
    heads: vi.spyOn(world.primaryFaults, "head"),
    copies: vi.spyOn(world.replicaFaults, "copy"),
    readAtPrimary: vi.spyOn(world.primaryFaults, "read"),
    readAtSecondary: vi.spyOn(world.replicaFaults, "read"),
    headsOfReplica: vi.spyOn(world.replicaFaults, "headVersion"),
  };
  const others = [vi.spyOn(world.replicaFaults, "head"), vi.spyOn(world.primaryFaults, "tags")];
  world.primaryBucket.put(KEY, CONTENT, { checksum });
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
  for (const other of others) expect(other).not.toHaveBeenCalled();
  return Object.fromEntries(Object.entries(spies).map(([name, spy]) => [name, spy.mock.calls.length]));
};

describe("what one new object asks of S3 (F22)", () => {
  const REQUESTS = {
    stored_or_sha256: { heads: 2, copies: 1, readAtPrimary: 0, readAtSecondary: 1, headsOfReplica: 0 },
    sha256: { heads: 2, copies: 1, readAtPrimary: 1, readAtSecondary: 1, headsOfReplica: 0 },
    "sha256-tree-64m": { heads: 2, copies: 1, readAtPrimary: 1, readAtSecondary: 1, headsOfReplica: 0 },
    crc64nvme: { heads: 2, copies: 1, readAtPrimary: 0, readAtSecondary: 1, headsOfReplica: 0 },
    size: { heads: 2, copies: 1, readAtPrimary: 0, readAtSecondary: 0, headsOfReplica: 1 },
    attested: { heads: 2, copies: 1, readAtPrimary: 0, readAtSecondary: 0, headsOfReplica: 1 },
  } as const satisfies Record<ChecksumPolicy, object>;

  test.each(CHECKSUM_POLICIES)("by %s, where S3 stores a CRC64NVME", async (policy) => {
    expect(await requestsFor(policy, "crc64nvme")).toEqual(REQUESTS[policy]);
  });

  test.each(CHECKSUM_POLICIES)("by %s, where S3 stores nothing", async (policy) => {
    const read = { readAtPrimary: 1, readAtSecondary: 1, headsOfReplica: 0 };
    expect(await requestsFor(policy, "none")).toEqual({ ...REQUESTS[policy], ...(policy === "size" ? {} : read) });
  });
});
