import { describe, expect, test } from "vitest";
import { GeoError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { park } from "../../shared/services/park.ts";
import { apiSite } from "./support/site.ts";

const DEAD_LETTERS = `/api/v4/geo_sites/${siteId("frankfurt")}/dead_letters`;

type Api = ReturnType<typeof apiSite>;

const queueOf = (api: Api, name: string) => {
  const found = api.queues.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
};

const call = async (api: Api, path: string, init: RequestInit = {}, scope: "read_geo" | "admin_geo" = "admin_geo") => {
  const response = await api.call(path, {
    ...init,
    headers: { "PRIVATE-TOKEN": await api.token({ scope, name: "alice" }) },
  });
  return { status: response.status, answer: (await response.json()) as unknown };
};

const redrive = (api: Api, name = "geo-events", body?: string) =>
  call(api, `${DEAD_LETTERS}/${name}/redrive`, { method: "POST", ...(body === undefined ? {} : { body }) });

/** Messages that were received too often. */
const giveUp = (api: Api, name: string, messages: number): Promise<unknown> =>
  queueOf(api, name).dead.send(
    Array.from({ length: messages }, (_, index) => ({ body: `{"message":${String(index)}}`, group: "cool_widget" })),
  );

describe("the dead letters of a site", () => {
  test("are counted for each of its queues, with why they are there", async () => {
    const api = apiSite();
    await giveUp(api, "geo-events", 3);
    await park(queueOf(api, "geo-events").dead, { id: "m1", body: "no JSON" }, "not JSON", api.clock.now());
    const { status, answer } = await call(api, DEAD_LETTERS, {}, "read_geo");
    expect(status).toBe(200);
    const others = ["ingest", "verification", "replica-drift", "backfill"];
    expect(answer).toEqual(
      expect.arrayContaining([
        {
          name: "geo-events",
          dead_letter_queue: "geo-frankfurt-geo-events-dead-letters",
          messages_count: 4,
          reasons: [
            { reason: "received too often without success", count: 3, parked: false },
            { reason: "not JSON", count: 1, parked: true },
          ],
        },
        ...others.map((name) => expect.objectContaining({ name, messages_count: 0, reasons: [] }) as unknown),
      ]),
    );
    expect(queueOf(api, "geo-events").dead.size).toBe(4);
  });

  test("of a primary are those of its checksum queue", async () => {
    const { answer } = await call(apiSite("primary"), DEAD_LETTERS);
    expect(answer).toMatchObject([{ name: "checksum", messages_count: 0 }]);
  });

  test("of a queue that does not answer are not known, and the others are told", async () => {
    const api = apiSite();
    queueOf(api, "geo-events").dead.interference = {
      before: () => {
        throw new GeoError("GEO_QUEUE_UNAVAILABLE", "not now");
      },
    };
    await giveUp(api, "backfill", 1);
    await queueOf(api, "geo-events").dead.send([{ body: "x" }]);
    queueOf(api, "geo-events").dead.interference = undefined;
    await giveUp(api, "geo-events", 1);
    queueOf(api, "geo-events").dead.interference = {
      before: ({ kind }) => {
        if (kind === "receive") throw new GeoError("GEO_QUEUE_UNAVAILABLE", "not now");
      },
    };
    const { answer } = await call(api, DEAD_LETTERS);
    expect(answer).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "geo-events", messages_count: null, reasons: [] }) as unknown,
        expect.objectContaining({ name: "backfill", messages_count: 1 }) as unknown,
      ]),
    );
  });
});

