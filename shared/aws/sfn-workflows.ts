import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type ExecutionStatus as SfnStatus,
  SFNServiceException,
  StartExecutionCommand,
  type SFNClient,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { GeoError, messageOf, WorkflowUnavailableError } from "../geo/errors.ts";
import { EXECUTION_NAME, executionArn } from "../geo/physical-names.ts";
import type { ExecutionStatus, StartOutcome, Workflow, WorkflowExecution } from "../ports/workflows.ts";

/** What Step Functions takes as an execution's input (quotas of state machine executions), bytes of UTF-8. */
const INPUT_BYTES_MAX = 256 * 1024;

/** Refusals that will be the same the next time; everything else may pass. */
const REFUSALS = new Set(["InvalidName", "InvalidExecutionInput", "InvalidArn"]);

const STATUS: Readonly<Record<SfnStatus, ExecutionStatus>> = {
  RUNNING: "running",
  // A child of a map that will be taken up again: not ended.
  PENDING_REDRIVE: "running",
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  TIMED_OUT: "timed_out",
  ABORTED: "aborted",
};

const failureOf = ({ error, cause }: DescribeExecutionCommandOutput): string | undefined => {
  const words = [error, cause].filter((part) => part !== undefined && part !== "");
  return words.length === 0 ? undefined : words.join(": ");
};

/** A state machine of Step Functions. */
export class SfnWorkflow implements Workflow {
  readonly name: string;
  readonly #client: SFNClient;
  readonly #arn: string;

  /**
   * @param client of the machine's region
   * @param stateMachineArn `arn:…:states:…:stateMachine:<name>`
   */
  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.#arn = stateMachineArn;
    this.name = stateMachineArn.slice(stateMachineArn.lastIndexOf(":") + 1);
  }

  async start(execution: string, input: unknown): Promise<StartOutcome> {
    const json = JSON.stringify(input);
    const bytes = Buffer.byteLength(json, "utf8");
    if (!EXECUTION_NAME.test(execution)) {
      throw new GeoError(
        "GEO_WORKFLOW_REQUEST",
        `${this.name}: expected an execution's name of ${EXECUTION_NAME.source}, got "${execution}"`,
      );
    }
    if (bytes > INPUT_BYTES_MAX) {
      throw new GeoError(
        "GEO_WORKFLOW_REQUEST",
        `${this.name}: expected an input of at most ${INPUT_BYTES_MAX} bytes, got ${bytes}`,
      );
    }
    return this.#answered("start", async () => {
      try {
        await this.#client.send(
          new StartExecutionCommand({ stateMachineArn: this.#arn, name: execution, input: json }),
        );
        return { outcome: "started" };
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return { outcome: "existed" };
        throw error;
      }
    });
  }

  async describe(execution: string): Promise<WorkflowExecution | undefined> {
    return this.#answered("describe", async () => {
      try {
        const answer = await this.#client.send(
          new DescribeExecutionCommand({ executionArn: executionArn(this.#arn, execution) }),
        );
        const status = STATUS[answer.status ?? "RUNNING"];
        const failure = failureOf(answer);
        return {
          name: execution,
          status,
          startedAt: answer.startDate?.getTime() ?? 0,
          ...(answer.stopDate === undefined ? {} : { endedAt: answer.stopDate.getTime() }),
          ...(status === "succeeded" && answer.output !== undefined ? { output: JSON.parse(answer.output) } : {}),
          ...(failure === undefined ? {} : { failure }),
        };
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    });
  }

  async stop(execution: string, cause: string): Promise<void> {
    await this.#answered("stop", async () => {
      try {
        await this.#client.send(
          new StopExecutionCommand({ executionArn: executionArn(this.#arn, execution), error: "Stopped", cause }),
        );
      } catch (error) {
        // One that has ended is refused as invalid, and what else could be invalid is made here.
        if (error instanceof ExecutionDoesNotExist || isInvalid(error)) return;
        throw error;
      }
    });
  }

  async #answered<T>(call: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const words = `${this.name}: ${call}: ${messageOf(error)}`;
      if (error instanceof SFNServiceException && REFUSALS.has(error.name)) {
        throw new GeoError("GEO_WORKFLOW_REQUEST", words, { cause: error });
      }
      throw new WorkflowUnavailableError(words, { cause: error });
    }
  }
}

const isInvalid = (error: unknown): boolean =>
  error instanceof SFNServiceException && error.name === "ValidationException";
