import { CreateTableCommand, DeleteTableCommand, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { afterAll, describe } from "vitest";
import { dynamoClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { cloudLacks, hasCloud, PRIMARY_REGION, uniqueName } from "./support/contract-cloud.ts";
import { DUE_INDEX_INCLUDES, tableContract } from "./table.contract.ts";

const lacks = await cloudLacks();

describe.skipIf(!hasCloud)("On the cloud at AWS_ENDPOINT_URL (skipped while that is not set)", () => {
  const TableName = uniqueName("table");
  const client = dynamoClient(PRIMARY_REGION);
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName }));
  });

  tableContract("DynamoDB", lacks, async () => {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "S" },
          { AttributeName: "due_pk", AttributeType: "S" },
          { AttributeName: "due_at", AttributeType: "N" },
        ],
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: DUE_INDEX,
            KeySchema: [
              { AttributeName: "due_pk", KeyType: "HASH" },
              { AttributeName: "due_at", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: DUE_INDEX_INCLUDES },
          },
        ],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName });
    return new DynamoTable(client, TableName);
  });
});
