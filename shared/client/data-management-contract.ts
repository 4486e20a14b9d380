import * as z from "zod/mini";

/** One object of the primary with its checksum, as `GET /api/v4/admin/data_management/:model_name` tells of it. */
export const ManagedRecordContract = z.looseObject({
  /** The S3 key in URL-safe base64: opaque to callers, and what other calls name the object by. */
  record_identifier: z.string(),
  model_class: z.string(),
  created_at: z.nullable(z.iso.datetime()),
  /** Bytes; null before the object was first looked at. */
  file_size: z.nullable(z.number()),
  checksum_information: z.object({
    checksum: z.nullable(z.string()),
    last_checksum: z.nullable(z.iso.datetime()),
    checksum_state: z.enum(["pending", "started", "succeeded", "failed", "disabled"]),
    checksum_retry_count: z.number(),
    checksum_retry_at: z.nullable(z.iso.datetime()),
    checksum_failure: z.nullable(z.string()),
  }),
});
export type ManagedRecord = z.infer<typeof ManagedRecordContract>;

export const ManagedRecordsContract = z.array(ManagedRecordContract);

/** The answer of `PUT /api/v4/admin/data_management/:model_name/checksum`. */
export const ChecksumsAskedContract = z.looseObject({
  status: z.literal("success"),
  message: z.string(),
  /** By what it is followed and cancelled: see `bulk_updates`. */
  bulk_update_id: z.string(),
});
export type ChecksumsAsked = z.infer<typeof ChecksumsAskedContract>;
