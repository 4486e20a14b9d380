import { describe, expect, test } from "vitest";
import { DESTROY_LIMITS } from "../../shared/geo/destroy.ts";
import { textDigest } from "../../shared/geo/destroy-manifest.ts";
import { StoreUnavailableError } from "../../shared/geo/errors.ts";
import { upload } from "../../shared/replicables/upload.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { guardOf } from "../support/removals.ts";
import { destroyingWorld, type DestroyingWorld, uploadsOf as ofGroup, withBucket } from "../support/destroying.ts";

const GROUP = { kind: "namespace", id: "7" } as const;

/** A dry run that was confirmed. */
const confirmed = async (world: DestroyingWorld, count: number): Promise<string> => {
  const { id, object_count: found } = await world.plan(GROUP);
  expect(found).toBe(count);
  expect(await world.confirm(id, count)).toMatchObject({ outcome: "done" });
  return id;
};

describe("destroying a parent", () => {
  test("F81: empties the replicas on every secondary, and leaves the neighbours alone", async () => {
    const world = destroyingWorld();
    const ours = ofGroup(7, 25);
    const others = [...ofGroup(77, 5), ...ofGroup(8, 5), "cool_widgets/7/widget.bin"];
    await world.putAll([...ours, ...others]);
    expect(world.shownBy(0)).toHaveLength(36);
    const id = await confirmed(world, 25);
    await world.destroy(id);
    await world.follow();
    const left = [...others].sort();
    expect(world.primaryBucket.keys()).toEqual(left);
    expect(world.shownBy(0)).toEqual(left);
    expect(world.shownBy(1)).toEqual(left);
    expect(await world.look(id)).toMatchObject({ done: true });
    expect(await world.progress(id)).toMatchObject({
      state: "destroyed",
      destroyed_count: 25,
      events_count: 25,
      kept_count: 0,
      failed_count: 0,
      slices_count: 1,
      slices_done_count: 1,
      secondaries: { dublin: { slices_followed_count: 1 }, oslo: { slices_followed_count: 1 } },
    });
  });

  test("F80: raises one deleted event per record, after its object is gone, with record, path, uploader and destroy", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const id = await confirmed(world, 3);
    const shownWhenTold: (readonly string[])[] = [];
    const { geoEvents } = world.site;
    await world.destroy(id, {
      ...world.site,
      geoEvents: {
        name: "geo-events",
        send: (messages) => {
          shownWhenTold.push(world.primaryBucket.keys());
          return geoEvents.send(messages);
        },
      },
    });
    expect(shownWhenTold).toEqual([[]]);
    expect(world.announced).toHaveLength(3);
    expect(world.announced[0]).toMatchObject({
      event_name: "deleted",
      replicable_name: "group_upload",
      payload: {
        model_record_id: "7/1/avatar.png",
        blob_path: "namespace_uploads/7/1/avatar.png",
        uploader_class: "NamespaceFileUploader",
        correlation_id: id,
      },
    });
    expect(new Set(world.announced.map((event) => event.id)).size).toBe(3);
  });

  test("takes descendants of a namespace along, whose objects say so in their metadata", async () => {
    const world = destroyingWorld();
    await world.putAll(["pages_deployments/3/1/site.zip"], { "geo-namespace": "1/7/42" });
    await world.putAll(["pages_deployments/4/1/site.zip"], { "geo-namespace": "1/8" });
    const record = await world.plan(GROUP);
    expect(record).toMatchObject({ destroy_state: "planned", object_count: 1, left_out_count: 1 });
    expect(record.sample_keys).toEqual(["pages_deployments/3/1/site.zip"]);
  });

  test("of a project lists no more than that project's part of the bucket", async () => {
    const world = destroyingWorld();
    await world.putAll(["pages_deployments/3/1/site.zip", "pages_deployments/33/1/site.zip"]);
    const record = await world.plan({ kind: "project", id: "3" }, "pages_deployment");
    expect(record).toMatchObject({ object_count: 1, left_out_count: 0 });
    expect(world.bucket.requests).toMatchObject({ list: 1, head: 0 });
  });

  test.each([
    ["a prefix", { kind: "prefix", prefix: "namespace_uploads/7/1" } as const, 2],
    ["a list of keys", { kind: "keys", keys: ["namespace_uploads/7/2/avatar.png"] } as const, 1],
  ])("by %s destroys what it names and no more", async (_name, parent, count) => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 10));
    const { id, object_count: found } = await world.plan(parent);
    expect(found).toBe(count);
    await world.confirm(id, count);
    await world.destroy(id);
    await world.follow();
    expect(world.shownBy(0)).toHaveLength(10 - count);
  });
});

