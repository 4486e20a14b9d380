import { describe, expect, test } from "vitest";
import { parseGeoMessage, readGeoMessage } from "../../../shared/geo/read-message.ts";
import { coolWidget } from "../../../shared/replicables/cool-widget.ts";
import { replicables } from "../../../shared/replicables/index.ts";

const KEY = "cool_widgets/1/a b.txt";
const ENCODED = "cool_widgets/1/a%20b.txt";

const event = (changes: Readonly<Record<string, unknown>> = {}, payload: Readonly<Record<string, unknown>> = {}) => ({
  id: "e1",
  replicable_name: coolWidget.name,
  event_name: "created",
  created_at: 5,
  payload: { model_record_id: "1/a%20b.txt", correlation_id: "request-1", blob_path: ENCODED, ...payload },
  ...changes,
});
const events = (...list: readonly unknown[]): string =>
  JSON.stringify({ version: 1, kind: "geo_events", events: list });
const keys = (kind: string, changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ version: 1, kind, replicable_name: coolWidget.name, keys: [ENCODED], ...changes });

const read = (body: string) => readGeoMessage(replicables, body, "message-1");

describe("what a message asks for", () => {
  test.each(["created", "deleted", "updated"])("is a look at the key when the event is %s", (name) => {
    expect(read(events(event({ event_name: name })))).toEqual({
      wanted: [{ want: "sync", cause: "hint", replicableName: "cool_widget", key: KEY, correlationId: "request-1" }],
      unreadable: undefined,
    });
  });

  test("is a verification when the primary has a checksum", () => {
    expect(read(events(event({ event_name: "checksum_succeeded" }))).wanted).toMatchObject([
      { want: "verify", replicableName: "cool_widget", key: KEY, correlationId: "request-1" },
    ]);
  });

  test.each([
    ["look", "hint", "message-1"],
    ["due", "due", "message-1"],
    ["resync", "resync", "operator-1"],
  ])("is a look at each key of a %s message, because of a %s", (kind, cause, correlationId) => {
    const body = keys(kind, { correlation_id: "operator-1" });
    expect(read(body)).toEqual({
      wanted: [{ want: "sync", cause, replicableName: "cool_widget", key: KEY, correlationId }],
      unreadable: undefined,
    });
  });

  test("says of a look whether the walk saw something in the replica's bucket", () => {
    expect(read(keys("look", { replica_listed: true })).wanted).toMatchObject([{ cause: "replica_listed" }]);
    expect(read(keys("look", { replica_listed: false })).wanted).toMatchObject([{ cause: "hint" }]);
  });

  test("of a due message that says so, is a probe: what becomes of its keys is to be told", () => {
    expect(read(keys("due", { probe: true })).wanted).toMatchObject([{ want: "sync", cause: "due", isProbe: true }]);
    expect(read(keys("due", { probe: false })).wanted[0]).not.toHaveProperty("isProbe");
    expect(read(keys("look", { probe: true })).wanted[0]).not.toHaveProperty("isProbe");
  });

  test("is to put a row off whose key its type does not claim any more, if the row is due", () => {
    const changed = { keys: ["elsewhere/1/a.txt"] };
    expect(read(keys("due", changed))).toEqual({
      wanted: [{ want: "put_off", replicableName: "cool_widget", key: "elsewhere/1/a.txt" }],
      unreadable: undefined,
    });
    expect(read(keys("look", changed))).toEqual({
      wanted: [],
      unreadable: "a key of no replicable is said to be of cool_widget",
    });
    expect(read(keys("due", { ...changed, replicable_name: "nobody" }))).toEqual({
      wanted: [],
      unreadable: "a key of no replicable is said to be of nobody",
    });
  });
});

