import { describe, expect, test } from "vitest";
import { SiteStatusesContract } from "../../shared/client/contract.ts";
import { GeoError, TableUnavailableError } from "../../shared/geo/errors.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { encodeGathered, type StoredStatus } from "../../shared/geo/gathered-status.ts";
import type { TableOperation } from "../../shared/memory/table.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { type GatheringSite, gatherStatus } from "../../shared/services/gather-status.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { parseStatus, statusKey } from "../../shared/tables/site/status-item.ts";
import { apiSite, API_URL, PRIMARY_NAME } from "./support/site.ts";

const MINUTE = 60_000;

type Api = ReturnType<typeof apiSite>;

const gatheringOf = (api: Api): GatheringSite => ({
  site: api.site,
  apiUrl: API_URL,
  replicables,
  siteTable: api.siteTable,
  switches: new CachedSwitches(api.primarySiteTable, replicables, api.clock),
  primary: api.site.role === "primary" ? undefined : { name: PRIMARY_NAME, siteTable: api.primarySiteTable },
  syncObjectStorage: true,
  syncTimeoutSeconds: 28_800,
  clock: api.clock,
  telemetry: api.telemetry,
});

const look = (api: Api, stopAt = Infinity) => gatherStatus(gatheringOf(api), stopAt);

const statusOf = async (api: Api): Promise<Readonly<Record<string, unknown>>> => {
  const response = await api.app.request("/api/v4/geo_sites/status");
  expect(response.status).toBe(200);
  const [status] = SiteStatusesContract.parse(await response.json());
  return status ?? {};
};

const storedOf = async (api: Api): Promise<StoredStatus> => {
  const stored = parseStatus(await api.siteTable.get(statusKey("frankfurt")));
  if (stored === undefined) throw new Error("expected a status to be stored");
  return stored;
};

const rows = (count: number, state: number, verification: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...rowKey({ replicableName: "lfs_object", key: `lfs_objects/1/${index}/file` }),
    state,
    verification_state: verification,
    src_size: 10,
  }));

/** Has a table refuse what it is asked, as long as it is so. */
const refusing = (table: Api["siteTable"], isRefused: (operation: TableOperation) => boolean): void => {
  table.interference = {
    before: (operation) => {
      if (isRefused(operation))
        throw new TableUnavailableError("arn:aws:dynamodb:eu-central-1:123456789012 is throttled");
    },
  };
};

const isAbout = (operation: TableOperation, partition: string): boolean => {
  switch (operation.kind) {
    case "get":
      return operation.key.pk.startsWith(partition);
    case "query":
      return JSON.stringify(operation.request.values[":pk"]).startsWith(`"${partition}`);
    case "put":
      return operation.item.pk.startsWith(partition);
    case "update":
    case "delete":
      return operation.request.key.pk.startsWith(partition);
  }
};

/** What a look asks of both tables, at a site with so many rows. */
const operationsOf = async (count: number): Promise<readonly string[]> => {
  const api = apiSite("secondary");
  await api.rows(rows(count, 2, 2));
  const asked: string[] = [];
  for (const table of [api.siteTable, api.primarySiteTable]) {
    table.interference = { before: ({ kind }) => void asked.push(`${table.name} ${kind}`) };
  }
  await look(api);
  return asked;
};

