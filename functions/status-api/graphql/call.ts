import type { ReplicableMatch } from "../../../shared/geo/replicable-match.ts";
import type { RegistryRow } from "../../../shared/geo/registry-row.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import type { SiteAnswer } from "../../../shared/geo/site-answer.ts";
import type { StatusSite } from "../../../shared/geo/site-status.ts";
import type { SwitchReader } from "../../../shared/ports/site.ts";
import type { BulkAsking } from "../../../shared/services/bulk-update/ask-for-bulk-update.ts";
import type { CursorKey } from "../../../shared/services/cursor-key.ts";
import type { SearchedRows } from "../../../shared/services/find-rows/row-search.ts";

/** What one GraphQL request is answered with. */
export interface GraphQLCall {
  readonly site: StatusSite;
  /** An administrator's token opened the API. All others see nothing. */
  readonly isAdmin: boolean;
  /** What tells the caller's token from all others. */
  readonly caller: string;
  /** What it was called, for logs. */
  readonly tokenName: string | undefined;
  readonly replicables: readonly Replicable[];
  readonly switches: SwitchReader;
  /** The rows of a secondary's registry; a primary has none. */
  readonly registry: SearchedRows<RegistryRow> | undefined;
  readonly cursorKey: CursorKey;
  readonly asking: BulkAsking;
  /** A site that this one knows; undefined when there is none of that name. */
  findSite(name: string): Promise<SiteAnswer | undefined>;
  /** To which type a key belongs now, and what its pattern finds in it. */
  match(key: string): Promise<ReplicableMatch | undefined>;
}

/** A row of a type, on its way to somebody who asked for it. */
export interface RegistryParent {
  readonly replicable: Replicable;
  readonly row: RegistryRow;
}
