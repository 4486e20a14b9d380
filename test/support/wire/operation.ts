import { signedFor, type WireRequest } from "./exchange.ts";

const onBucket = (method: string, query: URLSearchParams): string | undefined => {
  if (method === "HEAD") return "HeadBucket";
  // Asked once per environment, before it works on a bucket.
  if (query.has("versioning")) return "GetBucketVersioning";
  if (query.has("uploads")) return "ListMultipartUploads";
  return query.has("list-type") ? "ListObjectsV2" : undefined;
};

const onObject = (method: string, query: URLSearchParams, copies: boolean): string | undefined => {
  switch (method) {
    case "HEAD":
      return "HeadObject";
    case "GET":
      if (query.has("uploadId")) return "ListParts";
      return query.has("tagging") ? "GetObjectTagging" : query.has("attributes") ? "GetObjectAttributes" : "GetObject";
    case "PUT":
      if (query.has("tagging")) return "PutObjectTagging";
      if (query.has("partNumber")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    case "POST":
      if (query.has("uploads")) return "CreateMultipartUpload";
      return query.has("uploadId") ? "CompleteMultipartUpload" : undefined;
    case "DELETE":
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    default:
      return undefined;
  }
};

/** The bucket and key that a path names, decoded; the key is empty when it names a bucket only. */
export const placeOf = ({ path }: Pick<WireRequest, "path">): { readonly bucket: string; readonly key: string } => {
  const [pathname = ""] = path.split("?");
  const [bucket = "", ...key] = pathname.slice(1).split("/");
  return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key.join("/")) };
};

/**
 * What is asked, as the API calls it: `CopyObject`, `SendMessageBatch`, `UpdateItem`. S3 tells it by method and query, SNS in
 * a form, the others in a header. Undefined when none of that says it.
 */
export const operationOf = (request: WireRequest): string | undefined => {
  const { method, path, headers, requestBody } = request;
  switch (signedFor(request).service) {
    case "s3": {
      const { searchParams } = new URL(path, "http://cloud");
      return placeOf(request).key === ""
        ? onBucket(method, searchParams)
        : onObject(method, searchParams, headers["x-amz-copy-source"] !== undefined);
    }
    case "sns":
      return new URLSearchParams(requestBody.toString("utf8")).get("Action") ?? undefined;
    default:
      // `AmazonSQS.SendMessageBatch`
      return headers["x-amz-target"]?.split(".").at(-1);
  }
};
