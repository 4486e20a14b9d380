import type { Item } from "../../shared/ports/table.ts";
import type { HeadOutcome } from "../../shared/ports/object-store.ts";
import type { Report } from "./transitions.ts";

/** What an attempt has seen since it claimed the row that speaks for a removal (R29). */
interface Evidence {
  /** The primary's last answer was a delete marker. */
  marker: boolean;
  /** The primary showed nothing at all, and its record, asked after that, does not name the object either. */
  unrecorded: boolean;
}

const evidenceOf = (): Evidence => ({ marker: false, unrecorded: false });

/** A record that names an object: neither a tombstone, nor one that was made when the object could not be looked at. */
const namesObject = (record: Item | undefined): boolean =>
  record !== undefined && record["state"] === undefined && record["src_version_id"] !== undefined;

/**
 * R29: what has to come before each removal. Two witnesses, of which one is S3's 404 (S4, `Oracle`) and the other its delete
 * marker or the primary's own record; and a permit of the removal guard, one for each removal.
 */
export class Removals {
  readonly #report: Report;
  readonly #evidence = new Map<string, Evidence>();
  /** Permits in hand, by process and type. */
  readonly #permits = new Map<string, number>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** A process claimed a row, or claimed it anew: what it knew of the primary is out of date. */
  claimed(process: string, key: string): void {
    this.#evidence.set(`${process} ${key}`, evidenceOf());
  }

  /** A process was told by the primary's bucket about a key. */
  looked(process: string, key: string, outcome: HeadOutcome): void {
    const evidence = this.#of(process, key);
    evidence.marker = outcome.outcome === "absent" && outcome.deleteMarkerVersionId !== undefined;
    evidence.unrecorded = false;
  }

  /** A process read the primary's record of a key. */
  readRecord(process: string, key: string, record: Item | undefined): void {
    this.#of(process, key).unrecorded = !namesObject(record);
  }

  /** The guard let a process remove one replica of a type. */
  permitted(process: string, replicableName: string): void {
    const place = `${process} ${replicableName}`;
    this.#permits.set(place, (this.#permits.get(place) ?? 0) + 1);
  }

  /** A process sends a removal to S3. */
  removes(process: string, key: string, replicableName: string): void {
    const { marker, unrecorded } = this.#of(process, key);
    if (!marker && !unrecorded) {
      this.#report("R29", `${process} removes ${key} on one witness: there is no delete marker, and a record names it`);
    }
    const place = `${process} ${replicableName}`;
    const permits = this.#permits.get(place) ?? 0;
    if (permits === 0) this.#report("R29", `${process} removes ${key} without asking the removal guard`);
    this.#permits.set(place, permits - 1);
  }

  #of(process: string, key: string): Evidence {
    const place = `${process} ${key}`;
    const evidence = this.#evidence.get(place) ?? evidenceOf();
    this.#evidence.set(place, evidence);
    return evidence;
  }
}