describe("sending dead letters back (F41)", () => {
  test("moves them to the queue that they come from, with the group that they were sent with", async () => {
    const api = apiSite();
    await giveUp(api, "geo-events", 25);
    expect(await redrive(api)).toEqual({
      status: 200,
      answer: { name: "geo-events", moved_count: 25, parked_count: 0, left_count: 0 },
    });
    const { live, dead } = queueOf(api, "geo-events");
    expect(dead.size).toBe(0);
    expect(live.export().map(({ body, group }) => [body, group])).toEqual(
      Array.from({ length: 25 }, (_, index) => [`{"message":${String(index)}}`, "cool_widget"]),
    );
    expect(api.telemetry.linesOf("an operator sent dead letters back")).toMatchObject([
      { fields: { name: "geo-events", moved_count: 25, token_name: "alice" } },
    ]);
  });

  test("moves as many as are asked for, and no more", async () => {
    const api = apiSite();
    await giveUp(api, "geo-events", 150);
    expect((await redrive(api)).answer).toMatchObject({ moved_count: 100, left_count: 50 });
    api.clock.advance(61_000);
    expect((await redrive(api, "geo-events", '{"messages": 7}')).answer).toMatchObject({
      moved_count: 7,
      left_count: 43,
    });
  });

  test("leaves what could not be read where it is, unless that is asked for: then as it was before", async () => {
    const api = apiSite();
    const { live, dead } = queueOf(api, "geo-events");
    await giveUp(api, "geo-events", 2);
    await park(dead, { id: "m1", body: "from a newer version" }, "not a Geo message", api.clock.now());
    await park(dead, { id: "m2", body: "x".repeat(300_000) }, "not JSON", api.clock.now());
    expect((await redrive(api)).answer).toEqual({ name: "geo-events", moved_count: 2, parked_count: 3, left_count: 3 });
    api.clock.advance(61_000);
    live.import([]);
    // What was parked in parts is nobody's to put together.
    expect((await redrive(api, "geo-events", '{"parked": true}')).answer).toMatchObject({
      moved_count: 1,
      parked_count: 2,
    });
    expect(live.bodies).toEqual(["from a newer version"]);
  });

  test("takes nothing away that its queue does not have", async () => {
    const api = apiSite();
    const { live, dead } = queueOf(api, "geo-events");
    await giveUp(api, "geo-events", 5);
    live.interference = {
      before: () => {
        throw new Error("not now");
      },
    };
    expect(await redrive(api)).toEqual({
      status: 503,
      answer: { message: "503 Service Unavailable - a queue did not answer; try again" },
    });
    expect(dead.size).toBe(5);
    live.interference = undefined;
    api.clock.advance(61_000);
    expect((await redrive(api)).answer).toMatchObject({ moved_count: 5 });
  });

  test.each([
    ["no JSON", "got no JSON"],
    ["[]", 'body: expected an object such as {"messages": 100, "parked": false}, got []'],
    ['{"messages": 0}', "messages: expected a whole number from 1 to 1000, got 0"],
    ['{"messages": 1001}', "messages: expected a whole number from 1 to 1000, got 1001"],
    ['{"messages": "all"}', 'messages: expected a whole number from 1 to 1000, got "all"'],
    ['{"parked": "yes"}', 'parked: expected true or false, got "yes"'],
    ['{"queue": "other"}', "there is no setting called queue; expected messages and parked"],
  ])("refuses %s", async (body, reason) => {
    const { status, answer } = await redrive(apiSite(), "geo-events", body);
    expect(status).toBe(400);
    expect(answer).toEqual({ message: expect.stringContaining(reason) as string });
  });

  test("refuses a queue that the site does not have, another site, another method, and too long a body", async () => {
    const api = apiSite();
    expect(await redrive(api, "checksum")).toEqual({
      status: 404,
      answer: {
        message: "404 Queue Not Found - expected one of ingest, geo-events, verification, replica-drift, backfill",
      },
    });
    expect((await call(api, "/api/v4/geo_sites/1/dead_letters")).status).toBe(404);
    expect((await call(api, `${DEAD_LETTERS}/geo-events/redrive`)).status).toBe(405);
    expect((await call(api, DEAD_LETTERS, { method: "POST" })).status).toBe(405);
    expect((await redrive(api, "geo-events", `{"messages": ${" ".repeat(2_000)}5}`)).status).toBe(413);
  });

  test("takes an administrator's token", async () => {
    const api = apiSite();
    await giveUp(api, "geo-events", 1);
    const response = await api.call(`${DEAD_LETTERS}/geo-events/redrive`, {
      method: "POST",
      headers: { "PRIVATE-TOKEN": await api.token({ scope: "read_geo" }) },
    });
    expect(response.status).toBe(403);
    expect(queueOf(api, "geo-events").dead.size).toBe(1);
  });
});
