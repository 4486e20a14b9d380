import { describe, expect, test } from "vitest";
import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import type { ParkedMessage } from "../../shared/services/park.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";

const notification = (bucket: string, key: string) =>
  JSON.stringify({
    Records: [
      {
        eventVersion: "2.3",
        eventSource: "aws:s3",
        awsRegion: "us-east-1",
        eventTime: "2026-01-01T00:00:00.000Z",
        eventName: "ObjectCreated:Put",
        s3: { bucket: { name: bucket }, object: { key, size: 1 } },
      },
    ],
  });

const parked = (world: TwoSites, queue: keyof TwoSites["queues"]): readonly ParkedMessage[] =>
  world.queues[queue].deadLetters.bodies.map((body) => JSON.parse(body) as ParkedMessage);

const wholeBody = (parts: readonly ParkedMessage[]) =>
  [...parts]
    .sort((a, b) => a.part - b.part)
    .map(({ body }) => body)
    .join("");

const UNREADABLE: readonly (readonly [string, string])[] = [
  ["text that is not JSON", "hello"],
  ["an empty object", "{}"],
  ["a list", "[1,2,3]"],
  ["records that are not objects", '{"Records":[1,null]}'],
  ["a record of an unknown major version", notification("primary-bucket", KEY).replace('"2.3"', '"9.0"')],
  ["a key that is not percent-encoded text", notification("primary-bucket", "%E0%A4%A")],
];

describe.each(["ingest", "checksum"] as const)("the %s queue", (queue) => {
  test.each(UNREADABLE)("parks %s with its reason and goes on", async (_name, body) => {
    const world = twoSites();
    await world.queues[queue].live.send([{ body }]);
    world.primaryBucket.put(KEY, "beside it");
    await world.settle();
    const messages = parked(world, queue);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ parked: true, part: 1, parts: 1, body });
    expect(messages[0]?.reason).not.toBe("");
    expect(world.queues[queue].live.size).toBe(0);
    expect(world.replicaText(KEY)).toBe("beside it");
  });

  test("parks a notification about another bucket, naming both", async () => {
    const world = twoSites();
    await world.queues[queue].live.send([{ body: notification("somebody-elses", KEY) }]);
    await world.settle();
    expect(parked(world, queue)[0]?.reason).toContain("somebody-elses");
    expect(parked(world, queue)[0]?.reason).toContain("primary-bucket");
    expect(world.telemetry.total("ForeignBucketEvent")).toBe(1);
    expect(world.replicaBucket.everyKey()).toEqual([]);
  });

  test("takes S3's test event for what it is", async () => {
    const world = twoSites();
    await world.queues[queue].live.send([
      {
        body: JSON.stringify({
          Service: "Amazon S3",
          Event: "s3:TestEvent",
          Time: "2026-01-01T00:00:00.000Z",
          Bucket: "primary-bucket",
          RequestId: "x",
          HostId: "y",
        }),
      },
    ]);
    await world.settle();
    expect(world.queues[queue].deadLetters.size).toBe(0);
    expect(world.queues[queue].live.size).toBe(0);
  });

  test("parks a message of 1 MiB whole, in parts", async () => {
    const world = twoSites();
    const body = `${'Ā"'.repeat(349_525)}x`.slice(0, 699_050);
    expect(Buffer.byteLength(body)).toBeGreaterThan(1_000_000);
    await world.queues[queue].live.send([{ body }]);
    await world.settle();
    expect(wholeBody(parked(world, queue))).toBe(body);
  });
});

const geoEvents = (event: Partial<Extract<GeoMessage, { kind: "geo_events" }>["events"][number]>) =>
  JSON.stringify({
    version: 1,
    kind: "geo_events",
    events: [
      {
        id: "1",
        replicable_name: "cool_widget",
        event_name: "created",
        created_at: 0,
        payload: { model_record_id: "42", correlation_id: "c", blob_path: KEY },
        ...event,
      },
    ],
  });

