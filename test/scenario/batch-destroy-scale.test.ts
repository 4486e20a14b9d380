import process from "node:process";
import { expect, test } from "vitest";
import { destroyingWorld } from "../support/destroying.ts";

/** How many objects one destroy has here; `S3_GEO_DESTROY_OBJECTS` says another number, up to a million. */
const OBJECTS = Number(process.env["S3_GEO_DESTROY_OBJECTS"] ?? 20_000);

const MIB = 1024 * 1024;

const held = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

test(
  `F82: ${OBJECTS} objects are destroyed in slices of a thousand, for a few requests each`,
  { timeout: 60_000 + OBJECTS * 2 },
  async () => {
    const world = destroyingWorld();
    for (let number = 1; number <= OBJECTS; number += 1) {
      world.primaryBucket.put(`namespace_uploads/7/${number}/avatar.png`, "");
    }
    const slices = Math.ceil(OBJECTS / 1_000);
    const before = held();
    const {
      id,
      object_count: found,
      slice_count: frozen,
    } = await world.plan({ kind: "namespace", id: "7" }, "group_upload");
    expect([found, frozen]).toEqual([OBJECTS, slices]);
    const { requests } = world.bucket;
    expect(requests).toEqual({ list: slices, head: 0, hide: 0, copy: 0 });
    await world.confirm(id, OBJECTS);
    let most = 0;
    await world.destroy(id, {
      ...world.site,
      geoEvents: {
        name: "geo-events",
        send: (messages) => {
          most = Math.max(most, messages.length);
          return Promise.resolve({ outcome: "sent" });
        },
      },
    });
    // Each slice is listed once more before it is hidden: S3's own condition does not go by versions.
    expect(requests).toEqual({ list: 2 * slices, head: 0, hide: slices, copy: 0 });
    expect(most).toBe(10);
    expect(await world.progress(id)).toMatchObject({
      state: "destroyed",
      destroyed_count: OBJECTS,
      events_count: OBJECTS,
      slices_done_count: slices,
    });
    const texts = [...world.manifests.texts.values()].reduce((sum, text) => sum + text.length, 0);
    console.log(
      JSON.stringify({
        objects: OBJECTS,
        requests,
        messages: slices * 10,
        manifest_mib: Math.round(texts / MIB),
        // The bucket in memory, with its markers, and all that was frozen is in here as well.
        heap_grew_mib: Math.round((held() - before) / MIB),
      }),
    );
  },
);
