import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { duePartition, rowKey } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { names, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { objectAt, putOnPrimary, refOf, registryRow, uniqueKey, verified } from "./support/objects.ts";

/** A sweep starts each minute; then the row takes its usual way. */
const SWEPT_WITHIN_MS = 150_000;

test("a failed row whose time has come is tried again by itself, without any event", { timeout: 200_000 }, async () => {
  const key = uniqueKey();
  await putOnPrimary(key, "lost and found");
  await verified(key);
  // What a failed attempt leaves behind: no replica, and a row that says so and is due.
  await secondary.clients.s3.send(new DeleteObjectCommand({ Bucket: secondary.bucket, Key: key }));
  const failedAt = Date.now();
  await secondary.clients.dynamo.send(
    new UpdateCommand({
      TableName: names.secondary.registryTable,
      Key: rowKey(refOf(key)),
      UpdateExpression:
        "SET #state = :failed, last_sync_failure = :why, retry_count = :one, retry_at = :now, due_at = :now, due_pk = :partition ADD gen :one",
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: {
        ":failed": REPLICATION_STATE.failed,
        ":why": "made to fail by a test",
        ":one": 1,
        ":now": failedAt,
        ":partition": duePartition(refOf(key)),
      },
    }),
  );
  const row = await eventually(
    "the sweep has brought it back",
    () => registryRow(key),
    (seen) =>
      seen?.state === "synced" && (seen.last_synced_at ?? 0) > failedAt && seen.verification_state === "succeeded",
    SWEPT_WITHIN_MS,
  );
  expect(row).toMatchObject({ retry_count: 0 });
  expect(row?.last_sync_failure).toBeUndefined();
  expect(await objectAt(secondary, key)).toMatchObject({ text: "lost and found" });
});
