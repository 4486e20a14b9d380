import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { leaseMs } from "../../shared/geo/limits.ts";
import { parseVerificationStateRow, rowKey } from "../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { markAsked } from "../../shared/tables/verification-state/mark-asked.ts";
import { recordChecksum, startChecksum } from "../../shared/tables/verification-state/record-source.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";

const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const DIGEST_OF_ONE = sha256("one");
const DIGEST_OF_TWO = sha256("two");

const REQUEST = { modelRecordId: "7/42", correlationId: "c", stopAt: Infinity };

/** A worker of the primary that has read its row and seen its object, and is then overtaken by whatever `meanwhile` does. */
const overtaken = async (world: TwoSites, meanwhile: () => Promise<void>) => {
  const { bucket } = world.primary;
  let first = true;
  const slow = {
    ...world.primary,
    bucket: {
      ...bucket,
      bucket: bucket.bucket,
      head: async (key: string) => {
        const seen = await bucket.head(key);
        if (first) {
          first = false;
          await meanwhile();
        }
        return seen;
      },
    } as typeof bucket,
  };
  const ref = world.refOf(KEY);
  return recordPrimaryChecksum(slow, { ref, modelRecordId: "42/widget.bin", correlationId: "c", stopAt: Infinity });
};

describe("a slow look at the primary's own object", () => {
  test("does not record a version that was purged since, though the row looks as it did", async () => {
    const world = twoSites();
    const kept = world.primaryBucket.put(KEY, "kept");
    await world.settle();
    const purged = world.primaryBucket.put(KEY, "purged");
    await world.loseMessages();
    await overtaken(world, async () => {
      world.primaryBucket.deleteVersion(KEY, purged.versionId);
      await world.settle();
    });
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ src_version_id: kept.versionId });
  });

  test("does not make a record of an object that was deleted since, though there is none as there was none", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "short-lived");
    await world.loseMessages();
    await overtaken(world, async () => {
      world.primaryBucket.deleteCurrent(KEY);
      await world.settle();
    });
    await world.live(3 * 60 * 60_000);
    expect(await world.state(KEY)).toBeUndefined();
  });
});

describe("a record of the same object under the type that it belonged to before (F92)", () => {
  const UPLOAD = "achievement_uploads/7/42/avatar.png";
  const BEFORE = rowKey({ replicableName: "upload", key: UPLOAD });

  /** Brings the partition's record up to date, with what the other type's record says changed by `columns`. */
  const recordedAfter = async (columns: Readonly<Record<string, string | number>> | undefined) => {
    const world = twoSites();
    const { versionId, etag } = world.primaryBucket.put(UPLOAD, "one", { checksum: "none" });
    await world.loseMessages();
    const row = {
      ...BEFORE,
      rev: 1,
      verification_state: VERIFICATION_STATE.succeeded,
      src_version_id: versionId,
      src_etag: etag,
      verification_checksum: `sha256:${"0".repeat(64)}`,
    };
    if (columns !== undefined) await world.verificationState.put({ ...row, ...columns });
    const ref = world.refOf(UPLOAD);
    return { world, result: await recordPrimaryChecksum(world.primary, { ...REQUEST, ref, otherOwner: "upload" }) };
  };

  test("is taken over, and the secondaries are told", async () => {
    const { world, result } = await recordedAfter({});
    expect(result).toEqual({ result: "adopted" });
    expect(await world.state(UPLOAD)).toMatchObject({ verification_checksum: `sha256:${"0".repeat(64)}` });
    expect(world.queues.ingest.live.bodies.join()).toContain("checksum_succeeded");
  });

  test.each<readonly [string, Readonly<Record<string, string | number>> | undefined]>([
    ["there is none", undefined],
    ["it is of another version", { src_version_id: "another" }],
    ["it has not succeeded", { verification_state: VERIFICATION_STATE.failed }],
    ["it is by another scheme", { verification_checksum: `crc64nvme:${"0".repeat(16)}` }],
    ["it is no digest of the bytes", { verification_checksum: "size:03" }],
    ["it says nothing that can be read", { verification_checksum: "one" }],
  ])("is not when %s: then the object is read", async (_, columns) => {
    const { world, result } = await recordedAfter(columns);
    expect(result).toEqual({ result: "computed", size: 3 });
    expect(await world.state(UPLOAD)).toMatchObject({ verification_state: "succeeded" });
  });

  test("is not taken over when somebody was faster, whose record then stands", async () => {
    const { world } = await recordedAfter({});
    const key = rowKey(world.refOf(UPLOAD));
    await world.verificationState.delete({ key });
    const { verificationState } = world.primary;
    let isOvertaken = false;
    const site = {
      ...world.primary,
      verificationState: {
        name: verificationState.name,
        get: verificationState.get.bind(verificationState),
        put: verificationState.put.bind(verificationState),
        delete: verificationState.delete.bind(verificationState),
        query: verificationState.query.bind(verificationState),
        update: async (request: UpdateRequest) => {
          if (!isOvertaken) {
            isOvertaken = true;
            await world.settle();
            await recordPrimaryChecksum(world.primary, { ...REQUEST, ref: world.refOf(UPLOAD) });
          }
          return verificationState.update(request);
        },
      },
    };
    const result = await recordPrimaryChecksum(site, { ...REQUEST, ref: world.refOf(UPLOAD), otherOwner: "upload" });
    expect(result).toEqual({ result: "unchanged" });
  });
});

