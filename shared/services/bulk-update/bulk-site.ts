import type { Replicable } from "../../geo/replicable.ts";
import type { SiteRole } from "../../geo/site-status.ts";
import type { MessageQueue } from "../../ports/message-queue.ts";
import type { SiteBase } from "../../ports/site.ts";
import type { ManyReader, Table } from "../../ports/table.ts";
import type { Workflow } from "../../ports/workflows.ts";

/** A queue of which it can be asked how much waits in it. */
export type MeasuredQueue = MessageQueue & {
  /** About how many messages. */
  backlog(): Promise<number>;
};

/** What a bulk update needs of a site, of either kind. */
export interface BulkSite extends Pick<SiteBase, "clock" | "chance" | "telemetry" | "switches"> {
  readonly role: SiteRole;
  readonly replicables: readonly Replicable[];
  /** The registry, or the primary's verification state. A primary's rows are marked as well as named. */
  readonly rows: Pick<Table, "query" | "update"> & ManyReader;
  /** This site's own table: the requests. */
  readonly siteTable: Pick<Table, "get" | "update">;
  /** Where keys go that are to be looked at: a secondary's backfill queue, the primary's checksum queue. */
  readonly lookQueue: MeasuredQueue;
  /** Where keys go whose replicas are to be read: a secondary's verification queue. A primary has none. */
  readonly verificationQueue: MeasuredQueue | undefined;
  /** The machine that runs this: executions that go on after others are started on it. */
  readonly workflow: Pick<Workflow, "start">;
}
