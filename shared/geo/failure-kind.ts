import { FAILURE_TEXTS, type FailureKind } from "./failure-policy.ts";
import type { RegistryRow } from "./registry-row.ts";

/** Why a registry row is failed: what an attempt says, a holder that never came back (F20), a replica that differs (F25). */
export type RowFailureKind = FailureKind | "sync_timeout" | "checksum_mismatch";

/** How each begins to be told. */
const TEXTS: Readonly<Record<RowFailureKind, string>> = {
  ...FAILURE_TEXTS,
  sync_timeout: "Sync timed out after",
  checksum_mismatch: "Verification failed with",
};

/** Every kind, in alphabetical order. */
export const failureKinds = (Object.keys(TEXTS) as RowFailureKind[]).toSorted();

/** The kind of a row's last failure, by its words; undefined for a text that an older version may have written. */
export const failureKindOf = ({
  last_sync_failure: text = "",
}: Pick<RegistryRow, "last_sync_failure">): RowFailureKind | undefined =>
  failureKinds.find((kind) => text.startsWith(TEXTS[kind]));
