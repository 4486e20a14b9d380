import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import type { CopyOutcome, ReplicaExpectation } from "../ports/object-store.ts";
import { readSdkError, storeFailure, wasNeverSent } from "./s3-failure.ts";

/** What a write to the replica's bucket expects to find there, as S3 takes it. */
export const destinationCondition = (
  replica: ReplicaExpectation,
): Pick<CopyObjectCommandInput, "IfMatch"> | Pick<CopyObjectCommandInput, "IfNoneMatch"> =>
  replica.expect === "nothing" ? { IfNoneMatch: "*" } : { IfMatch: replica.etag };

type Refusal = Exclude<CopyOutcome, { outcome: "copied" }>;

/**
 * How a mutation ended that threw. `status` is what came over the wire: the SDK turns an error in the body of a 200 into
 * a 503 of its own making, and only a real 503 says that nothing was done.
 */
export const refusal = (thrown: unknown, status: number | undefined): Refusal => {
  const error = { ...readSdkError(thrown), status };
  const { detail } = storeFailure(error);
  if (status === undefined) {
    return wasNeverSent(error)
      ? { outcome: "failed", failure: { kind: "unavailable", detail } }
      : { outcome: "unknown", detail };
  }
  if (status < 300) return { outcome: "unknown", detail: `200 with an error in its body. ${detail}` };
  if (status === 412) {
    // Both sides of a copy answer a false condition with 412, and S3 names the header only sometimes. Unnamed counts as
    // the destination: `lost` and `gone` both make the protocol look at both sides again.
    const { condition = "" } = error;
    return { outcome: condition.toLowerCase().startsWith("x-amz-copy-source") ? "gone" : "lost" };
  }
  if (status === 409) return { outcome: "lost" }; // R35
  // It may also mean that `If-Match` found no replica; looking again finds out which.
  if (status === 404 && error.name !== "NoSuchBucket") return { outcome: "gone" };
  // Asked to slow down, S3 has not begun. Any other 5xx leaves that open.
  if (status >= 500 && error.name !== "SlowDown") return { outcome: "unknown", detail };
  return { outcome: "failed", failure: storeFailure(error) };
};
