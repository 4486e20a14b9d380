import { Buffer } from "node:buffer";
import type { Replicable } from "./replicable.ts";

/** The names under which GitLab's data management shows the primary's records (F79). */

/** GitLab's name of a type's records: its table, without what marks a partitioned one. `ci_job_artifacts`. */
export const modelNameOf = ({ table }: Pick<Replicable, "table">): string => table.replace(/^p_/, "");

const WHOLE_NUMBER = /^[1-9]\d*$/;

/** A record's id in an address: as it is when it is a number, else, since it has several parts, as URL-safe base64. */
export const recordIdentifierOf = (modelRecordId: string): string =>
  WHOLE_NUMBER.test(modelRecordId) ? modelRecordId : Buffer.from(modelRecordId, "utf8").toString("base64url");

/** The record id of an identifier; undefined when it is none. A record has one identifier. */
export const recordIdOf = (identifier: string): string | undefined => {
  const id = WHOLE_NUMBER.test(identifier) ? identifier : Buffer.from(identifier, "base64url").toString("utf8");
  return recordIdentifierOf(id) === identifier && id !== "" ? id : undefined;
};

/** The path of the page about one record of the primary, behind the address of its API. */
export const dataManagementPath = (replicable: Pick<Replicable, "table">, modelRecordId: string): string =>
  `/admin/data_management/${modelNameOf(replicable)}/${recordIdentifierOf(modelRecordId)}`;