describe("a dry run", () => {
  test("destroys nothing, and shows number, bytes and samples", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 12));
    const before = world.primaryBucket.export();
    const record = await world.plan(GROUP, "group_upload");
    expect(record).toMatchObject({ destroy_state: "planned", object_count: 12, type_counts: { group_upload: 12 } });
    expect(record.byte_count).toBe(ofGroup(7, 12).reduce((sum, key) => sum + `body of ${key}`.length, 0));
    expect(record.sample_keys).toHaveLength(10);
    expect(world.primaryBucket.export()).toEqual(before);
    expect(await world.look(record.id)).toMatchObject({ done: true });
  });

  test("of one partition finds its objects, although they are of the partitioned type now", async () => {
    const world = destroyingWorld();
    await world.primarySiteTable.update(setFlag(upload.names.flags.replication, true, 0));
    await world.putAll(ofGroup(7, 2));
    expect(await world.plan(GROUP, "group_upload")).toMatchObject({ object_count: 2, type_counts: { upload: 2 } });
    expect(await world.plan(GROUP, "upload")).toMatchObject({ object_count: 2 });
  });

  test.each([
    [
      "a namespace that has nothing",
      { kind: "namespace", id: "404" } as const,
      /expected objects of group_upload of namespace 404/,
    ],
    ["a prefix of nothing", { kind: "prefix", prefix: "nowhere/" } as const, /keys that begin with "nowhere\/"/],
    [
      "keys that are not there",
      { kind: "keys", keys: ["namespace_uploads/9/9/a"] } as const,
      /of 1 keys, found none among 1/,
    ],
  ])("of %s is refused, naming what was expected", async (_name, parent, problem) => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const record = await world.plan(parent, "group_upload");
    expect(record).toMatchObject({ destroy_state: "refused", problem: expect.stringMatching(problem) });
    expect(await world.confirm(record.id, 0)).toMatchObject({ outcome: "conflict" });
  });

  test("refuses a list with a foreign key, of no type or of another one", async () => {
    const world = destroyingWorld();
    await world.putAll(["cool_widgets/1/widget.bin"]);
    for (const foreign of ["somebody/elses/file", "cool_widgets/1/widget.bin"]) {
      const record = await world.plan({ kind: "keys", keys: [foreign] }, "group_upload");
      expect(record).toMatchObject({ destroy_state: "refused", problem: expect.stringContaining("foreign") });
    }
  });

  test("refuses more objects than one destroy may have", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 2));
    const { id } = await world.plan(GROUP);
    // As if ten million had been frozen before.
    await world.primarySiteTable.update({
      key: { pk: "destroy", sk: id },
      update: "SET object_count = :most, destroy_state = :planning, slice_count = :none",
      values: { ":most": DESTROY_LIMITS.objects, ":planning": "planning", ":none": 0 },
    });
    await world.step({ step: "build_manifest", destroy_id: id });
    expect(await world.progress(id)).toMatchObject({
      state: "refused",
      problem: expect.stringMatching(/more than 1\d+/),
    });
  });

  test("may be confirmed with the number that it showed, for a day", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const { id } = await world.plan(GROUP);
    expect(await world.confirm(id, 4)).toEqual({
      outcome: "conflict",
      problem: "the dry run showed 3 objects, and 4 were confirmed",
    });
    world.clock.advance(DESTROY_LIMITS.confirmableMs);
    expect(await world.confirm(id, 3)).toMatchObject({
      outcome: "conflict",
      problem: expect.stringMatching(/a day old/),
    });
    expect(await world.confirm("aaaaaaaaaaaa", 3)).toEqual({ outcome: "unknown" });
  });

  test("waits for an answer of S3 and takes none for absence (R28)", async () => {
    const world = destroyingWorld();
    await world.putAll(["pages_deployments/3/1/site.zip"], { "geo-namespace": "7" });
    const forbidden = withBucket(world.site, {
      head: () => Promise.resolve({ outcome: "failed", failure: { kind: "forbidden", detail: "403" } }),
    });
    const { id } = await world.plan({ kind: "prefix", prefix: "nothing/" });
    await world.primarySiteTable.update({
      key: { pk: "destroy", sk: id },
      update: "SET destroy_state = :planning, destroy_parent = :parent",
      values: { ":planning": "planning", ":parent": GROUP },
    });
    const building = world.step({ step: "build_manifest", destroy_id: id }, forbidden);
    await expect(building).rejects.toThrow(StoreUnavailableError);
  });
});

