import { describe, expect, test } from "vitest";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";

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
