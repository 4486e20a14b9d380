import type { ReplicableMatch } from "../../../shared/geo/replicable-match.ts";
import type { RegistryRow } from "../../../shared/geo/registry-row.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import type { StatusSite } from "../../../shared/geo/site-status.ts";
import type { SwitchReader } from "../../../shared/ports/site.ts";
import type { BulkAsking } from "../../../shared/services/bulk-update/ask-for-bulk-update.ts";
import type { CursorKey } from "../../../shared/services/cursor-key.ts";
import type { SearchedRows } from "../../../shared/services/find-rows/row-search.ts";
import type { SiteSettings } from "../../../shared/geo/site-settings.ts";

/** What one GraphQL request is answered with. */
export interface GraphQLCall {
  readonly site: StatusSite;
  /** An administrator's token opened the API. All others see nothing. */
  readonly isAdmin: boolean;
  /** The name of the caller's token. */
  readonly caller: string;
  /** Where the caller reached the API, without a slash at the end. */
  readonly apiUrl: string;
  readonly replicables: readonly Replicable[];
  readonly switches: SwitchReader;
  /** The rows of a secondary's registry; a primary has none. */
  readonly registry: SearchedRows<RegistryRow> | undefined;
  readonly cursorKey: CursorKey;
  readonly asking: BulkAsking;
  settings(): Promise<SiteSettings>;
  /** Whether the site keeps replicas of objects, when nobody has said anything. */
  readonly keepsObjects: boolean;
  /** To which type a key belongs now, and what its pattern finds in it. */
  match(key: string): Promise<ReplicableMatch | undefined>;
}

/** A site that can be asked for. */
export interface NodeParent {
  readonly site: StatusSite;
  /** It is the site that answers: only its registries can be seen here. */
  readonly isCurrent: boolean;
}

/** A row of a type, on its way to somebody who asked for it. */
export interface RegistryParent {
  readonly replicable: Replicable;
  readonly row: RegistryRow;
}