describe("what has changed since the dry run", () => {
  test("an object that was overwritten stays, and is told", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const id = await confirmed(world, 3);
    world.primaryBucket.put("namespace_uploads/7/2/avatar.png", "newer");
    world.primaryBucket.put("namespace_uploads/7/9/avatar.png", "not in the manifest");
    world.primaryBucket.deleteCurrent("namespace_uploads/7/3/avatar.png");
    await world.destroy(id);
    await world.follow();
    expect(await world.progress(id)).toMatchObject({
      state: "destroyed",
      destroyed_count: 1,
      kept_count: 1,
      gone_count: 1,
      events_count: 1,
    });
    const left = ["namespace_uploads/7/2/avatar.png", "namespace_uploads/7/9/avatar.png"];
    expect(world.primaryBucket.keys()).toEqual(left);
    expect(world.shownBy(1)).toEqual(left);
  });

  test.each([
    ["a namespace", GROUP],
    ["a list", { kind: "keys", keys: ofGroup(7, 3) }],
  ] as const)(
    "an object of %s that was put again with the same bytes stays: its ETag is the same",
    async (_, parent) => {
      const world = destroyingWorld();
      await world.putAll(ofGroup(7, 3));
      const { id } = await world.plan(parent);
      const key = "namespace_uploads/7/2/avatar.png";
      const before = world.primaryBucket.current(key);
      // As whoever gives an object to another namespace does, too: its metadata can only be changed by a copy onto itself.
      const after = world.primaryBucket.put(key, `body of ${key}`, { metadata: { "geo-namespace": "1/99" } });
      expect(after.etag).toBe(before?.kind === "object" ? before.etag : undefined);
      await world.confirm(id, 3);
      await world.destroy(id);
      expect(await world.progress(id)).toMatchObject({ state: "destroyed", destroyed_count: 2, kept_count: 1 });
      expect(world.primaryBucket.keys()).toEqual([key]);
    },
  );

  test("what somebody deleted before the destroy began is his: it is not told, and no undo brings it back", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const id = await confirmed(world, 3);
    world.primaryBucket.deleteCurrent("namespace_uploads/7/3/avatar.png");
    // Whoever goes on with the slice finds three keys that hide, two of them behind the destroy's own markers.
    const dying = withBucket(world.site, {
      hide: async (entries) => {
        await world.site.bucket.hide(entries);
        throw new Error("died");
      },
    });
    await expect(world.destroy(id, dying)).rejects.toThrow("died");
    await world.destroy(id);
    expect(await world.progress(id)).toMatchObject({ destroyed_count: 2, gone_count: 1, events_count: 2 });
    await world.undo(id);
    await world.bringBack(id);
    expect(world.primaryBucket.keys()).toEqual(ofGroup(7, 2));
  });

  test("what did not go at first is counted as destroyed once, when it is confirmed again", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const id = await confirmed(world, 3);
    const refusing = withBucket(world.site, {
      hide: async (entries) => {
        const some = entries.filter(({ key }) => !key.includes("/2/"));
        const hidden = some.length === 0 ? [] : await world.site.bucket.hide(some);
        const failed = entries.filter((entry) => !some.includes(entry));
        return [...hidden, ...failed.map(({ key }) => ({ key, outcome: "failed", detail: "InternalError" }) as const)];
      },
    });
    await world.destroy(id, refusing);
    expect(await world.progress(id)).toMatchObject({ state: "incomplete", failed_count: 1 });
    await world.confirm(id, 3);
    await world.destroy(id);
    expect(await world.progress(id)).toMatchObject({ state: "destroyed", destroyed_count: 3 });
    expect(world.telemetry.total("BatchDestroyed")).toBe(3);
  });
});

