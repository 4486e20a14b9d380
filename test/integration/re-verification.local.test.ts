import { randomInt } from "node:crypto";
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { geoClient } from "../../shared/client/client.ts";
import { functionName } from "../../shared/geo/physical-names.ts";
import {
  parseVerificationStateRow,
  ROW_PARTITIONS,
  rowKey,
  rowPartition,
  verifiedPartition,
  type VerificationStateRow,
} from "../../shared/geo/registry-row.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { SETTINGS_DEFAULT } from "../../shared/geo/site-settings.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { walkRequest } from "../../shared/tables/site/consistency-items.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { saveRound } from "../../shared/tables/site/record-round-item.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import { askCloud } from "../support/ask-cloud.ts";
import { cloud, installation, names, primary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { putOnPrimary, refOf, registryRow, verified } from "./support/objects.ts";

/** No other suite uses this type. */
const TYPE = "terraform_state_version";
const DAY_MS = 24 * 60 * 60 * 1_000;

/** A round goes through 4,096 partitions. The objects of these tests are in the last few, and their round begins there. */
const FIRST_PARTITION = ROW_PARTITIONS - 64;

const keyInTheLastPartitions = (): string => {
  for (;;) {
    const key = `terraform_state_versions/${randomInt(1, 2 ** 47)}/1/state.json`;
    if (rowKey(refOf(key)).pk >= rowPartition(TYPE, FIRST_PARTITION)) return key;
  }
};

const KEYS = [keyInTheLastPartitions(), keyInTheLastPartitions(), keyInTheLastPartitions()] as const;
const [OLD, UNRECORDED, SWITCHED_OFF] = KEYS;

const api = geoClient({ url: primary.api_url, token: primary.admin_token });
const { siteTable, verificationStateTable } = names.primary;
const { dynamo } = primary.clients;

const record = async (key: string): Promise<VerificationStateRow | undefined> => {
  const { Item } = await dynamo.send(
    new GetCommand({ TableName: verificationStateTable, Key: rowKey(refOf(key)), ConsistentRead: true }),
  );
  return Item === undefined ? undefined : parseVerificationStateRow(Item);
};

/** Calls one of the primary's functions as its schedule does, now and not at the next minute. */
const callPrimary = (folder: string, event: unknown): Promise<unknown> => {
  const name = functionName({ name: installation, account: cloud.account }, primary, folder);
  return askCloud(cloud, primary.region, "lambda", `/2015-03-31/functions/${name}/invocations`, {
    method: "POST",
    body: JSON.stringify(event),
  });
};
const backfillNow = (): Promise<unknown> => callPrimary("verification-backfill", {});
const sweepNow = (): Promise<unknown> => callPrimary("retry-sweep", { action: "tick" });

/** Calls again until it is so: what functions know of flags and settings is up to ten seconds old. */
const calledUntil = <T>(
  what: string,
  call: () => Promise<unknown>,
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
) =>
  eventually(
    what,
    async () => {
      await call();
      return look();
    },
    isSo,
  );

const update = async (
  table: string,
  { key, update: expression, names: aliases, values }: UpdateRequest,
): Promise<void> => {
  await dynamo.send(
    new UpdateCommand({
      TableName: table,
      Key: key,
      UpdateExpression: expression,
      ExpressionAttributeNames: { ...aliases },
      ExpressionAttributeValues: { ...values },
    }),
  );
};

const flags = replicables
  .filter(({ name }) => name === TYPE)
  .flatMap(({ names: { flags: of } }) => [of.replication, of.forcePrimaryChecksumming]);

/** The interval first: functions hear of it while the objects are on their way. */
beforeAll(async () => {
  await api.changeSite(siteId(primary.name), { minimum_reverification_interval: 1 });
  for (const key of KEYS) await putOnPrimary(key, key);
  for (const key of KEYS) {
    await verified(key);
    await eventually(
      "it is recorded",
      () => record(key),
      (row) => row?.verification_state === "succeeded",
    );
  }
});
afterAll(async () => {
  await api.changeSite(siteId(primary.name), {
    minimum_reverification_interval: SETTINGS_DEFAULT.minimumReverificationInterval,
  });
  for (const flag of flags) await api.resetFeature(flag);
});

/** One after the other: the second switches off what the first needs. */
describe("at the primary", () => {
  test("what was verified longer ago than the site's interval is read again, and its replica after it (F30, F28)", async () => {
    const key = OLD;
    const settled = await record(key);
    expect(settled).toMatchObject({ verification_state: "succeeded" });
    const twoDaysAgo = Date.now() - 2 * DAY_MS;
    await update(verificationStateTable, {
      key: rowKey(refOf(key)),
      update: "SET verified_at = :then",
      values: { ":then": twoDaysAgo },
    });
    const askedAt = Date.now();
    // A round through the type's records is due, and begins where this object's is. Said before each start: one of the
    // schedule's may be under way, and say at its end that it has just come round.
    const backfillAnew = async (): Promise<void> => {
      const round = saveRound(TYPE, { partition: FIRST_PARTITION, finishedAt: twoDaysAgo });
      await dynamo.send(new PutCommand({ TableName: siteTable, Item: round }));
      await backfillNow();
    };
    // Or it was listed, and a sweep of the schedule has come by it already.
    const isListed = (row: VerificationStateRow | undefined): boolean =>
      row?.due_pk === verifiedPartition(refOf(key)) ||
      row?.verified_at !== twoDaysAgo ||
      row.verification_state !== "succeeded";
    await calledUntil("its record is listed", backfillAnew, () => record(key), isListed);
    const again = await calledUntil(
      "its bytes have been read again",
      sweepNow,
      () => record(key),
      (row) => row?.verification_state === "succeeded" && (row.verified_at ?? 0) > askedAt,
    );
    expect(again).toMatchObject({ verification_checksum: settled?.verification_checksum });
    expect(again?.due_pk).toBeUndefined();
    const replica = await eventually(
      "its replica has been read again",
      () => registryRow(key),
      (row) => row?.verification_state === "succeeded" && (row.verified_at ?? 0) > askedAt,
    );
    expect(replica).toMatchObject({ state: "synced", checksum_mismatch: false });
  });

  test("an object without a record gets one from a walk through the bucket (F47)", async () => {
    const key = UNRECORDED;
    await dynamo.send(new DeleteCommand({ TableName: verificationStateTable, Key: rowKey(refOf(key)) }));
    // A type that has never been walked through: of an object this young a later walk would think that its event is coming.
    await dynamo.send(new DeleteCommand({ TableName: siteTable, Key: walkRequest(TYPE) }));
    const found = await calledUntil(
      "it is recorded again",
      backfillNow,
      () => record(key),
      (row) => row?.verification_state === "succeeded",
    );
    expect(found?.src_size).toBe(key.length);
  });

  test("the records of a type whose checksums have been off for a day go, and its replicas stay (F47, F87)", async () => {
    const key = SWITCHED_OFF;
    for (const flag of flags) await update(siteTable, setFlag(flag, false, Date.now() - 2 * DAY_MS));
    const gone = await calledUntil(
      "its record is gone",
      backfillNow,
      () => record(key),
      (row) => row === undefined,
    );
    expect(gone).toBeUndefined();
    expect(await registryRow(key)).toMatchObject({ state: "synced" });
  });
});
