import { createHash } from "node:crypto";
import { authorizer } from "../../../functions/authorizer/authorize.ts";
import { admitted } from "../../../functions/status-api/admitted.ts";
import { statusApp } from "../../../functions/status-api/app.ts";
import { countedTable, type RowChange } from "../../../shared/geo/counters.ts";
import { DUE_INDEX } from "../../../shared/geo/physical-names.ts";
import { SYNC_TIMEOUT_SECONDS } from "../../../shared/geo/limits.ts";
import { redrivableQueues } from "../../../shared/geo/redrivable-queues.ts";
import type { SiteRole } from "../../../shared/geo/site-status.ts";
import type { TokenRequest } from "../../../shared/geo/tokens.ts";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryDeadLetters } from "../../../shared/memory/dead-letters.ts";
import { MemoryQueue } from "../../../shared/memory/queue.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import { MemoryWorkflow } from "../../../shared/memory/workflows.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { issueToken } from "../../../shared/services/issue-token.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import { undocumented } from "../../support/documented-answers.ts";

/** The primary, where the site is a secondary. */
export const PRIMARY_NAME = "virginia";

export const API_URL = "https://api.example.com/geo";

/**
 * One site's API with all that stands behind it, in memory.
 * @param given what a test has already
 */
export const apiSite = (
  role: SiteRole = "secondary",
  given: {
    /** Default: frankfurt. */
    readonly name?: string;
    readonly siteTable?: MemoryTable;
    readonly destroys?: MemoryWorkflow;
    readonly clock?: ManualClock;
    /** What happens while somebody waits. */
    readonly whileWaiting?: () => Promise<unknown>;
  } = {},
) => {
  const siteTable = given.siteTable ?? new MemoryTable({ name: "site" });
  const primarySiteTable = role === "primary" ? siteTable : new MemoryTable({ name: "primary-site" });
  const clock = given.clock ?? new ManualClock();
  const telemetry = new MemoryTelemetry();
  /** The registry, or the primary's verification state. */
  const rowTable = new MemoryTable({
    name: countedTable(role),
    indexes: [{ name: DUE_INDEX, pk: "due_pk", sk: "due_at", include: [] }],
  });
  const destroys = given.destroys ?? new MemoryWorkflow({ name: "batch-destroy", clock });
  const bulkWorkflow = new MemoryWorkflow({ name: "bulk-update", clock });
  const site = { name: given.name ?? "frankfurt", role, region: "eu-central-1" } as const;
  /** The site's queues, with dead letters. */
  const queues = redrivableQueues({ name: "geo", account: "111122223333" }, site, "us-east-1").map(
    ({ name, queue, dead_letters }) => {
      const chance = new SeededChance(1);
      const live = new MemoryQueue({ name: queue, clock, chance });
      return { name, live, dead: new MemoryQueue({ name: dead_letters, clock, chance, visibilityTimeoutSeconds: 60 }) };
    },
  );
  const redrivable = queues.map(({ name, live, dead }) => ({
    name,
    queue: live,
    deadLetters: new MemoryDeadLetters(dead),
  }));
  const switches = new CachedSwitches(primarySiteTable, replicables, clock);
  const app = statusApp({
    site,
    replicables,
    siteTable,
    rows: rowTable,
    randomBytes: (size) => createHash("sha256").update("random").digest().subarray(0, size),
    primarySiteTable,
    bulkWorkflow,
    destroys,
    chance: new SeededChance(1),
    syncObjectStorage: true,
    syncTimeoutSeconds: SYNC_TIMEOUT_SECONDS.standard,
    switches,
    primary: role === "primary" ? undefined : { name: PRIMARY_NAME, siteTable: primarySiteTable },
    redrivable,
    pause: async (milliseconds) => {
      clock.advance(milliseconds);
      await given.whileWaiting?.();
    },
    clock,
    telemetry,
  });
  const gatekeeper = { site: siteTable, clock };
  const front = admitted(app, gatekeeper);
  let tokens = 0;
  let sequence = 0;

  return {
    site,
    siteTable,
    primarySiteTable,
    rowTable,
    destroys,
    bulkWorkflow,
    queues,
    clock,
    telemetry,
    app,
    authorize: authorizer(gatekeeper, telemetry),

    /** A token, as `geo token create` makes one. */
    token: async (request: Partial<TokenRequest> = {}): Promise<string> => {
      tokens += 1;
      const random = createHash("sha256").update(`token ${tokens}`).digest();
      const issuer = { site: siteTable, clock, randomBytes: () => random };
      return (await issueToken(issuer, { name: "tests", scope: "read_geo", ...request })).token;
    },

    /** Calls the API as a client would: through the authorizer. Whatever it answers has to be as docs/api/openapi.json says. */
    call: async (path: string, init?: RequestInit): Promise<Response> => {
      const request = new Request(`https://api.invalid${path}`, init);
      const response = await front.fetch(request, { apiUrl: API_URL });
      const problem = await undocumented(request.method, new URL(request.url).pathname, response);
      if (problem !== undefined) throw new Error(`not as the API is described: ${problem}`);
      return response;
    },

    /** Lets rows appear in the site's table, in the given states. */
    rows: async (rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> => {
      const changes = rows.map((after): RowChange => {
        sequence += 1;
        return { sequenceNumber: String(sequence), after };
      });
      await countChanges(siteTable, { table: countedTable(role), shard: "shard-1", changes });
    },
  };
};
