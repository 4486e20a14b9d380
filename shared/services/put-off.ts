import { encodeKey } from "../geo/key-codec.ts";
import { OUT_OF_PATTERN_WAIT_MS } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import type { ObjectRef } from "../geo/registry-row.ts";
import type { SiteBase } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import { putOffDue } from "../tables/put-off-due.ts";

/**
 * Rows that are due and whose keys their own type does not claim any more: its pattern was changed after they were made.
 * Nobody can work on them and nobody may forget them, since the pattern may be a mistake; so they come back once a day, for
 * an operator to see, and not with each sweep. Parking is for what can not be read, which these can.
 */
export class OutOfPattern {
  readonly #site: Pick<SiteBase, "clock" | "telemetry">;
  readonly #table: Pick<Table, "update">;
  readonly #putOff: ObjectRef[] = [];

  constructor(site: Pick<SiteBase, "clock" | "telemetry">, table: Pick<Table, "update">) {
    this.#site = site;
    this.#table = table;
  }

  /** @throws TableUnavailableError when the table did not answer: the row is still due */
  async putOff(ref: ObjectRef): Promise<void> {
    const now = this.#site.clock.now();
    const written = await this.#table.update(putOffDue(ref, now, now + OUT_OF_PATTERN_WAIT_MS));
    if (written.outcome === "written") this.#putOff.push(ref);
  }

  /** Counts and logs what was put off of one message, in one line. */
  report(): void {
    const [first] = this.#putOff;
    if (first === undefined) return;
    const { telemetry } = this.#site;
    telemetry.count(COUNT_METRICS.outOfPattern, this.#putOff.length, first.replicableName);
    telemetry.warn("out_of_pattern", {
      replicable: first.replicableName,
      keys: this.#putOff.length,
      first_key: encodeKey(first.key),
    });
  }
}
