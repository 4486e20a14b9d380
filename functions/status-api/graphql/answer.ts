import { GraphQLError } from "graphql";
import { TableUnavailableError, WorkflowUnavailableError } from "../../../shared/geo/errors.ts";
import { quoted } from "../../../shared/geo/key-codec.ts";
import type { Telemetry } from "../../../shared/ports/telemetry.ts";

/** Whether somebody asks for what GitLab's older descriptions of the state call SUCCEEDED. */
const namesVerified = (message: string): boolean =>
  message.includes('"VERIFIED"') && message.includes("VerificationStateEnum");

/** Longest message that is told, in characters: graphql-js says back what it was sent, however long. */
const MESSAGE_LENGTH_MAX = 1_000;

const shortened = (message: string): string =>
  message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message;

/**
 * An error as the caller gets it. What is for the caller says so; of what went wrong in here they learn whether to try again,
 * and the log learns the rest.
 */
export const toldError =
  (telemetry: Telemetry) =>
  (error: Readonly<GraphQLError | Error>): GraphQLError | Error => {
    if (!(error instanceof GraphQLError)) return error; // of graphql-http: about the request itself
    const { originalError, nodes, source, positions, path } = error;
    const told = (message: string, code?: string) =>
      new GraphQLError(message, {
        ...(nodes === undefined ? {} : { nodes }),
        ...(source === undefined ? {} : { source }),
        ...(positions === undefined ? {} : { positions }),
        ...(path === undefined ? {} : { path }),
        extensions: code === undefined ? error.extensions : { code },
      });
    if (originalError === undefined || originalError instanceof GraphQLError) {
      const message = shortened(error.message);
      if (namesVerified(error.message)) return told(`${message} What is verified is SUCCEEDED.`);
      return message === error.message ? error : told(message);
    }
    telemetry.error("graphql_failed", { path: error.path?.join("."), message: originalError.message });
    if (originalError instanceof TableUnavailableError) {
      return told("A table did not answer; try again.", "UNAVAILABLE");
    }
    if (originalError instanceof WorkflowUnavailableError) {
      return told("Step Functions did not answer; try again.", "UNAVAILABLE");
    }
    return told("Internal server error", "INTERNAL");
  };

/** What graphql-http's words come to in GitLab's, by status. */
const TITLES: Readonly<Record<number, string>> = {
  400: "400 Bad request",
  406: "406 Not Acceptable",
  415: "415 Unsupported Media Type",
};

/**
 * The refusal of a request that is no GraphQL request at all, in GitLab's shape for any call of the API, and in GraphQL's for
 * clients that look for `errors`.
 */
export const refusalBody = (status: number, problem: string): string => {
  const message = `${TITLES[status] ?? status} - ${problem}`;
  return JSON.stringify({ message, errors: [{ message }] });
};

/** What was expected of a request that graphql-http refused. */
export const expectationOf = (
  status: number,
  body: string | null,
  headers: Readonly<Record<"accept" | "type", string>>,
) => {
  if (status === 415) return `content-type: expected application/json in UTF-8, got ${quoted(headers.type)}`;
  if (status === 406) {
    return `accept: expected application/json or application/graphql-response+json, got ${quoted(headers.accept)}`;
  }
  const { errors = [] } = JSON.parse(body ?? "{}") as { errors?: { message: string }[] }; // graphql-http's own
  return `body: expected JSON such as {"query": "{ geoNode { name } }"}: ${errors.map(({ message }) => message).join("; ")}`;
};