/** A world whose primary has an object that has to be read, and that nobody has heard of yet. */
const unread = async (): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one", { checksum: "none" });
  await world.loseMessages();
  return world;
};

/**
 * Reads an object, and is frozen between its last byte and its record while `meanwhile` happens.
 * @param misreads every byte that it reads is another one than is there
 */
const frozen = async (world: TwoSites, meanwhile: () => Promise<void>, misreads = false) => {
  const { bucket } = world.primary;
  const slow = Object.assign(Object.create(bucket) as typeof bucket, {
    read: async (...asked: Parameters<typeof bucket.read>) => {
      const reading = await bucket.read(...asked);
      if (reading.outcome !== "reading") return reading;
      const body = async function* () {
        for await (const bytes of reading.body) yield misreads ? bytes.map((byte) => byte ^ 1) : bytes;
        await meanwhile();
      };
      return { ...reading, body: body() };
    },
    head: bucket.head.bind(bucket),
  });
  return recordPrimaryChecksum({ ...world.primary, bucket: slow }, { ...REQUEST, ref: world.refOf(KEY) });
};

const another = (world: TwoSites) => recordPrimaryChecksum(world.primary, { ...REQUEST, ref: world.refOf(KEY) });

const untilTheLeaseIsOver = (world: TwoSites) => {
  world.clock.advance(leaseMs(world.primary.functionTimeoutMs) + 1);
};

const announced = (world: TwoSites): number =>
  world.queues.ingest.live.bodies.filter((body) => body.includes("checksum_succeeded")).length;

describe("a reader at the primary that freezes past its lease", () => {
  test("does not replace what another one has read since, and tells nobody of what it misread", async () => {
    const world = await unread();
    const slow = await frozen(
      world,
      async () => {
        untilTheLeaseIsOver(world);
        expect(await another(world)).toMatchObject({ result: "failed" });
        expect(await another(world)).toEqual({ result: "computed", size: 3 });
      },
      true,
    );
    expect(slow).toEqual({ result: "left_to_others" });
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "succeeded",
      verification_checksum: DIGEST_OF_ONE,
    });
    expect(announced(world)).toBe(1);
  });

  test("does not settle what another one has found to be rotten since, though it was not when it read it", async () => {
    const world = await unread();
    await another(world);
    const ref = world.refOf(KEY);
    const row = await world.state(KEY);
    await world.verificationState.update(markAsked(ref, { rev: row?.rev ?? 0 }, world.clock.now()));
    const slow = await frozen(world, async () => {
      world.primaryBucket.corrupt(KEY, row?.src_version_id ?? "", new TextEncoder().encode("two"));
      untilTheLeaseIsOver(world);
      expect(await another(world)).toMatchObject({ result: "failed" });
      expect(await another(world)).toMatchObject({ result: "differs" });
    });
    expect(slow).toEqual({ result: "left_to_others" });
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "failed",
      verification_checksum: DIGEST_OF_ONE,
      verification_checksum_found: DIGEST_OF_TWO,
    });
  });

  test("records what it read where nobody has followed it, however often the object was looked at meanwhile", async () => {
    const world = await unread();
    const slow = await frozen(world, async () => {
      expect(await another(world)).toEqual({ result: "left_to_others" });
      untilTheLeaseIsOver(world);
      expect(await another(world)).toMatchObject({ result: "failed" });
    });
    expect(slow).toEqual({ result: "computed", size: 3 });
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "succeeded",
      verification_checksum: DIGEST_OF_ONE,
    });
    expect(announced(world)).toBe(1);
  });

  test("of two that began in the same millisecond the first to record is right", async () => {
    const world = await unread();
    const ref = world.refOf(KEY);
    const pin = { versionId: "v", etag: '"e"', size: 3, lastModified: 0 };
    const started = await world.verificationState.update(startChecksum(ref, undefined, pin, 5, 10, 1));
    const row = parseVerificationStateRow(started.outcome === "written" ? started.item : undefined);
    const record = (by: typeof row, digest: string) =>
      world.verificationState.update(recordChecksum(ref, by, digest, 6));
    // Nobody reads what nobody has begun to read.
    expect(await record({ ...row, verification_started_at: undefined }, "sha256:00")).toMatchObject({
      outcome: "refused",
    });
    expect(await record(row, "sha256:11")).toMatchObject({ outcome: "written" });
    expect(await record(row, "sha256:22")).toMatchObject({ outcome: "refused" });
    expect(await world.state(KEY)).toMatchObject({ verification_checksum: "sha256:11" });
  });
});