/** Changes the frozen text of the first slice, with its digest unless somebody forgets that. */
const tamper = async (world: DestroyingWorld, id: string, change: (text: string) => string, digest = true) => {
  const [name = "", text = ""] =
    [...world.manifests.texts].find(([path]) => path.startsWith(`${id}/manifest/1-`)) ?? [];
  const changed = change(text);
  world.manifests.texts.set(name, changed);
  if (!digest) return;
  await world.primarySiteTable.update({
    key: { pk: `destroy_slice#${id}`, sk: "00000001" },
    update: "SET manifest_digest = :digest",
    values: { ":digest": textDigest(changed) },
  });
};

describe("F83: before any object goes", () => {
  test.each([
    [
      "a nil record id",
      (text: string) => text.replace(/"model_record_id":"[^"]*"/, '"model_record_id":null'),
      true,
      /model_record_id/,
    ],
    [
      "an empty record id",
      (text: string) => text.replace(/"model_record_id":"[^"]*"/, '"model_record_id":""'),
      true,
      /model_record_id/,
    ],
    [
      "a blank record id",
      (text: string) => text.replace(/"model_record_id":"[^"]*"/, '"model_record_id":" "'),
      true,
      /no model record id/,
    ],
    [
      "a foreign key",
      (text: string) => text.replace("uploads/7/1/", "uploads/8/1/"),
      true,
      /not an object of what is to be/,
    ],
    [
      "a key of no type",
      (text: string) => text.replace("namespace_uploads/7/1/", "elsewhere/"),
      true,
      /not an object of/,
    ],
    ["a line that is none", (text: string) => `${text}{\n`, true, /line 4 of a manifest/],
    ["a text that was changed", (text: string) => `${text}\n`, false, /was changed after it was frozen/],
  ])("%s refuses the slice: nothing is hidden and nothing is written", async (_name, change, digest, problem) => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const { id } = await world.plan({ kind: "prefix", prefix: "namespace_uploads/7/" });
    await world.confirm(id, 3);
    await tamper(world, id, change, digest);
    await expect(world.destroy(id)).rejects.toThrow(problem);
    expect(world.primaryBucket.keys()).toHaveLength(3);
    expect(world.announced).toEqual([]);
    expect(await world.progress(id)).toMatchObject({ slices_done_count: 0, destroyed_count: 0 });
  });
});

test("S3: nothing is hidden in a bucket that has stopped to keep versions; the destroy goes on when it keeps them again", async () => {
  const world = destroyingWorld();
  await world.putAll(ofGroup(7, 3));
  const id = await confirmed(world, 3);
  world.bucket.isVersioned = false;
  await expect(world.destroy(id)).rejects.toMatchObject({ code: "GEO_BUCKET_NOT_VERSIONED" });
  expect(world.bucket.requests.hide).toBe(0);
  expect(world.primaryBucket.keys()).toHaveLength(3);
  world.bucket.isVersioned = true;
  await world.destroy(id);
  expect(await world.progress(id)).toMatchObject({ state: "destroyed", destroyed_count: 3 });
});

