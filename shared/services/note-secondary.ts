import { messageOf } from "../geo/errors.ts";
import type { SiteBase } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import { type KnownSecondary, noteSecondary } from "../tables/site/known-secondary.ts";

/** How often a feed says that its secondary is there, milliseconds. */
const NOTED_EVERY_MS = 60 * 60 * 1_000;

/** Says in the primary's table which secondary a feed is of. Nothing of what the feed carries depends on it. */
export class SecondaryNote {
  readonly #site: Pick<SiteBase, "clock" | "telemetry">;
  readonly #primarySiteTable: Pick<Table, "update">;
  readonly #secondary: KnownSecondary;
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(
    site: Pick<SiteBase, "clock" | "telemetry">,
    primarySiteTable: Pick<Table, "update">,
    secondary: KnownSecondary,
  ) {
    this.#site = site;
    this.#primarySiteTable = primarySiteTable;
    this.#secondary = secondary;
  }

  /** Once an hour, and never throws: what it could not write it writes with the next batch. */
  async refresh(): Promise<void> {
    const now = this.#site.clock.now();
    if (now - this.#notedAt < NOTED_EVERY_MS) return;
    try {
      await this.#primarySiteTable.update(noteSecondary(this.#secondary, now));
      this.#notedAt = now;
    } catch (error) {
      this.#site.telemetry.warn("a secondary could not be noted at the primary", { reason: messageOf(error) });
    }
  }
}
