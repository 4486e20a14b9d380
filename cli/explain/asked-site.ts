import type {
  ObjectState,
  OriginalRecordState,
  QueueState,
  ReplicaRecord,
} from "../../shared/client/object-contract.ts";

/** A site that told what it knows of a key. */
export interface AskedSite {
  readonly name: string;
  readonly object: ObjectState;
  /** False of a secondary that is to leave alone what is in its bucket (`sync_object_storage`). */
  readonly keepsObjects: boolean;
  /** Undefined where they could not be measured. */
  readonly queues: readonly QueueState[] | undefined;
}

/** A site that could not be asked, and why not. */
export interface UnaskedSite {
  readonly name: string;
  readonly problem: string;
}

/** A secondary's row; undefined where there is none. */
export const replicaOf = ({ object: { record } }: AskedSite): ReplicaRecord | undefined =>
  record?.kind === "replica" ? record : undefined;

/** The primary's record; undefined where there is none. */
export const originalOf = ({ object: { record } }: AskedSite): OriginalRecordState | undefined =>
  record?.kind === "original" ? record : undefined;

/** A word as a shell takes it, whatever is in it. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
