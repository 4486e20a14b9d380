import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { IConstruct } from "constructs";

import { executionArn } from "../../shared/geo/physical-names.ts";
import { acknowledge } from "./acknowledge.ts";
import { stateMachineArn, type Place } from "./arns.ts";

/** Rights on a state machine, by intent. Made from its name, so that its own functions can have them. */
export class WorkflowAccess {
  readonly stateMachineArn: string;

  constructor(place: Place, name: string) {
    this.stateMachineArn = stateMachineArn(place, name);
  }

  /** Start executions by name, and ask how they stand; not stop them. */
  grantStart(grantee: IGrantable & IConstruct): void {
    Grant.addToPrincipal({
      grantee,
      actions: ["states:StartExecution"],
      resourceArns: [this.stateMachineArn],
    });
    const executions = executionArn(this.stateMachineArn, "*");
    Grant.addToPrincipal({ grantee, actions: ["states:DescribeExecution"], resourceArns: [executions] });
    acknowledge(grantee, { [`IAM5[Resource::${executions}]`]: "An execution's name is known when it is started." });
  }
}
