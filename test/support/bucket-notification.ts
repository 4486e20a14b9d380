import { encodeEventKey } from "../../shared/memory/bucket-event.ts";

/** What S3 sends about one change of one key, as somebody else could write it. */
export const bucketNotification = ({
  bucket,
  region,
  key,
  eventName = "ObjectCreated:Put",
  size = 1,
}: {
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  /** Default `ObjectCreated:Put`. */
  readonly eventName?: string;
  /** Bytes that the event claims. Default 1. */
  readonly size?: number;
}): string =>
  JSON.stringify({
    Records: [
      {
        eventVersion: "2.6",
        eventSource: "aws:s3",
        awsRegion: region,
        eventTime: new Date().toISOString(),
        eventName,
        s3: { bucket: { name: bucket }, object: { key: encodeEventKey(key), size } },
      },
    ],
  });
