import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bucketNotification } from "../support/bucket-notification.ts";
import { names, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { attributesOf, parkedWith, sendTo } from "./support/messages.ts";
import {
  everythingBeforeIsRead,
  objectAt,
  putOnPrimary,
  registryRow,
  uniqueKey,
  verified,
  versionsAt,
} from "./support/objects.ts";

const notification = (bucket: string, key: string, eventName?: string): string =>
  bucketNotification({ bucket, region: primary.region, key, ...(eventName === undefined ? {} : { eventName }) });

/** Each queue that others can fill, the site in whose region it is, and where it parks. */
const QUEUES = [
  { site: primary, queue: names.feed.ingestQueue, parking: names.feed.ingestDeadLetterQueue },
  { site: primary, queue: names.primary.checksumQueue, parking: names.primary.checksumDeadLetterQueue },
  { site: secondary, queue: names.secondary.eventsQueue, parking: names.secondary.eventsDeadLetterQueue },
  { site: secondary, queue: names.secondary.verificationQueue, parking: names.secondary.verificationDeadLetterQueue },
] as const;

describe.concurrent.each(QUEUES)("the queue $queue", ({ site, queue, parking }) => {
  test("parks text that is no message, with the reason, whole", async () => {
    const body = `this is not JSON ${randomUUID()}`;
    await sendTo(site, queue, body);
    const [parked] = await parkedWith(site, parking, body);
    expect(parked).toMatchObject({ parked: true, part: 1, parts: 1, body });
    expect(parked?.reason).not.toBe("");
  });

  test("parks JSON of a form it does not know", async () => {
    const marker = randomUUID();
    await sendTo(site, queue, JSON.stringify({ version: 99, kind: "geo_events", events: [{ id: marker }] }));
    const [parked] = await parkedWith(site, parking, marker);
    expect(parked?.body).toContain(marker);
    expect(parked?.reason).not.toBe("");
  });

  test("parks a message as large as a queue takes, and loses nothing of it", async () => {
    const marker = randomUUID();
    const { MaximumMessageSize } = await attributesOf(site, queue);
    // Less what the service may count beside the body.
    const body = marker.repeat(Math.floor((Number(MaximumMessageSize) - 1_024) / marker.length));
    await sendTo(site, queue, body);
    const parts = await parkedWith(site, parking, marker);
    expect(parts.length).toBe(parts[0]?.parts);
    expect(parts.map((part) => part.body).join("")).toBe(body);
  });
});

describe.concurrent("a forged event", () => {
  test("about an object that never was leaves nothing behind on the secondary", async () => {
    const key = uniqueKey();
    await sendTo(primary, names.feed.ingestQueue, notification(primary.bucket, key));
    await everythingBeforeIsRead();
    expect((await registryRow(key))?.state ?? "absent").toBe("absent");
    expect(await versionsAt(secondary, key)).toEqual({ versions: 0, markers: [] });
  });

  test("about a deletion that never was deletes nothing", async () => {
    const key = uniqueKey();
    await putOnPrimary(key, "still here");
    const before = await verified(key);
    await sendTo(primary, names.feed.ingestQueue, notification(primary.bucket, key, "ObjectRemoved:Delete"));
    await eventually(
      "the event has been looked into",
      () => registryRow(key),
      (row) => (row?.done_gen ?? 0) > (before?.done_gen ?? 0),
    );
    expect(await objectAt(secondary, key)).toMatchObject({ text: "still here" });
    expect(await versionsAt(secondary, key)).toEqual({ versions: 1, markers: [] });
  });

  test("about another bucket is parked, and the reason names both buckets", async () => {
    const key = uniqueKey();
    await sendTo(primary, names.feed.ingestQueue, notification("somebody-elses-bucket", key));
    const [parked] = await parkedWith(primary, names.feed.ingestDeadLetterQueue, key);
    expect(parked?.reason).toContain("somebody-elses-bucket");
    expect(parked?.reason).toContain(primary.bucket);
    expect(await registryRow(key)).toBeUndefined();
  });

  test("about a key that no type claims stops nothing", async () => {
    const unclaimed = `unclaimed/${randomUUID()}`;
    await putOnPrimary(unclaimed, "nobody's");
    const key = uniqueKey();
    await putOnPrimary(key, "after it");
    await verified(key);
    expect(await objectAt(secondary, unclaimed)).toBeUndefined();
  });
});
