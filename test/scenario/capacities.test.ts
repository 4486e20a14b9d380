import { describe, expect, test } from "vitest";
import type { CapacityName } from "../../shared/geo/capacities.ts";
import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import type { Table } from "../../shared/ports/table.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { KeyCapacity } from "../../shared/services/key-capacity.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import type { WorkedThrough } from "../../shared/services/work-through.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

/** How many functions may run at once, as they are deployed. */
const FUNCTIONS = 60;
const MESSAGES = 3;
const KEYS_PER_MESSAGE = 40;

/** What three messages of sixteen keys at a time come to. */
const MOST = 48;

/** Counts what is under way at a port. */
class Gauge {
  now = 0;
  peak = 0;
  begun = 0;
  /** Called as something begins. */
  onBegin: (begun: number) => Promise<void> | void = () => undefined;

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.now += 1;
    this.begun += 1;
    this.peak = Math.max(this.peak, this.now);
    try {
      await this.onBegin(this.begun);
      // Long enough that whatever else is let in is seen beside it.
      for (let turns = 0; turns < 5; turns += 1) await new Promise((turn) => setImmediate(turn));
      return await work();
    } finally {
      this.now -= 1;
    }
  }
}

/** A table whose calls are counted: each key has one under way at a time. */
const gauged = (table: Table, gauge: Gauge): Table => ({
  name: table.name,
  get: (key) => gauge.during(() => table.get(key)),
  put: (item, condition) => gauge.during(() => table.put(item, condition)),
  update: (request) => gauge.during(() => table.update(request)),
  delete: (request) => gauge.during(() => table.delete(request)),
  query: (request) => gauge.during(() => table.query(request)),
});

/** The sweep's or a walk's messages to a function. */
const messagesOf = (kind: "look" | "due"): readonly ReceivedMessage[] =>
  Array.from({ length: MESSAGES }, (_, number) => {
    const first = number * KEYS_PER_MESSAGE;
    const keys = Array.from({ length: KEYS_PER_MESSAGE }, (__, index) => `cool_widgets/${first + index}/widget.bin`);
    const body: GeoMessage = { version: 1, kind, replicable_name: "cool_widget", keys: keys.map(encodeKey) };
    return { id: `message-${number}`, body: JSON.stringify(body), receiveCount: 1 };
  });

interface Working {
  readonly world: TwoSites;
  readonly gauge: Gauge;
  readonly capacity: KeyCapacity;
  readonly stopAt: number;
}

/** One of the functions that work through keys, with what it does with one message of its queue. */
interface Deployed {
  readonly name: string;
  readonly capacityName: CapacityName;
  readonly messages: readonly ReceivedMessage[];
  readonly work: (working: Working) => (message: ReceivedMessage) => Promise<WorkedThrough>;
}

const secondaryOf = ({ world, gauge }: Working) => ({ ...world.secondary, registry: gauged(world.registry, gauge) });

const CONSUMER: Deployed = {
  name: "the event-consumer",
  capacityName: "files_max_capacity",
  messages: messagesOf("look"),
  work: (working) => (message) => {
    const { world, capacity, stopAt } = working;
    const parking = world.queues.events.deadLetters;
    const { replicables } = world;
    return consumeEvents({ site: secondaryOf(working), replicables, parking, stopAt, capacity }, message);
  },
};

const VERIFICATION: Deployed = {
  name: "the verification function",
  capacityName: "verification_max_capacity",
  messages: messagesOf("due"),
  work: (working) => (message) => {
    const { world, capacity, stopAt } = working;
    const parking = world.queues.verification.deadLetters;
    const { replicables } = world;
    return consumeVerifications({ site: secondaryOf(working), replicables, parking, stopAt, capacity }, message);
  },
};

const DEPLOYED: readonly Deployed[] = [
  CONSUMER,
  VERIFICATION,
  {
    name: "the primary's checksum function",
    capacityName: "verification_max_capacity",
    messages: messagesOf("due"),
    work: (working) => (message) => {
      const { world, gauge, capacity, stopAt } = working;
      const site = { ...world.primary, verificationState: gauged(world.verificationState, gauge) };
      const parking = world.queues.checksum.deadLetters;
      const { replicables, primaryBucket } = world;
      const recording = { site, replicables, primaryBucket: primaryBucket.name, parking, stopAt, capacity };
      return recordChecksums(recording, message);
    },
  },
];