describe("the removal guard (R29)", () => {
  const strict = { removalGuard: { floor: 1, percent: 0, most: 1 } };

  test("lets exactly the manifest through, and holds back one foreign removal more than it may", async () => {
    const world = destroyingWorld(strict);
    const foreign = ofGroup(8, 2);
    await world.putAll([...ofGroup(7, 30), ...foreign]);
    const id = await confirmed(world, 30);
    await world.destroy(id);
    for (const key of foreign) world.primaryBucket.deleteCurrent(key);
    await world.follow();
    // One of the two is what the guard lets through in an hour; the manifest counted for nothing.
    expect(world.shownBy(0)).toHaveLength(1);
    expect(world.shownBy(1)).toHaveLength(1);
    const [held = ""] = world.shownBy(0);
    expect(foreign).toContain(held);
    expect((await world.rowOf(0, held))?.last_sync_failure).toMatch(
      /more than 1 objects of group_upload would be removed/,
    );
    expect(await guardOf({ ...world, secondary: world.followers[0].site }, "group_upload")).toMatchObject({
      removals: 1,
    });
  });

  test("lets a manifest of several slices through, key by key", async () => {
    const world = destroyingWorld(strict);
    await world.putAll(ofGroup(7, 1_100));
    const id = await confirmed(world, 1_100);
    await world.destroy(id);
    await world.follow();
    expect([world.shownBy(0), world.shownBy(1)]).toEqual([[], []]);
  });

  test("hears at once of a destroy that begins just after it has asked what there is", async () => {
    const world = destroyingWorld(strict);
    await world.putAll([...ofGroup(7, 20), ...ofGroup(8, 1)]);
    const { id } = await world.plan(GROUP);
    for (const key of ofGroup(8, 1)) world.primaryBucket.deleteCurrent(key);
    await world.follow();
    await world.confirm(id, 20);
    await world.destroy(id);
    await world.follow();
    expect(world.shownBy(0)).toEqual([]);
  });

  test("goes by the version: what was put again after the destroy and deleted by somebody is no part of it", async () => {
    const world = destroyingWorld(strict);
    await world.putAll(ofGroup(7, 3));
    const id = await confirmed(world, 3);
    await world.destroy(id);
    await world.follow();
    await world.putAll(ofGroup(7, 3));
    expect(world.shownBy(0)).toHaveLength(3);
    for (const key of ofGroup(7, 3)) world.primaryBucket.deleteCurrent(key);
    await world.follow();
    expect(world.shownBy(0)).toHaveLength(2);
  });

  test("lets nothing through before the destroy is confirmed, after it is undone, and after its time", async () => {
    const world = destroyingWorld(strict);
    await world.putAll(ofGroup(7, 9));
    const { id } = await world.plan(GROUP);
    const named = () => world.followers[0].site.destroyed?.names({ replicableName: "group_upload", key }, versionId);
    const [key = ""] = ofGroup(7, 1);
    const versionId = world.primaryBucket.current(key)?.versionId ?? "";
    expect(await named()).toBe(false);
    await world.confirm(id, 9);
    await world.destroy(id);
    world.clock.advance(10_000);
    expect(await named()).toBe(true);
    world.clock.advance(DESTROY_LIMITS.releasedMs);
    expect(await named()).toBe(false);
    await world.undo(id);
    world.clock.advance(-DESTROY_LIMITS.releasedMs + 60_000);
    expect(await named()).toBe(false);
  });

  test("asks for a slice once, however many of its keys are removed", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 50));
    const id = await confirmed(world, 50);
    await world.destroy(id);
    let queries = 0;
    const query = world.primarySiteTable.query.bind(world.primarySiteTable);
    world.primarySiteTable.query = (request) => {
      queries += 1;
      return query(request);
    };
    await world.follow();
    expect(world.shownBy(0)).toEqual([]);
    expect(queries).toBe(4); // each of two secondaries: what is released, and the slice
  });
});

