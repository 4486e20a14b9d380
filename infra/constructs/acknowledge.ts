import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/**
 * Says why a finding of cdk-nag does not apply here. It stands next to the resource it speaks of.
 *
 * @param findings rule, or rule and finding such as `IAM5[Resource::*]`, to reason.
 */
export const acknowledge = (construct: IConstruct, findings: Readonly<Record<string, string>>): void => {
  for (const [rule, reason] of Object.entries(findings)) {
    Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  }
};
