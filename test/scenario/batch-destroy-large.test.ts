import { describe, expect, test } from "vitest";
import type { StoreFailure } from "../../shared/ports/object-store.ts";
import { destroyingWorld, type DestroyingWorld, uploadsOf } from "../support/destroying.ts";
import { Died, mortal, overtakenSite } from "../support/mortal-destroyer.ts";
import { purgeOnPrimary } from "../support/removals.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";

/** Objects that are too large for one copy come back from a batch destroy in parts. Here they have ten bytes, and parts four. */

const [SMALL = "", LARGE = "", LARGER = ""] = uploadsOf(7, 3);
const GROUP = { kind: "namespace", id: "7" } as const;
const BESIDE = {
  metadata: { origin: "a camera" },
  headers: { contentType: "image/png", cacheControl: "no-cache" },
  tags: { kept: "for ever" },
  storageClass: "STANDARD_IA",
};
const BODIES: Readonly<Record<string, string>> = { [SMALL]: "1", [LARGE]: "0123456789", [LARGER]: "abcdefghijkl" };
const KEYS = [SMALL, LARGE, LARGER];

/** Parts that the two large objects have. */
const PARTS = 6;

/** A world with a small object and two large ones that were destroyed, and whose undo is asked for. */
const destroyed = async (): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const world = destroyingWorld({}, SMALL_PARTS);
  for (const key of KEYS) world.primaryBucket.put(key, BODIES[key] ?? "", BESIDE);
  await world.settle();
  await world.follow();
  const { id } = await world.plan(GROUP);
  await world.confirm(id, KEYS.length);
  await world.destroy(id);
  await world.undo(id);
  return { world, id };
};

const shown = (world: DestroyingWorld) =>
  KEYS.map((key) => {
    const current = world.primaryBucket.current(key);
    return current?.kind === "object" ? Buffer.from(current.body).toString() : current?.kind;
  });

/** Parts that uploads hold which nobody has ended: what is paid for, for ever. */
const leakedParts = async ({ bucket }: DestroyingWorld): Promise<number> => {
  const listed = bucket.openUploads.map(async ({ key, uploadId }) => bucket.listParts(key, uploadId));
  return (await Promise.all(listed)).flatMap((one) => (one.outcome === "listed" ? one.parts : [])).length;
};

const ALL_BACK = { state: "undone", restored_count: 3, not_restored_count: 0, restore_failed_count: 0 } as const;
const WHOLE = KEYS.map((key) => BODIES[key]);