/** A site whose operator can change a capacity, and one function of it. */
const siteWith = async (deployed: Deployed, value?: number) => {
  const world = twoSites();
  await world.settle(); // every type is on by then
  const gauge = new Gauge();
  const { settings } = new CachedSiteRecord(world.siteTable, world.clock);
  const change = async (capacity: number): Promise<void> => {
    const capacities = { [deployed.capacityName]: capacity };
    await world.siteTable.update(changeSettings({ capacities }, world.clock.now()));
    world.clock.advance(STANDING_KEPT_MS);
  };
  if (value !== undefined) await change(value);
  const capacity = new KeyCapacity(settings, deployed.capacityName, FUNCTIONS);
  const stopAt = world.clock.now() + 55_000;
  const run = (): Promise<ReadonlySet<string>> =>
    eachMessage(
      Object.assign(world.telemetry, { flush: () => undefined }),
      deployed.work({ world, gauge, capacity, stopAt }),
    )(deployed.messages, { stopAt, giveBack: () => Promise.resolve() });
  return { world, gauge, change, run, stopAt };
};

describe.each(DEPLOYED)("$name", (deployed) => {
  test("has as many keys under way as it has sockets for, while nobody has changed its site's capacity", async () => {
    const { gauge, run } = await siteWith(deployed);
    expect(await run()).toEqual(new Set());
    expect(gauge.peak).toBe(MOST);
    expect(gauge.begun).toBeGreaterThanOrEqual(MESSAGES * KEYS_PER_MESSAGE);
  });

  test.each([
    ["its share of it, over all its messages", 5 * FUNCTIONS, 5],
    ["its share rounded down", 3 * FUNCTIONS - 1, 2],
    ["one key where there are more functions than that", 7, 1],
    ["no more than it has sockets for", 100_000, MOST],
  ])("has %s (%i)", async (_, value, expected) => {
    const { gauge, run } = await siteWith(deployed, value);
    expect(await run()).toEqual(new Set());
    expect(gauge.peak).toBe(expected);
    expect(gauge.begun).toBeGreaterThanOrEqual(MESSAGES * KEYS_PER_MESSAGE);
  });

  test("has fewer under way within the same batch when its capacity goes down, and more when it goes up (F34)", async () => {
    const { gauge, run, change } = await siteWith(deployed, 8 * FUNCTIONS);
    const peaks: number[] = [];
    gauge.onBegin = async (begun) => {
      if (begun === 30) await change(2 * FUNCTIONS);
      // Those under way by then have come to their end.
      if (begun === 50) gauge.peak = gauge.now;
      if (begun === 70) {
        peaks.push(gauge.peak);
        await change(16 * FUNCTIONS);
      }
    };
    expect(await run()).toEqual(new Set());
    expect(peaks).toEqual([2]);
    expect(gauge.peak).toBe(16);
  });
});

test("a key that has waited for its turn until the time is up is not begun, and its message comes again", async () => {
  const { world, gauge, run, stopAt } = await siteWith(CONSUMER, 1);
  gauge.onBegin = (begun) => {
    if (begun === 20) world.clock.advance(stopAt - world.clock.now());
  };
  expect((await run()).size).toBeGreaterThan(0);
  expect(gauge.peak).toBe(1);
  expect(gauge.begun).toBeLessThan(MESSAGES * KEYS_PER_MESSAGE);
});

test("nothing is begun on settings that are too old and can not be read, and the messages come again", async () => {
  const { world, gauge, run } = await siteWith(VERIFICATION);
  world.clock.advance(STANDING_KEPT_MS);
  world.siteTable.interference = {
    before: () => {
      throw new TableUnavailableError("throttled");
    },
  };
  expect((await run()).size).toBe(MESSAGES);
  expect(gauge.begun).toBe(0);
  world.siteTable.interference = undefined;
  expect(await run()).toEqual(new Set());
});
