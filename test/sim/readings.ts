import type { StoredObject } from "../../shared/memory/bucket.ts";
import type { Item } from "../../shared/ports/table.ts";
import { sameBytes, text } from "./oracle.ts";
import type { Report } from "./transitions.ts";

/**
 * S2, by who says so: a process that calls a replica verified has itself read the version that the row then names, and what
 * it read were the bytes of the source version that the row names. What others have read before or since, and what has
 * become of the bytes since, does not matter to that.
 */
export class Readings {
  readonly #report: Report;
  readonly #source: (versionId: string) => StoredObject | undefined;
  /** What a process has read last of a version, from its beginning, by process and version. */
  readonly #read = new Map<string, Uint8Array>();

  /** @param source finds any version that the primary ever held */
  constructor(report: Report, source: (versionId: string) => StoredObject | undefined) {
    this.#report = report;
    this.#source = source;
  }

  /** A process was given bytes of a version. @param start how many bytes there are before them */
  read(process: string, versionId: string, start: number, bytes: Uint8Array): void {
    const before = this.#read.get(`${process} ${versionId}`)?.subarray(0, start) ?? new Uint8Array();
    this.#read.set(`${process} ${versionId}`, Buffer.concat([before, bytes]));
  }

  /** A process says that the replica is verified. @param row as it has written it */
  verified(process: string, row: Item): void {
    const [replica, source] = [text(row, "rep_version_id"), text(row, "src_version_id")];
    const read = this.#read.get(`${process} ${replica}`);
    const expected = this.#source(source)?.body;
    if (read !== undefined && expected !== undefined && sameBytes(read, expected)) return;
    const what = read === undefined ? "has not read it" : "has read other bytes than the source's";
    this.#report("S2", `${process} calls ${replica} verified against ${source}, and ${what}`);
  }
}
