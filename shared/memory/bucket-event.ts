/** What happened to a version, in the words of S3's notifications. */
export type BucketEventName =
  | "ObjectCreated:Put"
  | "ObjectCreated:Copy"
  | "ObjectCreated:CompleteMultipartUpload"
  | "ObjectRemoved:Delete"
  | "ObjectRemoved:DeleteMarkerCreated"
  | "ObjectTagging:Put";

export interface BucketEvent {
  readonly name: BucketEventName;
  readonly bucket: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly key: string;
  readonly versionId: string;
  /** Absent on removals. */
  readonly size?: number;
  /** Without quotes; absent on removals. */
  readonly etag?: string;
  /** Hexadecimal; comparable within one key only. Absent on tagging. */
  readonly sequencer?: string;
  /** Names the S3 request that caused it. */
  readonly requestId: string;
}

/** A key as notifications carry it: form-encoded, with `+` for a space and slashes as they are. */
export const encodeEventKey = (key: string): string =>
  encodeURIComponent(key)
    .replace(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
    .replaceAll("%2F", "/");

/** The message that S3 publishes for one event: its structure version 2.6, one record. */
export const notificationBody = (event: BucketEvent): string =>
  JSON.stringify({
    Records: [
      {
        eventVersion: "2.6",
        eventSource: "aws:s3",
        awsRegion: event.region,
        eventTime: new Date(event.time).toISOString(),
        eventName: event.name,
        userIdentity: { principalId: "AWS:MEMORY" },
        requestParameters: { sourceIPAddress: "127.0.0.1" },
        responseElements: { "x-amz-request-id": event.requestId, "x-amz-id-2": event.requestId },
        s3: {
          s3SchemaVersion: "1.0",
          configurationId: "geo",
          bucket: {
            name: event.bucket,
            ownerIdentity: { principalId: "MEMORY" },
            arn: `arn:aws:s3:::${event.bucket}`,
          },
          object: {
            key: encodeEventKey(event.key),
            ...(event.size === undefined ? {} : { size: event.size }),
            ...(event.etag === undefined ? {} : { eTag: event.etag }),
            versionId: event.versionId,
            ...(event.sequencer === undefined ? {} : { sequencer: event.sequencer }),
          },
        },
      },
    ],
  });