describe("F82: an undo brings back what is too large for one copy", () => {
  test("in parts, with everything that stands beside the bytes, and the secondaries follow", async () => {
    const { world, id } = await destroyed();
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject(ALL_BACK);
    expect(shown(world)).toEqual(WHOLE);
    expect(world.primaryBucket.current(LARGE)).toMatchObject(BESIDE);
    expect(world.bucket.openUploads).toEqual([]);
    expect(world.bucket.requests.copy).toBe(1);
    await world.follow();
    expect(world.shownBy(0)).toEqual(KEYS);
  });

  test("over several steps, each of which goes on where the one before it stopped", async () => {
    const { world, id } = await destroyed();
    let copied = 0;
    world.bucket.faults = {
      copyPart: () => {
        copied += 1;
        world.clock.advance(150_000);
        return undefined;
      },
    };
    const steps: unknown[] = [];
    let group = { from: 1, to: 1, more: true };
    while (group.more) {
      group = (await world.step({ step: "work_on_group", destroy_id: id, work: "undo", group })) as typeof group;
      steps.push(group);
      expect(steps.length).toBeLessThan(10);
    }
    await world.conclude(id, "undo");
    expect(steps.slice(0, -1)).toContainEqual({ from: 1, to: 1, more: true, wait_seconds: 1 });
    expect(copied).toBe(PARTS);
    expect(shown(world)).toEqual(WHOLE);
  });

  test("though a worker dies in any of its calls: once, with at most one part copied anew, and nothing left over", async () => {
    const { world: whole, id: first } = await destroyed();
    const counted = mortal(whole.site, 0);
    await whole.bringBack(first, counted.site);
    for (let diesAt = 1; diesAt <= counted.calls(); diesAt += 1) {
      const { world, id } = await destroyed();
      let parts = 0;
      world.bucket.faults = { copyPart: () => void (parts += 1) };
      await expect(world.bringBack(id, mortal(world.site, diesAt).site)).rejects.toThrow(Died);
      await world.bringBack(id);
      const at = `${diesAt} of ${counted.calls()}`;
      expect({ at, ...(await world.progress(id)) }).toMatchObject({ at, ...ALL_BACK });
      expect({ at, shown: shown(world) }).toEqual({ at, shown: WHOLE });
      expect({ at, versions: KEYS.map((key) => world.primaryBucket.versions(key).length) }).toEqual({
        at,
        versions: [3, 3, 3],
      });
      expect({ at, leaked: await leakedParts(world) }).toEqual({ at, leaked: 0 });
      expect({ at, anew: Math.max(0, parts - PARTS) }).toEqual({ at, anew: 0 });
    }
  });

  test("once, however two workers overlap", async () => {
    const { world: whole, id: first } = await destroyed();
    const counted = mortal(whole.site, 0);
    await whole.bringBack(first, counted.site);
    for (let overtakenAt = 1; overtakenAt <= counted.calls(); overtakenAt += 1) {
      const { world, id } = await destroyed();
      await world.bringBack(
        id,
        overtakenSite(world.site, overtakenAt, () => world.bringBack(id)),
      );
      const at = `${overtakenAt} of ${counted.calls()}`;
      expect({ at, ...(await world.progress(id)) }).toMatchObject({ at, ...ALL_BACK });
      expect({ at, versions: KEYS.map((key) => world.primaryBucket.versions(key).length) }).toEqual({
        at,
        versions: [3, 3, 3],
      });
      expect({ at, leaked: await leakedParts(world) }).toEqual({ at, leaked: 0 });
    }
  });
});

