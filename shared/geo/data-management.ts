import { Buffer } from "node:buffer";
import { findKeyProblem } from "./key-codec.ts";
import type { Replicable } from "./replicable.ts";

/** The names under which GitLab's data management shows the primary's records (F79). */

/** GitLab's name of a type's records: its table, without what marks a partitioned one. `ci_job_artifacts`. */
export const modelNameOf = ({ table }: Pick<Replicable, "table">): string => table.replace(/^p_/, "");

/**
 * The identifier of an object's record: its S3 key in URL-safe base64, as GitLab writes ids that have several parts. It
 * grants nothing. A record's own id would not do: there is no way from it to a key but going through all of them.
 */
export const recordIdentifier = (key: string): string => Buffer.from(key, "utf8").toString("base64url");

/** The key that an identifier names; nothing when it is none. Only one spelling of each is taken. */
export const keyOfIdentifier = (identifier: string): string | undefined => {
  const key = Buffer.from(identifier, "base64url").toString("utf8");
  return findKeyProblem(key) === undefined && recordIdentifier(key) === identifier ? key : undefined;
};

/** The path of the page about one record of the primary, behind the address of its API. */
export const dataManagementPath = (replicable: Pick<Replicable, "table">, key: string): string =>
  `/admin/data_management/${modelNameOf(replicable)}/${recordIdentifier(key)}`;
