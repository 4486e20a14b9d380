import { RemovalPolicy } from "aws-cdk-lib";
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";

import { DUE_INDEX, SITE_TABLE_TTL } from "../../shared/geo/physical-names.ts";

/** What every table of the product has: string keys, on demand, encrypted, restorable to any second, kept. */
const COMMON = {
  partitionKey: { name: "pk", type: AttributeType.STRING },
  sortKey: { name: "sk", type: AttributeType.STRING },
  billingMode: BillingMode.PAY_PER_REQUEST,
  encryption: TableEncryption.DEFAULT,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} as const;

export interface TableNameProps {
  readonly tableName: string;
}

/**
 * A table with one row per object: the registry of a secondary, the verification state of the primary. Its stream feeds
 * the counters; its index `due` lists the rows that are not settled.
 */
export class RegistryTable extends Construct {
  /** The stream's ARN; it changes when the table is replaced. */
  readonly streamArn: string;

  constructor(scope: Construct, id: string, { tableName }: TableNameProps) {
    super(scope, id);
    const table = new Table(this, "Table", { ...COMMON, tableName, stream: StreamViewType.NEW_AND_OLD_IMAGES });
    table.addGlobalSecondaryIndex({
      indexName: DUE_INDEX,
      partitionKey: { name: "due_pk", type: AttributeType.STRING },
      sortKey: { name: "due_at", type: AttributeType.NUMBER },
      // Whoever is sent to a due row reads the row itself; a wider index would be written on every change of state.
      projectionType: ProjectionType.KEYS_ONLY,
    });
    if (table.tableStreamArn === undefined) throw new Error(`${tableName} has no stream`);
    this.streamArn = table.tableStreamArn;
  }
}

/** The small table of a site: hashed tokens and counters. */
export class SiteTable extends Construct {
  constructor(scope: Construct, id: string, { tableName }: TableNameProps) {
    super(scope, id);
    new Table(this, "Table", { ...COMMON, tableName, timeToLiveAttribute: SITE_TABLE_TTL });
  }
}