describe("what can not be read is parked with its reason", () => {
  test.each([
    ["half of JSON", "{", "not JSON"],
    ["no kind", "{}", /^not a Geo message: kind: /],
    ["an unknown kind", JSON.stringify({ version: 1, kind: "shout" }), /^not a Geo message: kind: /],
    ["another version", events(event()).replace('"version":1', '"version":2'), /^not a Geo message: version: /],
    ["a list", "[]", /^not a Geo message: /],
    ["no events", events(), /^not a Geo message: events: /],
    ["an event without a key", events(event({}, { blob_path: undefined })), /events\.0\.payload\.blob_path: /],
    ["no keys", keys("due", { keys: [] }), /^not a Geo message: keys: /],
  ])("%s", (_, body, reason) => {
    const { wanted, unreadable } = read(body);
    expect(wanted).toEqual([]);
    expect(unreadable).toMatch(reason);
    expect(parseGeoMessage(body)).toEqual({ reason: unreadable });
  });

  test("and every key that can be read is worked on all the same", () => {
    const body = events(event({}, { blob_path: "a%zz" }), event(), event({ replicable_name: "package_file" }));
    const { wanted, unreadable } = read(body);
    expect(wanted).toMatchObject([{ key: KEY }]);
    expect(unreadable).toBe(
      'a key can not be decoded: "a%zz" has a percent-escape that is not UTF-8; ' +
        "a key of cool_widget is said to be of package_file",
    );
  });

  test("in a text that is never long, whatever came", () => {
    const shouted = "x".repeat(255);
    const body = events(...Array.from({ length: 100 }, () => event({ replicable_name: shouted })));
    const { unreadable = "" } = read(body);
    expect(unreadable).toHaveLength(2_000);
    expect(unreadable).toContain(`said to be of ${"x".repeat(64)};`);
  });
});

const accepted = (body: string): boolean => "message" in parseGeoMessage(body);

describe("bounds of a message", () => {
  test.each<[string, string, boolean]>([
    ["100 events", events(...Array.from({ length: 100 }, () => event())), true],
    ["101 events", events(...Array.from({ length: 101 }, () => event())), false],
    ["100 keys", keys("due", { keys: Array.from({ length: 100 }, () => "a") }), true],
    ["101 keys", keys("due", { keys: Array.from({ length: 101 }, () => "a") }), false],
    ["a key of 3,072 characters", keys("due", { keys: ["x".repeat(3_072)] }), true],
    ["a longer key", keys("due", { keys: ["x".repeat(3_073)] }), false],
    ["an empty key", keys("look", { keys: [""] }), false],
    ["a path of 3,072 characters", events(event({}, { blob_path: "x".repeat(3_072) })), true],
    ["a longer path", events(event({}, { blob_path: "x".repeat(3_073) })), false],
    ["an empty path", events(event({}, { blob_path: "" })), false],
    ["an id of 64 characters", events(event({ id: "x".repeat(64) })), true],
    ["a longer id", events(event({ id: "x".repeat(65) })), false],
    ["an empty id", events(event({ id: "" })), false],
    ["an event of a type without a name", events(event({ replicable_name: "" })), false],
    ["an event of a type with too long a name", events(event({ replicable_name: "x".repeat(256) })), false],
    ["keys of a type without a name", keys("due", { replicable_name: "" }), false],
    ["keys of a type with too long a name", keys("due", { replicable_name: "x".repeat(256) }), false],
    ["keys of a type with a name of 255 characters", keys("due", { replicable_name: "x".repeat(255) }), true],
    ["an event that there is none of", events(event({ event_name: "resized" })), false],
    ["an event without a time", events(event({ created_at: "today" })), false],
    ["an event without a record", events(event({}, { model_record_id: "" })), false],
    ["an event without a correlation id", events(event({}, { correlation_id: "" })), false],
    ["a correlation id of 256 characters", events(event({}, { correlation_id: "x".repeat(256) })), false],
    ["an uploader and a time", events(event({}, { uploader_class: "x".repeat(255), occurred_at: 7 })), true],
    ["an uploader of 256 characters", events(event({}, { uploader_class: "x".repeat(256) })), false],
    ["a time that is a text", events(event({}, { occurred_at: "7" })), false],
    ["a resync that nobody answers for", keys("resync", { correlation_id: "" }), false],
    ["a resync with a correlation id of 255 characters", keys("resync", { correlation_id: "x".repeat(255) }), true],
    ["a resync with a longer one", keys("resync", { correlation_id: "x".repeat(256) }), false],
    ["a resync without one", keys("resync"), false],
  ])("%s", (_, body, isGood) => {
    expect(accepted(body)).toBe(isGood);
  });
});
