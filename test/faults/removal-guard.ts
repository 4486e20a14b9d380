import { DeleteCommand, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { removalGuardKey } from "../../shared/tables/site/removal-guard-item.ts";
import { names, secondary } from "../support/cloud.ts";

/** More removals than all that these suites make, those that are asked for twice included. */
const LIMIT = 100_000;

/**
 * Begins an hour in which the guard lets every removal of a type through: attempts that die or fail have counted theirs, so
 * that a suite that breaks them would be taken for the loss of a bucket sooner or later.
 *
 * @returns what makes the guard as it was before
 */
export const openRemovalGuard = async (replicableName: string): Promise<() => Promise<unknown>> => {
  const { dynamo } = secondary.clients;
  const TableName = names.secondary.siteTable;
  const Key = removalGuardKey(replicableName);
  const { Item: before } = await dynamo.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  const hour = { window_started_at: Date.now(), removals: 0, removal_limit: LIMIT };
  await dynamo.send(new PutCommand({ TableName, Item: { ...Key, ...hour } }));
  return () =>
    before === undefined
      ? dynamo.send(new DeleteCommand({ TableName, Key }))
      : dynamo.send(new PutCommand({ TableName, Item: before }));
};