describe("F82: a large object that can not come back as it was", () => {
  test("stays as somebody has put it while its parts were copied", async () => {
    const { world, id } = await destroyed();
    world.bucket.faults = {
      completeUpload: ({ key }) => {
        if (key === LARGE && world.primaryBucket.current(key)?.kind !== "object") world.primaryBucket.put(key, "newer");
        return undefined;
      },
    };
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({ ...ALL_BACK, restored_count: 2, not_restored_count: 1 });
    expect(shown(world)).toEqual(["1", "newer", BODIES[LARGER]]);
    expect(world.bucket.openUploads).toEqual([]);
  });

  test.each(["before its upload is begun", "while its parts are copied"])(
    "is left where its version is gone %s",
    async (when) => {
      const { world, id } = await destroyed();
      const purge = (key: string): undefined => {
        if (key === LARGE) purgeOnPrimary(world, key);
      };
      world.bucket.faults = when.startsWith("before") ? { headVersion: purge } : { copyPart: ({ key }) => purge(key) };
      await world.bringBack(id);
      expect(await world.progress(id)).toMatchObject({ ...ALL_BACK, restored_count: 2, not_restored_count: 1 });
      expect(world.bucket.openUploads).toEqual([]);
    },
  );

  test.each([
    "head",
    "headVersion",
    "tags",
    "beginUpload",
    "listParts",
    "copyPart",
    "completeUpload",
    "abortUpload",
  ] as const)("waits while S3 does not answer %s, and goes on with what it had copied", async (call) => {
    const { world, id } = await destroyed();
    const failure: StoreFailure = { kind: "unavailable", detail: "503" };
    const isRead = call === "head" || call === "headVersion" || call === "tags" || call === "listParts";
    let parts = 0;
    const count = { copyPart: () => void (parts += 1) };
    // A part first, so that there is something to go on with, and somebody in the way where an upload is to be aborted.
    world.bucket.faults = { completeUpload: () => ({ outcome: "failed", failure }) };
    await expect(world.bringBack(id)).rejects.toThrow("could not be brought back yet: 503");
    if (call === "abortUpload") world.primaryBucket.put(LARGE, "newer");
    world.bucket.faults = { [call]: () => (isRead ? failure : { outcome: "failed", failure }) };
    await expect(world.bringBack(id)).rejects.toThrow(/503/);
    world.bucket.faults = count;
    await world.bringBack(id);
    // Those of the other object: none of the first one's is copied again.
    expect(parts).toBe(PARTS / 2);
    expect(shown(world)).toEqual(call === "abortUpload" ? ["1", "newer", BODIES[LARGER]] : WHOLE);
    expect(world.bucket.openUploads).toEqual([]);
  });

  test.each(["headVersion", "tags", "beginUpload", "copyPart", "completeUpload"] as const)(
    "fails where %s is refused, leaves nothing behind, and comes back by another undo",
    async (call) => {
      const { world, id } = await destroyed();
      const failure: StoreFailure = { kind: "forbidden", detail: "AccessDenied" };
      const isRead = call === "headVersion" || call === "tags";
      world.bucket.faults = { [call]: () => (isRead ? failure : { outcome: "failed", failure }) };
      await world.bringBack(id);
      expect(await world.progress(id)).toMatchObject({ ...ALL_BACK, restored_count: 1, restore_failed_count: 2 });
      expect(await leakedParts(world)).toBe(0);
      world.bucket.faults = {};
      await world.undo(id);
      await world.bringBack(id);
      expect(await world.progress(id)).toMatchObject(ALL_BACK);
      expect(shown(world)).toEqual(WHOLE);
    },
  );

  test("that S3 refuses for good keeps none behind it from coming back, over however many steps, nor leaves parts of theirs", async () => {
    const { world, id } = await destroyed();
    const uploads = new Set<string>();
    world.bucket.faults = {
      copyPart: ({ key, uploadId }) => {
        uploads.add(uploadId);
        if (key === LARGE) return { outcome: "failed", failure: { kind: "archived", detail: "InvalidObjectState" } };
        world.clock.advance(150_000);
        return undefined;
      },
    };
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({ ...ALL_BACK, restored_count: 2, restore_failed_count: 1 });
    expect(shown(world)).toEqual(["1", "delete_marker", BODIES[LARGER]]);
    expect(await leakedParts(world)).toBe(0);
    // Of the object that is refused: at its first look, and at the last.
    expect(uploads.size).toBeLessThanOrEqual(3);
  });

  test("keeps nobody's file of the same size for its own: small ones were not begun before the large ones had ended", async () => {
    const { world, id } = await destroyed();
    world.bucket.faults = {
      copyPart: () => {
        world.clock.advance(150_000);
        return undefined;
      },
    };
    world.primaryBucket.put(SMALL, "2");
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({ ...ALL_BACK, restored_count: 2, not_restored_count: 1 });
    expect(shown(world)).toEqual(["2", BODIES[LARGE], BODIES[LARGER]]);
  });

  test("is begun anew when somebody has aborted its upload, as a lifecycle rule does", async () => {
    const { world, id } = await destroyed();
    world.bucket.faults = {
      copyPart: ({ key, uploadId, number }) => {
        if (key === LARGE && number === 2 && world.clock.now() % 2 === 0) {
          world.clock.advance(1);
          void world.bucket.abortUpload(key, uploadId);
        }
        return undefined;
      },
    };
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject(ALL_BACK);
    expect(shown(world)).toEqual(WHOLE);
  });

  test("is looked at when S3 does not say whether its upload was completed", async () => {
    const { world, id } = await destroyed();
    let isFirst = true;
    world.bucket.faults = {
      completeUpload: () => {
        if (!isFirst) return undefined;
        isFirst = false;
        return { outcome: "unknown", land: (carryOut) => carryOut() };
      },
    };
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject(ALL_BACK);
    expect(KEYS.map((key) => world.primaryBucket.versions(key).length)).toEqual([3, 3, 3]);
  });

  test("fails where its parts can not become what was destroyed, and leaves none of them behind", async () => {
    const { world, id } = await destroyed();
    const complete = world.bucket.completeUpload.bind(world.bucket);
    world.bucket.completeUpload = (request) => complete({ ...request, crc64nvme: "AAAAAAAAAAA=" });
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({ ...ALL_BACK, restored_count: 1, restore_failed_count: 2 });
    expect(world.bucket.openUploads).toEqual([]);
  });
});