describe("a site that looks at itself (F60)", () => {
  test("counts live, and tells with its time what only the look knows", async () => {
    const api = apiSite("secondary");
    await api.rows(rows(3, 0, 0));
    const gatheredAt = api.clock.now();
    expect((await look(api)).failed).toEqual([]);
    api.clock.advance(MINUTE);
    await api.rows(rows(5, 2, 2));
    expect(await statusOf(api)).toMatchObject({
      as_of: new Date(gatheredAt).toISOString(),
      updated_at: new Date(api.clock.now()).toISOString(),
      lfs_objects_registry_count: 8,
      lfs_objects_backlog_ages: expect.any(Array) as unknown[],
      healthy: true,
    });
  });

  test("makes no difference whether there are a thousand rows or none: as many reads, and three writes", async () => {
    const none = await operationsOf(0);
    expect(await operationsOf(1_000)).toEqual(none);
    expect(none.filter((one) => /get|query/.test(one)).length).toBeLessThan(10);
    expect(none.filter((one) => one.endsWith("update")).toSorted()).toEqual([
      "primary-site update",
      "primary-site update",
      "site update",
    ]);
  });

  test("says nothing of an older look over a newer one", async () => {
    const api = apiSite("secondary");
    await look(api);
    const newest = await api.siteTable.get(statusKey("frankfurt"));
    api.clock.advance(-MINUTE);
    await look(api);
    expect(await api.siteTable.get(statusKey("frankfurt"))).toEqual(newest);
  });

  test("gives way to one of now when a clock that was a day ahead has written it, after which it was not healthy", async () => {
    const api = apiSite("secondary");
    api.clock.advance(24 * 60 * MINUTE);
    const ahead = new Date(api.clock.now()).toISOString();
    await look(api);
    api.clock.advance(-24 * 60 * MINUTE);
    expect(await statusOf(api)).toMatchObject({
      healthy: false,
      health: `The status of the site has a time that is still to come, ${ahead}.`,
    });
    await look(api);
    expect(await statusOf(api)).toMatchObject({ healthy: true, as_of: new Date(api.clock.now()).toISOString() });
    const reported = parseStatus(await api.primarySiteTable.get(statusKey("frankfurt")));
    expect(reported?.gathered.gatheredAt).toBe(api.clock.now());
  });

  test("says what of the primary's it sees: how far that is, and whether both keep the same", async () => {
    const api = apiSite("secondary");
    const primary = apiSite("primary", { siteTable: api.primarySiteTable, clock: api.clock });
    await primary.rows([{ pk: "lfs_object#0aa", verification_state: 2 }]);
    const own = gatheringOf(primary);
    await gatherStatus({ ...own, site: { ...own.site, name: PRIMARY_NAME } }, Infinity);
    await look(api);
    expect(await statusOf(api)).toMatchObject({ storage_shards_match: true });
    await gatherStatus(
      { ...own, site: { ...own.site, name: PRIMARY_NAME }, replicables: replicables.slice(2) },
      Infinity,
    );
    await look(api);
    expect(await statusOf(api)).toMatchObject({ storage_shards_match: false });
  });
});

describe("a part that can not be found out (F60)", () => {
  test("stays as it was, is named, and loses nothing else", async () => {
    const api = apiSite("secondary");
    await api.rows(rows(3, 0, 0));
    await look(api);
    const before = (await storedOf(api)).gathered;
    api.clock.advance(MINUTE);
    await api.siteTable.update(changeSettings({ capacities: { files_max_capacity: 7 } }, api.clock.now()));
    refusing(api.siteTable, (operation) => isAbout(operation, "counter"));
    expect((await look(api)).failed).toEqual(["counters"]);
    const after = (await storedOf(api)).gathered;
    expect(after.counted).toEqual(before.counted);
    expect(after.settled?.capacities.files_max_capacity).toBe(7);
    expect(after.problems).toEqual([
      { part: "counters", text: "The counters of this site can not be read (GEO_TABLE_UNAVAILABLE)." },
    ]);
    expect(api.telemetry.total(METRICS.statusPartFailed)).toBe(1);
  });

  test.each(["roll_up", "counter_audit"])(
    "as what is made of the counters, for want of %s, is said by the site itself, whose counts are of now",
    async (partition) => {
      const api = apiSite("secondary");
      await api.rows(rows(3, 0, 0));
      await look(api);
      refusing(api.siteTable, (operation) => operation.kind !== "put" && isAbout(operation, partition));
      for (let day = 0; day < 3; day += 1) {
        api.clock.advance(24 * 60 * MINUTE);
        expect((await look(api)).failed).toEqual(["counters"]);
      }
      expect(await statusOf(api)).toMatchObject({
        healthy: false,
        health: "The counters of this site can not be read (GEO_TABLE_UNAVAILABLE).",
        lfs_objects_registry_count: 3,
      });
    },
  );

  test("as the window of the last hour, which can not be written, is said, and loses nothing of the roll-up", async () => {
    const api = apiSite("secondary");
    await api.rows(rows(3, 0, 0));
    refusing(api.siteTable, ({ kind }) => kind === "put");
    expect((await look(api)).failed).toEqual(["counters"]);
    expect(await statusOf(api)).toMatchObject({
      healthy: false,
      health: "The lag of the last hour can not be kept (GEO_TABLE_UNAVAILABLE).",
      as_of: new Date(api.clock.now()).toISOString(),
      lfs_objects_backlog_ages: expect.any(Array) as unknown[],
    });
    api.siteTable.interference = undefined;
    await look(api);
    expect(await statusOf(api)).toMatchObject({ healthy: true });
  });

  test("as the settings is one of them", async () => {
    const api = apiSite("secondary");
    await api.siteTable.put({ pk: "site", sk: "self", selective_sync_type: "galaxies" });
    expect((await look(api)).failed).toEqual(["settings"]);
  });

  test("as the flags makes the site unhealthy, since its functions decide nothing then, and is not told in the table's words", async () => {
    const api = apiSite("secondary");
    refusing(api.primarySiteTable, (operation) => isAbout(operation, "site"));
    expect((await look(api)).failed).toEqual(["flags"]);
    api.primarySiteTable.interference = undefined;
    expect(await statusOf(api)).toMatchObject({
      healthy: false,
      health: "The feature flags, which are the primary's, can not be read (GEO_TABLE_UNAVAILABLE).",
    });
    await look(api);
    expect(await statusOf(api)).toMatchObject({ healthy: true });
  });

  test("for want of time is left for the next look", async () => {
    const api = apiSite("secondary");
    await look(api);
    api.clock.advance(MINUTE);
    const { failed, status } = await look(api, api.clock.now());
    expect(failed).toEqual(["counters", "settings", "flags", "primary"]);
    expect(status.reportProblem).toBe("The primary could not be told of this site's status (GEO_OUT_OF_TIME).");
    expect(await statusOf(api)).toMatchObject({ healthy: false, lfs_objects_registry_count: 0 });
  });

  test("that is a defect is no part that failed: nothing is written, and the function fails", async () => {
    const api = apiSite("secondary");
    refusing(api.siteTable, () => false);
    api.siteTable.interference = {
      before: (operation) => {
        if (isAbout(operation, "counter")) throw new RangeError("a defect");
      },
    };
    await expect(look(api)).rejects.toThrow(RangeError);
    expect(await api.siteTable.get(statusKey("frankfurt"))).toBeUndefined();
  });

  test("as the site's own table has the look fail, for the scheduler to start another", async () => {
    const api = apiSite("secondary");
    refusing(api.siteTable, (operation) => isAbout(operation, "status"));
    await expect(look(api)).rejects.toThrow(GeoError);
  });

  test("of a status that was stored before, by another version, is as good as none", async () => {
    const api = apiSite("secondary");
    await api.siteTable.put({ ...statusKey("frankfurt"), status_document: "{}", reports_failed: 3, gathered_at: 0 });
    expect(await statusOf(api)).toMatchObject({ healthy: true, as_of: null });
    await look(api);
    expect(await statusOf(api)).toMatchObject({ as_of: new Date(api.clock.now()).toISOString() });
  });
});

