import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOCAL } from "../../infra/local/paths.ts";
import { KEYS_IN_FLIGHT, MESSAGES_IN_FLIGHT } from "../../shared/geo/limits.ts";
import { parseRange, parseWalk, rangesQuery, walkRequest } from "../../shared/tables/site/consistency-items.ts";
import { askForWalk } from "../../shared/tables/site/walk-pace-item.ts";
import { cloudProcess, killWorkers } from "../faults/cloud-processes.ts";
import { type FaultProxy, startFaultProxy } from "../faults/fault-proxy.ts";
import { keptVersions, putHistory, rowsWith } from "../faults/history.ts";
import { pollByOurselves } from "../faults/own-poller.ts";
import { type Lags, liveLags } from "../faults/live-lag.ts";
import { cloud, installation, names, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { pauseSchedule, starterOf, startOften } from "../support/wire/start-often.ts";
import { type DeployedFunction, listFunctions, tapFunction } from "../support/wire/tapped-functions.ts";
import { attributesOf, setAttributes } from "./support/messages.ts";

/**
 * History while today goes on. How many objects is said by `S3_GEO_BACKFILL_OBJECTS`, 250 unless it is set: a local cloud
 * carries some tens of objects a second, so that the 20,000 which show more take a quarter of an hour.
 */
const OBJECTS = Number(process.env["S3_GEO_BACKFILL_OBJECTS"] ?? 250);

/** Live objects that are measured while there is no history to take up. */
const IDLE_OBJECTS = 20;

/** What an object may take, milliseconds, and the two waits for what was killed. */
const LIMIT_MS = 240_000 + OBJECTS * 120;

/** Where the figures of the last run are. */
const FIGURES = join(LOCAL, "reports", "backfill.json");

/** No other suite uses this type. */
const TYPE = "package_file";
const PROJECT = randomInt(1, 2 ** 47);
const PREFIX = `packages_package_files/${PROJECT}/`;
const KEYS = Array.from({ length: OBJECTS }, (_, index) => `${PREFIX}${1_000_000 + index}/file.bin`);

/** How long a dead holder's row is kept, and a message that it took. As deployed these are six minutes and half an hour. */
const LEASE_SECONDS = 5;
const VISIBILITY_SECONDS = 30;

const { backfillQueue, backfillDeadLetterQueue } = names.secondary;
const cloudItself = await cloudProcess();

/** Messages in a queue, those under way included. */
const messagesIn = async (queue: string): Promise<number> => {
  const seen = await attributesOf(secondary, queue);
  return Number(seen["ApproximateNumberOfMessages"]) + Number(seen["ApproximateNumberOfMessagesNotVisible"]);
};

/** Times have no bars: all of it shares a machine. */
const writeFigures = async (figures: object): Promise<void> => {
  await mkdir(dirname(FIGURES), { recursive: true });
  await writeFile(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
};

const askNow = async (): Promise<number> => {
  const askedAt = Date.now();
  const { key, update, values } = askForWalk(TYPE, askedAt);
  await secondary.clients.dynamo.send(
    new UpdateCommand({
      TableName: names.secondary.siteTable,
      Key: key,
      UpdateExpression: update,
      ExpressionAttributeValues: values,
    }),
  );
  return askedAt;
};

const walkOfType = async () => {
  const { Item } = await secondary.clients.dynamo.send(
    new GetCommand({ TableName: names.secondary.siteTable, Key: walkRequest(TYPE), ConsistentRead: true }),
  );
  return parseWalk(Item);
};

/**
 * A minute after its function's last moment the range of a dead walker is free: this has it pass.
 * @returns how many ranges were held
 */
const endLeases = async (): Promise<number> => {
  const walk = await walkOfType();
  if (walk === undefined) return 0;
  const { condition, values } = rangesQuery(walk);
  const { Items = [] } = await secondary.clients.dynamo.send(
    new QueryCommand({
      TableName: names.secondary.siteTable,
      KeyConditionExpression: condition,
      ExpressionAttributeValues: values,
      ConsistentRead: true,
    }),
  );
  const held = Items.map(parseRange).filter(({ token }) => token !== undefined);
  for (const { key } of held) {
    await secondary.clients.dynamo.send(
      new UpdateCommand({
        TableName: names.secondary.siteTable,
        Key: key,
        UpdateExpression: "SET lease_until = :now",
        ExpressionAttributeValues: { ":now": Date.now() },
      }),
    );
  }
  return held.length;
};

describe.skipIf(cloudItself === undefined)(`${OBJECTS} objects that no event tells of`, () => {
  let walker: DeployedFunction;
  let consumer: DeployedFunction;
  let proxy: FaultProxy;
  const endings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const all = await listFunctions(cloud, [secondary.region], installation);
    const find = (folder: string): DeployedFunction => {
      const found = all.find(({ name }) => name.endsWith(`-${folder}`));
      if (found === undefined) throw new Error(`no function ${folder} is deployed`);
      return found;
    };
    walker = find("registry-consistency");
    consumer = find("event-consumer");
    proxy = await startFaultProxy(cloud.endpoint ?? "", { seed: 1 });
    endings.push(() => proxy.stop());
    endings.push(await tapFunction(cloud, walker, proxy.endpoint));
    // Past the proxy: of what it does many times over, nothing is measured but its time.
    const consumerVariables = { SYNC_TIMEOUT_SECONDS: String(LEASE_SECONDS) };
    endings.push(await tapFunction(cloud, consumer, cloud.endpoint ?? "", { variables: consumerVariables }));
    const before = (await attributesOf(secondary, backfillQueue))["VisibilityTimeout"] ?? "30";
    await setAttributes(secondary, backfillQueue, { VisibilityTimeout: String(VISIBILITY_SECONDS) });
    endings.push(() => setAttributes(secondary, backfillQueue, { VisibilityTimeout: before }));
    const poller = await pollByOurselves(secondary, backfillQueue, consumer);
    endings.push(() => poller.stop());
  });
  afterAll(async () => {
    for (const end of endings.toReversed()) await end();
  });

  test(
    "are all there after one walk, copied once, though its workers are killed twice and today goes on",
    { timeout: LIMIT_MS + 60_000 },
    async () => {
      const deadBefore = await messagesIn(backfillDeadLetterQueue);
      const start = await starterOf("registry-consistency", secondary.region);
      await start();
      // A new site walks by itself; the next walk is a week away then, or asked for.
      await eventually(
        "the first walk of the type has ended",
        walkOfType,
        (walk) => walk?.finishedAt !== undefined,
        180_000,
      );
      await putHistory(KEYS);
      const idle = await liveLags((soFar) => soFar < IDLE_OBJECTS);
      expect(await rowsWith(PREFIX)).toEqual([]);

      const handingOver = proxy.inject({
        fault: { kind: "hold_request" },
        which: { operation: "SendMessageBatch", caller: "registry-consistency" },
      });
      // One walker, and no other that its schedule starts beside it.
      endings.push(await pauseSchedule(names.secondary.registryConsistency, secondary.region));
      const startedAt = Date.now();
      const askedAt = await askNow();
      let isOver = false;
      const during: Promise<Lags> = liveLags(() => !isOver);
      try {
        await start();
        await eventually(
          "a walker hands over what it found",
          async () => handingOver.hits(),
          (hits) => hits === 1,
          90_000,
        );
        expect(await killWorkers(walker.name)).toBe(1);
        handingOver.lift();
        expect(await endLeases()).toBe(1);
        endings.push(await startOften("registry-consistency", secondary.region));

        await eventually(
          "copies are under way",
          async () => (await keptVersions(secondary, PREFIX)).size,
          (copied) => copied >= OBJECTS / 20,
          LIMIT_MS,
        );
        // The one that takes up history, and maybe another that is at work on what happens now.
        expect(await killWorkers(consumer.name)).toBeGreaterThan(0);
        expect((await keptVersions(secondary, PREFIX)).size).toBeLessThan(OBJECTS);

        await eventually(
          "the walk has ended and nothing of it waits",
          async () => ({ walk: await walkOfType(), waiting: await messagesIn(backfillQueue) }),
          ({ walk, waiting }) => walk?.finishedAt !== undefined && walk.startedAt >= askedAt && waiting === 0,
          LIMIT_MS,
        );
        await eventually(
          "every row is settled",
          () => rowsWith(PREFIX),
          (rows) =>
            rows.length === OBJECTS &&
            rows.every(({ state, verification_state: read }) => state === "synced" && read === "succeeded"),
          LIMIT_MS,
        );
      } finally {
        isOver = true;
      }
      const seconds = (Date.now() - startedAt) / 1_000;
      const busy = await during;

      const [sources, replicas] = [await keptVersions(primary, PREFIX), await keptVersions(secondary, PREFIX)];
      expect([...replicas.keys()]).toEqual([...sources.keys()]);
      expect([...replicas].filter(([key, { etag }]) => etag !== sources.get(key)?.etag)).toEqual([]);
      const twice = [...replicas].filter(([, { versions, markers }]) => versions + markers > 1);
      await writeFigures({
        objects: OBJECTS,
        seconds,
        copied_twice: twice.length,
        lag_ms: { idle, during_backfill: busy },
      });
      expect(twice.length).toBeLessThanOrEqual(KEYS_IN_FLIGHT * MESSAGES_IN_FLIGHT);
      expect(await messagesIn(backfillDeadLetterQueue)).toBe(deadBefore);
    },
  );
});