describe.each(["events", "verification"] as const)("the secondary's %s queue", (queue) => {
  test.each<readonly [string, string]>([
    ["text that is not JSON", "hello"],
    ["an unknown version", geoEvents({}).replace('"version":1', '"version":2')],
    ["an event that no strategy has", geoEvents({}).replace('"created"', '"exploded"')],
    ["a type that is not declared", geoEvents({ replicable_name: "hot_widget" })],
    ["a key that belongs to another type", geoEvents({ replicable_name: "package_file" })],
    [
      "a key that belongs to no type",
      geoEvents({ payload: { model_record_id: "1", correlation_id: "c", blob_path: "secrets/all.txt" } }),
    ],
    [
      "an empty list of due keys",
      JSON.stringify({ version: 1, kind: "due", replicable_name: "cool_widget", keys: [] }),
    ],
  ])("parks %s with its reason, and does nothing about it", async (_name, body) => {
    const world = twoSites();
    await world.queues[queue].live.send([{ body }]);
    await world.settle();
    expect(parked(world, queue)).toHaveLength(1);
    expect(parked(world, queue)[0]).toMatchObject({ parked: true, body });
    expect(world.registry.items()).toEqual([]);
    expect(world.telemetry.total("ParkedMessage")).toBe(1);
  });
});

test("a forged event can neither delete nor invent anything: it costs one look", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "mine");
  await world.settle();
  await world.queues.events.live.send([
    { body: geoEvents({ event_name: "deleted" }) },
    {
      body: geoEvents({
        payload: { model_record_id: "9", correlation_id: "c", blob_path: "cool_widgets/9/never-was" },
      }),
    },
  ]);
  await world.settle();
  expect(world.replicaText(KEY)).toBe("mine");
  expect(world.replicaBucket.everyKey()).toEqual([KEY]);
  expect(await world.row("cool_widgets/9/never-was")).toBeUndefined();
});

test("when a secondary's queue does not take events, the notifications stay where they are until it does", async () => {
  const world = twoSites();
  world.queues.events.live.interference = {
    before: ({ kind }) => {
      if (kind === "send") throw new Error("region is down");
    },
  };
  world.primaryBucket.put(KEY, "waits");
  await world.settle();
  expect(world.queues.ingest.live.size).toBe(1);
  world.queues.events.live.interference = undefined;
  world.clock.advance(7 * 60_000);
  await world.settle();
  expect(world.replicaText(KEY)).toBe("waits");
});

test("one bad key does not take its neighbours along: they are worked on, and the message is parked besides", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "good");
  await world.loseMessages();
  const message = JSON.stringify({
    version: 1,
    kind: "due",
    replicable_name: "cool_widget",
    keys: ["%E0%A4%A", KEY],
  });
  const hints = geoEvents({}).replace(
    /\]\}$/,
    `,${JSON.stringify((JSON.parse(geoEvents({ replicable_name: "package_file" })) as { events: unknown[] }).events[0])}]}`,
  );
  await world.queues.events.live.send([{ body: hints }, { body: message }]);
  await world.settle();
  expect(world.replicaText(KEY)).toBe("good");
  expect(
    parked(world, "events")
      .map(({ body }) => body)
      .sort(),
  ).toEqual([hints, message].sort());
});

test("a notification with a record that can not be read is parked, and its other records are followed all the same", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "good");
  await world.loseMessages();
  const records = [notification("primary-bucket", KEY), notification("primary-bucket", "%E0%A4%A")].flatMap(
    (body) => (JSON.parse(body) as { Records: unknown[] }).Records,
  );
  const body = JSON.stringify({ Records: records });
  await world.queues.ingest.live.send([{ body }]);
  await world.queues.checksum.live.send([{ body }]);
  await world.settle();
  expect(world.replicaText(KEY)).toBe("good");
  expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
  expect(parked(world, "ingest")).toHaveLength(1);
  expect(parked(world, "checksum")).toHaveLength(1);
});