describe("a report to the primary (F61)", () => {
  test("that fails is counted, said with the reason, and made again with the next look", async () => {
    const api = apiSite("secondary");
    refusing(api.primarySiteTable, ({ kind }) => kind === "update");
    await look(api);
    api.clock.advance(MINUTE);
    await look(api);
    expect(await statusOf(api)).toMatchObject({
      healthy: false,
      health: "The primary could not be told of this site's status (GEO_TABLE_UNAVAILABLE).",
      status_reports_failed_count: 2,
    });
    expect(api.telemetry.total(METRICS.statusReportFailed)).toBe(2);
    expect(JSON.stringify(api.telemetry.lines)).toContain("the primary could not be told of this site's status");
    api.primarySiteTable.interference = undefined;
    api.clock.advance(MINUTE);
    await look(api);
    expect(await statusOf(api)).toMatchObject({ healthy: true, status_reports_failed_count: 2 });
    expect(await api.primarySiteTable.get(statusKey("frankfurt"))).toMatchObject({ reports_failed: 2 });
  });

  test("that is a defect fails the function", async () => {
    const api = apiSite("secondary");
    api.primarySiteTable.interference = {
      before: ({ kind }) => {
        if (kind === "update") throw new RangeError("a defect");
      },
    };
    await expect(look(api)).rejects.toThrow(RangeError);
  });
});

describe("a look that stands still (F59)", () => {
  test("makes the site unhealthy after an hour, with the time of the last one; its counts are live all the same", async () => {
    const api = apiSite("primary");
    await look(api);
    const gatheredAt = new Date(api.clock.now()).toISOString();
    api.clock.advance(61 * MINUTE);
    await api.rows([{ pk: "lfs_object#0aa", verification_state: 2 }]);
    expect(await statusOf(api)).toMatchObject({
      healthy: false,
      health: `The site has not gathered its status for 61 minutes; it last did at ${gatheredAt}.`,
      lfs_objects_count: 1,
    });
  });
});

test("a status of every type with rows in every state fits into an item, many times over", async () => {
  const api = apiSite("secondary");
  const everyState = replicables.flatMap(({ name }) =>
    [0, 1, 2, 3].flatMap((state) =>
      [0, 1, 2, 3, 4].map((verification) => ({
        ...rowKey({ replicableName: name, key: `${name}/${state}/${verification}` }),
        state,
        verification_state: verification,
        src_size: 9_007_199_254_740,
      })),
    ),
  );
  await api.rows(everyState);
  const { status } = await look(api);
  expect(Buffer.byteLength(encodeGathered(status.gathered))).toBeLessThan(64 * 1024);
});
