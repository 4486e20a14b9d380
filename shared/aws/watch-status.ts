import type {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
} from "@aws-sdk/client-s3";

type Mutation = CompleteMultipartUploadCommand | CopyObjectCommand | CreateMultipartUploadCommand | DeleteObjectCommand;

const statusOf = (response: unknown): number | undefined => {
  const status =
    typeof response === "object" && response !== null && "statusCode" in response ? response.statusCode : undefined;
  return typeof status === "number" ? status : undefined;
};

/**
 * Notes the status of the answer before the SDK's own middleware can change it.
 * @returns a function that tells it once the command was sent; undefined as long as no answer came.
 */
export const watchStatus = (command: Mutation): (() => number | undefined) => {
  let status: number | undefined;
  // The stacks differ in the types of input and output only, which are passed on untouched.
  const { middlewareStack } = command as CopyObjectCommand;
  // The low end of the deserialize step is next to the wire.
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      status = statusOf(result.response);
      return result;
    },
    { step: "deserialize", priority: "low", name: "watchStatus" },
  );
  return () => status;
};
