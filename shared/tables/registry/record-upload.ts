import { type OpenUpload, uploadColumns } from "../../geo/open-upload.ts";
import { type ObjectRef, rowKey } from "../../geo/registry-row.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";

/**
 * Notes the upload that was begun for a row, before anything is copied into it: whoever comes after goes on with it or
 * aborts it. Refused when the row is not ours any more; then nobody will know of the upload but us.
 */
export const recordUpload = (ref: ObjectRef, token: string, upload: OpenUpload): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: uploadColumns(upload),
    condition: "attempt_token = :token",
    values: { ":token": token },
  });
