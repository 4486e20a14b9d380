import type { ObjectRef, RegistryRow, VerificationStateRow } from "../../shared/geo/registry-row.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import { clearTaint } from "../../shared/tables/registry/recheck.ts";
import { commitVerified } from "../../shared/tables/registry/verification.ts";
import { recordChecksum } from "../../shared/tables/verification-state/record-source.ts";

/** Writes that name what a row says, made of rows that do not say it. */
export const move = (
  ref: ObjectRef,
  row: RegistryRow,
  state: VerificationStateRow,
): readonly { readonly table: "registry" | "verificationState"; readonly request: UpdateRequest }[] => [
  { table: "registry", request: clearTaint(ref, row, undefined) },
  { table: "registry", request: commitVerified({ ref, token: "v", now: 0, row }, "sha256:00") },
  { table: "verificationState", request: recordChecksum(ref, state, "sha256:00", 0) },
];
