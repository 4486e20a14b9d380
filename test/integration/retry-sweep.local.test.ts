import { randomUUID } from "node:crypto";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "vitest";
import { duePartition, duePartitions, rowKey } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { DRAIN_ROUNDS_MAX } from "../../shared/geo/sweep-steps.ts";
import { names, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { objectAt, putOnPrimary, refOf, registryRow, uniqueKey, verified } from "./support/objects.ts";
import { deployedDefinition, historyOf, sfn, statesEntered, sweepMachineArn } from "./support/sweeps.ts";

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

/** Starts an execution and waits for its end. */
const run = async (stateMachineArn: string, input: unknown, name = `test-${randomUUID()}`) => {
  const { executionArn = "" } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
  );
  const end = await eventually(
    `execution ${name} has ended`,
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    ({ status }) => status !== "RUNNING",
  );
  return { ...end, states: statesEntered(await historyOf(executionArn)) };
};

describe("the sweep's machine on this cloud (F13)", () => {
  test("drains a type, and is the same when it is started twice", async () => {
    const name = `by-hand-${randomUUID()}`;
    const input = { replicable_name: "cool_widget", chain: name, part: 1 };
    const { status, states } = await run(sweepMachineArn, input, name);
    expect(status).toBe("SUCCEEDED");
    expect(states.slice(0, 2)).toEqual(["CountDue", "HowMuch"]);
    expect(states.at(-1)).toBe("Done");
    const again = await sfn
      .send(
        new StartExecutionCommand({
          stateMachineArn: sweepMachineArn,
          name,
          input: JSON.stringify({ ...input, part: 2 }),
        }),
      )
      .catch((error: unknown) => (error instanceof Error ? error.name : ""));
    expect(again).toBe("ExecutionAlreadyExists");
  });

  test.each([[{ replicable_name: "no_such_type", chain: "c", part: 1 }], [{}], ["text"]])(
    "refuses an input that can not be used, without trying again: %j",
    async (input) => {
      const { status, error, states } = await run(sweepMachineArn, input);
      expect({ status, error, states }).toEqual({
        status: "FAILED",
        error: "InputRefused",
        states: ["CountDue", "HowMuch", "Refused"],
      });
    },
  );

  test("drains the partitions of a storm side by side and leaves the rest to a successor", async () => {
    // A storm takes more rows than a test can make: the same machine, begun where a storm has been found.
    const { roleArn = "" } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: sweepMachineArn }));
    const definition = JSON.parse(await deployedDefinition()) as { StartAt: string };
    const { stateMachineArn = "" } = await sfn.send(
      new CreateStateMachineCommand({
        name: `storm-${randomUUID()}`,
        roleArn,
        definition: JSON.stringify({ ...definition, StartAt: "DrainPartitions" }),
      }),
    );
    try {
      const chain = `storm-${randomUUID()}`;
      const step = { action: "drain", replicable_name: "cool_widget", until: Date.now(), round: 0, swept: 0 };
      const partitions = duePartitions("cool_widget").map((one) => ({ ...step, cursor: { [one]: 0 }, more: true }));
      const input = {
        amount: "storm",
        chain,
        part: 1,
        replicable_name: "cool_widget",
        until: step.until,
        drain: { ...step, cursor: {}, more: false },
        partitions,
      };
      const { status, output, states } = await run(stateMachineArn, input);
      expect(status).toBe("SUCCEEDED");
      const drained = (JSON.parse(output ?? "{}") as { partitions: readonly { round: number; more: boolean }[] })
        .partitions;
      expect(drained).toHaveLength(partitions.length);
      expect(drained.filter(({ round, more }) => round < 1 || more)).toEqual([]);
      expect(states.slice(-2)).toEqual(["LeaveTheRest", "Done"]);
      // Nobody drains these any more: they have had their rounds.
      const left = await run(stateMachineArn, {
        ...input,
        partitions: partitions.slice(0, 1).map((one) => ({ ...one, round: DRAIN_ROUNDS_MAX, until: 0 })),
      });
      expect(left.status).toBe("SUCCEEDED");
    } finally {
      await sfn.send(new DeleteStateMachineCommand({ stateMachineArn }));
    }
  });
});