describe("undoing a destroy", () => {
  test("brings back what it has hidden, with its metadata, on every site", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 5), { color: "red" });
    const id = await confirmed(world, 5);
    await world.destroy(id);
    await world.follow();
    expect(world.shownBy(0)).toEqual([]);
    expect(await world.undo(id)).toMatchObject({ outcome: "done" });
    await world.bringBack(id);
    await world.follow();
    expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 5, not_restored_count: 0 });
    for (const index of [0, 1] as const) expect(world.shownBy(index)).toEqual([...ofGroup(7, 5)].sort());
    expect(world.primaryBucket.current("namespace_uploads/7/1/avatar.png")).toMatchObject({
      metadata: { color: "red" },
    });
  });

  test("destroys no version and no marker: it copies what is hidden", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const id = await confirmed(world, 1);
    await world.destroy(id);
    await world.undo(id);
    await world.bringBack(id);
    const [key = ""] = ofGroup(7, 1);
    expect(world.primaryBucket.versions(key).map(({ kind }) => kind)).toEqual(["object", "delete_marker", "object"]);
  });

  test("leaves what is newer alone: put again, deleted again, or its version gone", async () => {
    const world = destroyingWorld();
    const [again = "", deleted = "", purged = "", kept = ""] = ofGroup(7, 4);
    await world.putAll([again, deleted, purged, kept]);
    const id = await confirmed(world, 4);
    await world.destroy(id);
    world.primaryBucket.put(again, "newer");
    world.primaryBucket.put(deleted, "newer");
    world.primaryBucket.deleteCurrent(deleted);
    const [version] = world.primaryBucket.versions(purged);
    world.primaryBucket.deleteVersion(purged, version?.versionId ?? "");
    await world.undo(id);
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({
      restored_count: 1,
      not_restored_count: 3,
      restore_failed_count: 0,
    });
    expect(world.primaryBucket.keys()).toEqual([again, kept]);
    expect(world.primaryBucket.current(again)).toMatchObject({ etag: world.primaryBucket.put("x", "newer").etag });
  });

  test("may be asked for again, for what S3 did not bring back", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 3));
    const id = await confirmed(world, 3);
    await world.destroy(id);
    await world.undo(id);
    const refusing = withBucket(world.site, {
      bringBack: () => Promise.resolve({ outcome: "failed", failure: { kind: "throttled", detail: "503" } }),
    });
    await world.bringBack(id, refusing);
    expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 0, restore_failed_count: 3 });
    expect(await world.undo(id)).toMatchObject({ outcome: "done" });
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({ restored_count: 3, restore_failed_count: 0 });
  });

  test("is refused while it still hides, and when it never did", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const { id } = await world.plan(GROUP);
    expect(await world.undo(id)).toMatchObject({ outcome: "conflict" });
    await world.confirm(id, 1);
    expect(await world.undo(id)).toMatchObject({ outcome: "conflict", problem: expect.stringMatching(/destroying/) });
    expect(await world.undo("aaaaaaaaaaaa")).toEqual({ outcome: "unknown" });
  });
});

describe("two at once", () => {
  test("the second destroy of a parent is refused, naming the first; another parent is not", async () => {
    const world = destroyingWorld();
    await world.putAll([...ofGroup(7, 2), ...ofGroup(8, 2)]);
    const one = await world.plan(GROUP);
    const two = await world.plan(GROUP);
    const other = await world.plan({ kind: "namespace", id: "8" });
    await world.confirm(one.id, 2);
    expect(await world.confirm(two.id, 2)).toEqual({
      outcome: "conflict",
      problem: `the destroy ${one.id} of the same parent is under way; wait for it, or cancel it`,
    });
    expect(await world.confirm(other.id, 2)).toMatchObject({ outcome: "done" });
    await world.destroy(one.id);
    expect(await world.confirm(two.id, 2)).toMatchObject({ outcome: "done" });
    await world.destroy(two.id);
    expect(await world.progress(two.id)).toMatchObject({ state: "destroyed", destroyed_count: 0, gone_count: 2 });
  });

  test("a destroy that is confirmed twice is one, and one whose machine has died is started again", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 2));
    const { id } = await world.plan(GROUP);
    await world.confirm(id, 2);
    await world.confirm(id, 2);
    const names = () => world.workflow.executions.map(({ name }) => name);
    expect(names()).toEqual([`${id}-plan-1`, `${id}-destroy-1`]);
    world.workflow.end(`${id}-destroy-1`, { status: "failed", failure: "DestroyFailed" });
    await world.confirm(id, 2);
    expect(names()).toEqual([`${id}-plan-1`, `${id}-destroy-1`, `${id}-destroy-2`]);
  });
});

