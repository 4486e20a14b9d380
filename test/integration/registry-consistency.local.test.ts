import { randomInt } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { DeleteCommand, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { parseWalk, walkRequest } from "../../shared/tables/site/consistency-items.ts";
import { askForWalk } from "../../shared/tables/site/walk-pace-item.ts";
import { names, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { startOften } from "../support/wire/start-often.ts";
import { objectAt, putOnPrimary, refOf, registryRow, verified } from "./support/objects.ts";

/** No other suite uses this type: a walk that is asked for here names no key of theirs. */
const TYPE = "packages_nuget_symbol";
const PROJECT = randomInt(1, 2 ** 47);
const keyOf = (id: number): string => `packages_nuget_symbols/${PROJECT}/${id}/symbols.pdb`;
const KEYS = [1, 2, 3, 4, 5].map(keyOf);
const FOREIGN = keyOf(9);

/** A run is started each minute; then what it found takes its usual way. */
const WALKED_WITHIN_MS = 180_000;

const walkOfType = async () => {
  const { Item } = await secondary.clients.dynamo.send(
    new GetCommand({ TableName: names.secondary.siteTable, Key: walkRequest(TYPE), ConsistentRead: true }),
  );
  return parseWalk(Item);
};

test(
  "objects that a secondary knows nothing of are found by a walk, and a foreign one in its bucket as well",
  { timeout: 400_000 },
  async () => {
    for (const key of KEYS) await putOnPrimary(key, key);
    for (const key of KEYS) await verified(key);
    // As if the secondary had begun after these were put: neither rows nor replicas, and no event will ever tell of them.
    for (const key of KEYS) {
      const row = { TableName: names.secondary.registryTable, Key: rowKey(refOf(key)) };
      await secondary.clients.dynamo.send(new DeleteCommand(row));
      await secondary.clients.s3.send(new DeleteObjectCommand({ Bucket: secondary.bucket, Key: key }));
    }
    await secondary.clients.s3.send(new PutObjectCommand({ Bucket: secondary.bucket, Key: FOREIGN, Body: "foreign" }));
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

    const leaveToSchedule = await startOften("registry-consistency", secondary.region);
    try {
      const walk = await eventually(
        "a walk that was asked for has ended",
        walkOfType,
        (seen) => seen?.finishedAt !== undefined && seen.startedAt >= askedAt,
        WALKED_WITHIN_MS,
      );
      expect(walk?.findings.missing).toBeGreaterThanOrEqual(KEYS.length);
    } finally {
      await leaveToSchedule();
    }
    for (const one of KEYS) await verified(one);
    for (const one of KEYS) expect(await objectAt(secondary, one)).toMatchObject({ text: one });
    await eventually(
      "the foreign object is hidden",
      () => objectAt(secondary, FOREIGN),
      (seen) => seen === undefined,
    );
    expect(await registryRow(FOREIGN)).toBeUndefined();
  },
);
