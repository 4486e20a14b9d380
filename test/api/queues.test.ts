import { describe, expect, test } from "vitest";
import { GeoError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { apiSite } from "./support/site.ts";

const QUEUES = `/api/v4/geo_sites/${siteId("frankfurt")}/queues`;

type Api = ReturnType<typeof apiSite>;

const queueOf = (api: Api, name: string) => {
  const found = api.queues.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
};

const call = async (api: Api, path = QUEUES, init: RequestInit = {}) => {
  const response = await api.call(path, { ...init, headers: { "PRIVATE-TOKEN": await api.token() } });
  return { status: response.status, answer: (await response.json()) as unknown };
};

describe("the queues of a site (F61)", () => {
  test("are told with what waits, is worked on, comes later and was given up, to whoever may read", async () => {
    const api = apiSite();
    const { live, dead } = queueOf(api, "geo-events");
    await live.send([{ body: "a" }, { body: "b" }, { body: "c" }, { body: "d", delaySeconds: 60 }]);
    await live.receive(1);
    await dead.send([{ body: "e" }, { body: "f" }]);
    const { status, answer } = await call(api);
    expect(status).toBe(200);
    const nothing = { waiting: 0, in_flight: 0, delayed: 0, dead_letters: 0 };
    expect(answer).toEqual([
      { name: "ingest", queue: "geo-frankfurt-ingest", ...nothing },
      {
        name: "geo-events",
        queue: "geo-frankfurt-geo-events",
        waiting: 2,
        in_flight: 1,
        delayed: 1,
        dead_letters: 2,
      },
      { name: "verification", queue: "geo-frankfurt-verification", ...nothing },
      { name: "replica-drift", queue: "geo-frankfurt-replica-drift", ...nothing },
      { name: "backfill", queue: "geo-frankfurt-backfill", ...nothing },
    ]);
    expect((await call(api, QUEUES.replace("geo_sites", "geo_nodes"))).answer).toEqual(answer);
  });

  test("of a primary are the one whose messages ask for checksums", async () => {
    const { answer } = await call(apiSite("primary"));
    expect(answer).toMatchObject([{ name: "checksum", waiting: 0 }]);
  });

  test("that do not answer are named, and nothing is said of them", async () => {
    const api = apiSite();
    const { live } = queueOf(api, "backfill");
    live.measure = () => Promise.reject(new GeoError("GEO_QUEUE_UNAVAILABLE", "not now"));
    const { status, answer } = await call(api);
    expect(status).toBe(200);
    expect(answer).toContainEqual({
      name: "backfill",
      queue: "geo-frankfurt-backfill",
      waiting: null,
      in_flight: null,
      delayed: null,
      dead_letters: 0,
    });
    expect(api.telemetry.linesOf("a queue could not be measured")).toHaveLength(1);
  });

  test("whose measuring is broken are no missing answer", async () => {
    const api = apiSite();
    queueOf(api, "backfill").live.measure = () => Promise.reject(new Error("a mistake of ours"));
    expect((await call(api)).status).toBe(500);
  });

  test("are those of the site that answers, and are only read", async () => {
    const api = apiSite();
    expect((await call(api, "/api/v4/geo_sites/1/queues")).status).toBe(404);
    expect((await call(api, "/api/v4/geo_sites/x/queues")).status).toBe(400);
    const response = await api.call(QUEUES, {
      method: "PUT",
      headers: { "PRIVATE-TOKEN": await api.token({ scope: "admin_geo" }) },
    });
    expect(response.status).toBe(405);
  });
});
