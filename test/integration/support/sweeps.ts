import {
  DescribeStateMachineCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  paginateListExecutions,
} from "@aws-sdk/client-sfn";
import { sfnClient } from "../../../shared/aws/clients.ts";
import { functionName, siteNames } from "../../../shared/geo/physical-names.ts";
import { askCloud } from "../../support/ask-cloud.ts";
import { cloud, installation, secondary } from "../../support/cloud.ts";

const naming = { name: installation, account: cloud.account };

export const sfn = sfnClient(secondary.region);

/** The ARN of the secondary's sweep's machine. */
export const sweepMachineArn = `arn:aws:states:${secondary.region}:${cloud.account}:stateMachine:${siteNames(naming, secondary).retrySweep}`;

/** Calls the secondary's retry-sweep function as the schedule does, or a state of its machine. */
export const callSweep = (event: unknown): Promise<unknown> => {
  const name = functionName(naming, secondary, "retry-sweep");
  return askCloud(cloud, secondary.region, "lambda", `/2015-03-31/functions/${name}/invocations`, {
    method: "POST",
    body: JSON.stringify(event),
  });
};

/** The machine's definition, as it is deployed. */
export const deployedDefinition = async (): Promise<string> =>
  (await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: sweepMachineArn }))).definition ?? "";

/** Every event of an execution. */
export const historyOf = async (executionArn: string): Promise<readonly HistoryEvent[]> => {
  const events: HistoryEvent[] = [];
  for await (const page of paginateGetExecutionHistory({ client: sfn }, { executionArn }))
    events.push(...(page.events ?? []));
  return events;
};

/** The states that an execution entered, in order. */
export const statesEntered = (events: readonly HistoryEvent[]): readonly string[] =>
  events.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);

/** What AWS charges for the sweep's executions that were started since: a transition for each state, and one to the end. */
export const transitionsSince = async (
  since: number,
): Promise<{ readonly executions: number; readonly transitions: number }> => {
  let executions = 0;
  let transitions = 0;
  for await (const { executions: some = [] } of paginateListExecutions(
    { client: sfn },
    { stateMachineArn: sweepMachineArn },
  )) {
    for (const { executionArn = "", startDate } of some) {
      if ((startDate?.getTime() ?? 0) < since) continue;
      executions += 1;
      transitions += statesEntered(await historyOf(executionArn)).length + 1;
    }
  }
  return { executions, transitions };
};
