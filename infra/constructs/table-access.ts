import { Grant, PolicyStatement, type IGrantable } from "aws-cdk-lib/aws-iam";

import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { tableArn, type Place } from "./arns.ts";

/** Rights on a table, by intent. Made from the table's name, so that it can be given across stacks and regions. */
export class TableAccess {
  readonly tableName: string;
  readonly #arn: string;

  constructor(place: Place, tableName: string) {
    this.tableName = tableName;
    this.#arn = tableArn(place, tableName);
  }

  /** Look up rows by key: a secondary asks the primary's verification state. */
  grantLookUp(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:GetItem"]);
  }

  /** Claim, change and remove rows, as the replication protocol does. */
  grantWork(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]);
  }

  /** Note the outcome of a verification in rows; never remove one. */
  grantVerify(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"]);
  }

  /** Read rows and make them due; never remove one. */
  grantTouch(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"]);
  }

  /** Change rows that are there; neither read nor remove one. */
  grantMark(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:UpdateItem"]);
  }

  /** Read many rows at once, to compare them. */
  grantReadMany(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:BatchGetItem"]);
  }

  /** Remove rows that are there; neither read nor change one. */
  grantRemove(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:DeleteItem"]);
  }

  /** List rows, partition by partition. */
  grantListRows(grantee: IGrantable): Grant {
    return this.#grant(grantee, ["dynamodb:Query"]);
  }

  /** List what is due; nothing else. */
  grantReadDue(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ["dynamodb:Query"],
      resourceArns: [`${this.#arn}/index/${DUE_INDEX}`],
    });
  }

  /** Read the rows of one partition, for example every counter. */
  grantReadPartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, ["dynamodb:GetItem", "dynamodb:Query"]);
  }

  /** Look up rows of one partition by their keys. */
  grantLookUpPartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, ["dynamodb:GetItem"]);
  }

  /** Look up and change rows of one partition. */
  grantChangePartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, ["dynamodb:GetItem", "dynamodb:UpdateItem"]);
  }

  /** Look up rows of one partition, and replace them as a whole. */
  grantReplaceInPartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, ["dynamodb:GetItem", "dynamodb:PutItem"]);
  }

  /** Write rows of one partition, and read none. */
  grantMarkPartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, ["dynamodb:UpdateItem"]);
  }

  /** Keep items of one partition: make, list, change and remove them. */
  grantKeepPartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, [
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
    ]);
  }

  /** List and look up rows of one partition, and remove them. */
  grantForgetInPartition(grantee: IGrantable, partition: string): void {
    this.#grantPartition(grantee, partition, ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem"]);
  }

  /** List and look up the rows of every partition whose name begins so, followed by a `#`. */
  grantReadPartitions(grantee: IGrantable, beginning: string): void {
    this.#grantPartition(grantee, `${beginning}#*`, ["dynamodb:GetItem", "dynamodb:Query"], "StringLike");
  }

  /** Look up many rows at once, of every partition whose name begins so, followed by a `#`; and remove them. */
  grantTidyPartitions(grantee: IGrantable, beginning: string): void {
    this.#grantPartition(grantee, `${beginning}#*`, ["dynamodb:BatchGetItem", "dynamodb:DeleteItem"], "StringLike");
  }

  /** Make, list and replace items of every partition whose name begins so, followed by a `#`; never remove one. */
  grantFillPartitions(grantee: IGrantable, beginning: string): void {
    const actions = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"];
    this.#grantPartition(grantee, `${beginning}#*`, actions, "StringLike");
  }

  #grant(grantee: IGrantable, actions: string[]): Grant {
    return Grant.addToPrincipal({ grantee, actions, resourceArns: [this.#arn] });
  }

  /** The partition key is part of the right: who may count may not make tokens. */
  #grantPartition(
    grantee: IGrantable,
    partition: string,
    actions: string[],
    compared: "StringEquals" | "StringLike" = "StringEquals",
  ): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions,
        resources: [this.#arn],
        conditions: { [`ForAllValues:${compared}`]: { "dynamodb:LeadingKeys": [partition] } },
      }),
    );
  }
}
