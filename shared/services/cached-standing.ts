import { STANDING_KEPT_MS } from "../geo/limits.ts";
import type { SiteStanding } from "../geo/site-standing.ts";
import type { Clock } from "../ports/clock.ts";
import type { StandingReader } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import { parseSiteRecord, siteRecordKey } from "../tables/site/site-record.ts";

/**
 * A site's record of itself, read at most every `STANDING_KEPT_MS`: a fence that costs a read per object would cost as much
 * as verifying it. Strongly consistent when it is read.
 */
export class CachedStanding implements StandingReader {
  readonly #table: Pick<Table, "get">;
  readonly #clock: Clock;
  #known: { readonly standing: SiteStanding; readonly readAt: number } | undefined;

  constructor(table: Pick<Table, "get">, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  async read(): Promise<SiteStanding> {
    const now = this.#clock.now();
    // A clock that was set back makes the known look new: then it is read again, too (R30).
    if (this.#known !== undefined && now >= this.#known.readAt && now - this.#known.readAt < STANDING_KEPT_MS) {
      return this.#known.standing;
    }
    const standing = parseSiteRecord(await this.#table.get(siteRecordKey));
    // As old as the question, not as the answer.
    this.#known = { standing, readAt: now };
    return standing;
  }
}
