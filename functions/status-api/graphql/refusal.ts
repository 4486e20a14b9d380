import { GraphQLError } from "graphql";

/** An error that is for the caller to read: it says what was expected and what came. */
export class Refusal extends GraphQLError {
  /** @param code a word for programs, GitLab's way: `ARGUMENT_ERROR` */
  constructor(
    message: string,
    code: "ARGUMENT_ERROR" | "RESOURCE_NOT_AVAILABLE" | "LIMIT_EXCEEDED" = "ARGUMENT_ERROR",
  ) {
    super(message, { extensions: { code } });
    this.name = "Refusal";
  }
}

/** GitLab's own words for what is not there, or not for the caller to know of. */
export const notAvailable = (): Refusal =>
  new Refusal(
    "The resource that you are attempting to access does not exist or you don't have permission to perform this action",
    "RESOURCE_NOT_AVAILABLE",
  );