describe("cancelling a destroy", () => {
  test("ends it behind the slice that is being hidden, and what is hidden can be undone", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1_001));
    const id = await confirmed(world, 1_001);
    const { groups } = (await world.step({ step: "hand_out_slices", destroy_id: id, work: "destroy" })) as {
      readonly groups: readonly unknown[];
    };
    await world.step({ step: "work_on_group", destroy_id: id, work: "destroy", group: groups[0] });
    expect(await world.cancel(id)).toMatchObject({ outcome: "done" });
    await world.step({ step: "work_on_group", destroy_id: id, work: "destroy", group: groups[1] });
    await world.conclude(id, "destroy");
    expect(await world.progress(id)).toMatchObject({
      state: "cancelled",
      destroyed_count: 1_000,
      slices_done_count: 1,
    });
    expect(world.primaryBucket.keys()).toHaveLength(1);
    expect(await world.cancel(id)).toMatchObject({ outcome: "conflict" });
    expect(await world.cancel("aaaaaaaaaaaa")).toEqual({ outcome: "unknown" });
    await world.undo(id);
    await world.bringBack(id);
    expect(world.primaryBucket.keys()).toHaveLength(1_001);
  });

  test("frees its parent, also while it is only planned", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const one = await world.plan(GROUP);
    const two = await world.plan(GROUP);
    await world.confirm(one.id, 1);
    await world.cancel(one.id);
    expect(await world.confirm(two.id, 1)).toMatchObject({ outcome: "done" });
    const three = await world.plan(GROUP);
    await world.cancel(three.id);
    expect(await world.confirm(three.id, 1)).toMatchObject({
      outcome: "conflict",
      problem: expect.stringMatching(/cancelled/),
    });
  });
});

describe("secondaries that follow", () => {
  test("are watched until the last of them holds nothing any more, at growing waits", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1_002));
    const id = await confirmed(world, 1_002);
    await world.destroy(id);
    const [dublin, oslo] = world.followers;
    expect(await world.look(id, 0)).toMatchObject({ done: false, looks: 1, wait_seconds: 2 });
    await world.follow([dublin]);
    expect(await world.look(id, 8)).toMatchObject({ done: false, looks: 9, wait_seconds: 17 });
    expect(await world.progress(id)).toMatchObject({
      secondaries: { dublin: { slices_followed_count: 2 }, oslo: { slices_followed_count: 0 } },
    });
    await world.follow([oslo]);
    expect(await world.look(id, 40)).toMatchObject({ done: true, wait_seconds: 300 });
    expect(await world.look(id, 41)).toMatchObject({ done: true });
  });

  test("are not waited for without end: the destroy is left to itself, and stays released", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const id = await confirmed(world, 1);
    await world.destroy(id);
    expect(await world.look(id, 149)).toMatchObject({ done: true, looks: 150 });
    expect(await world.progress(id)).toMatchObject({
      state: "destroyed",
      problem: expect.stringMatching(/^not every secondary had followed .*; confirm it again to look/),
    });
    await world.follow();
    expect(world.shownBy(0)).toEqual([]);
    // Confirmed again it is looked at, and hides nothing anew.
    expect(await world.confirm(id, 1)).toMatchObject({ outcome: "done" });
    await world.destroy(id);
    expect(await world.look(id)).toMatchObject({ done: true });
    expect(await world.progress(id)).toMatchObject({
      state: "destroyed",
      problem: null,
      events_count: 1,
      secondaries: { dublin: { slices_followed_count: 1 }, oslo: { slices_followed_count: 1 } },
    });
    expect(await world.confirm(id, 1)).toMatchObject({ outcome: "conflict" });
  });

  test("that hold something newer by now have followed", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const id = await confirmed(world, 1);
    await world.destroy(id);
    world.clock.advance(5_000);
    await world.putAll(ofGroup(7, 1));
    expect(await world.look(id)).toMatchObject({ done: true });
  });

  test("are not asked about what an undo brings back", async () => {
    const world = destroyingWorld();
    await world.putAll(ofGroup(7, 1));
    const id = await confirmed(world, 1);
    await world.destroy(id);
    await world.undo(id);
    expect(await world.look(id)).toMatchObject({ done: true });
  });
});
