import { geoClient } from "../../shared/client/client.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import type { DemoWorld } from "./demo-world.ts";
import type { Progress } from "./progress.ts";
import { readCounts, sumCounts, type TypeCounts } from "./status-client.ts";
import { waitFor } from "./wait-for.ts";

/** How many rows a type had at the secondary: before the rule, under it, and after it was lifted. */
export interface ScopeCounts {
  readonly title: string;
  readonly before: number;
  readonly narrowed: number;
  readonly widened: number;
}

/** What narrowing and widening a running secondary came to. */
export interface ScopeResult {
  readonly counts: readonly ScopeCounts[];
  /** Whether under the rule exactly the files of its namespace were left, and everything was back and verified afterwards. */
  readonly obeyed: boolean;
}

/** The namespace that the secondary is narrowed to, one that lies under it, and another. */
const NAMESPACE = "7";
const FILES_OF = { 7: 12, 42: 6, 8: 6 } as const;
const METADATA = { 7: {}, 42: { "geo-namespace": `${NAMESPACE}/42` }, 8: {} } as const;
const WANTED = FILES_OF[7] + FILES_OF[42];

const putFiles = async (world: DemoWorld, firstId: number): Promise<number> => {
  let id = firstId;
  for (const namespace of [7, 42, 8] as const) {
    for (let file = 0; file < FILES_OF[namespace]; file += 1, id += 1) {
      await world.primary.bucket.put({
        key: `namespace_uploads/${namespace}/${id}/avatar.svg`,
        body: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><title>${id}</title></svg>`),
        headers: { contentType: "image/svg+xml" },
        metadata: METADATA[namespace],
        tags: {},
        storageClass: "STANDARD",
        checksum: "CRC64NVME",
      });
    }
  }
  return id - firstId;
};

const rowsOf = (list: readonly TypeCounts[], title: string): number =>
  list.find((type) => type.title === title)?.rows ?? 0;

/**
 * Narrows the running secondary to one namespace by its API, and widens it again. A walk follows each change of the rule, once
 * every function has heard of it: that takes a minute or two each time.
 */
export const tellScope = async (world: DemoWorld, progress: Progress): Promise<ScopeResult> => {
  const { secondary, replicables } = world;
  const client = geoClient({ url: secondary.apiUrl, token: secondary.adminToken });
  const counts = () => readCounts(secondary, replicables);
  const id = siteId(secondary.name);

  const follow = async (title: string, from: number, to: number): Promise<boolean> => {
    const bar = progress.bar(title, Math.abs(to - from), "objects");
    const { done } = await waitFor(
      async () => {
        const all = sumCounts(await counts());
        bar.update(Math.abs(all.verified - from), `${all.rows} registries, ${all.failed} failed`);
        return all;
      },
      ({ rows, verified, failed }) => rows === to && verified === to && failed === 0,
    );
    bar.stop();
    return done;
  };

  const held = sumCounts(await counts()).rows;
  const put = await putFiles(world, Math.floor(Date.now() / 1_000));
  const arrived = await follow("Uploads of three namespaces", held, held + put);
  const before = await counts();

  progress.say(`Narrowing ${secondary.name} to namespace ${NAMESPACE} and what lies under it`);
  await client.changeSite(id, { selective_sync_type: "namespaces", selective_sync_namespace_ids: [NAMESPACE] });
  const left = await follow("Letting everything else go", held + put, WANTED);
  const narrowed = await counts();

  progress.say("Widening it again to everything");
  await client.changeSite(id, { selective_sync_type: null });
  const back = await follow("Bringing it back", WANTED, held + put);
  const widened = await counts();

  return {
    obeyed: arrived && left && back,
    counts: before
      .filter(({ rows }) => rows > 0)
      .map(({ title, rows }) => ({
        title,
        before: rows,
        narrowed: rowsOf(narrowed, title),
        widened: rowsOf(widened, title),
      })),
  };
};
