import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { withPage } from "../../../functions/admin-page/page-app.ts";
import { admitted } from "../../../functions/status-api/admitted.ts";
import { statusApp } from "../../../functions/status-api/app.ts";
import { systemChance } from "../../../shared/aws/system-clock.ts";
import { countedTable, type RowChange } from "../../../shared/geo/counters.ts";
import { readBulkStep } from "../../../shared/geo/bulk-step.ts";
import { SYNC_TIMEOUT_SECONDS } from "../../../shared/geo/limits.ts";
import { DUE_INDEX } from "../../../shared/geo/physical-names.ts";
import { defineReplicable, type Replicable } from "../../../shared/geo/replicable.ts";
import { metadataScope } from "../../../shared/geo/replicable-scope.ts";
import { siteId, type SiteRole } from "../../../shared/geo/site-status.ts";
import type { WebApp } from "../../../shared/lambda/http-handler.ts";
import { MemoryQueue } from "../../../shared/memory/queue.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import { MemoryWorkflow } from "../../../shared/memory/workflows.ts";
import { replicables as declared } from "../../../shared/replicables/index.ts";
import { takeBulkStep } from "../../../shared/services/bulk-update/take-step.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { gatherStatus } from "../../../shared/services/gather-status.ts";
import { issueToken } from "../../../shared/services/issue-token.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import { noteSecondary } from "../../../shared/tables/site/known-secondary.ts";
import { buildPage } from "../../../web/build.ts";
import { itemOf, lagAfter, putCounts, rowsOf } from "./held-rows.ts";

/**
 * A primary and a secondary with the admin page in front of each, on this machine: the APIs are the product's own, on tables in
 * memory. Some rows are there; a million more are in the counters alone, which is all that a status reads.
 */

const MINUTE_MS = 60_000;

/** How many types there are, counting those that only this pair has: the number that GitLab has today. */
const TYPES = 44;

const extra = (number: number): Replicable =>
  defineReplicable({
    name: `further_upload_${String.fromCharCode(96 + number)}`,
    model: `FurtherUpload${number}`,
    table: `further_uploads_${number}`,
    shardingKey: "none",
    uploader: "FurtherUploader",
    strategy: "blob",
    scope: metadataScope,
    milestone: "19.3",
    enabledByDefault: true,
  });

const replicables: readonly Replicable[] = [
  ...declared,
  ...Array.from({ length: TYPES - declared.length }, (_, index) => extra(index + 1)),
];

/** The time of this machine, but that the last hour can be lived through at once. */
const movableClock = () => {
  let offset = 0;
  return { now: () => Date.now() + offset, moveTo: (before: number) => void (offset = -before) };
};
type MovableClock = ReturnType<typeof movableClock>;

/** Serves a web app on a free port, and counts what each call took in it. */
const serve = async (
  appAt: (url: string) => WebApp,
): Promise<{ readonly url: string; readonly server: Server; readonly took: Took[] }> => {
  const took: Took[] = [];
  let app: WebApp | undefined;
  let url = "";
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
      const method = request.method ?? "GET";
      const hasBody = method !== "GET" && method !== "HEAD";
      const path = request.url ?? "/";
      const asked = new Request(`http://site.invalid${path}`, {
        method,
        headers,
        ...(hasBody && { body: await buffer(request) }),
      });
      const before = performance.now();
      const result = await app?.fetch(asked, { apiUrl: url });
      const text = (await result?.text()) ?? "";
      took.push({ method, path, milliseconds: performance.now() - before });
      response.writeHead(result?.status ?? 500, Object.fromEntries(result?.headers ?? [])).end(text);
    };
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/geo`;
  app = appAt(url);
  return { url, server, took };
};

/** How long the API took for a call, without the network. */
export interface Took {
  readonly method: string;
  readonly path: string;
  readonly milliseconds: number;
}

/** Takes the stage off the path, as API Gateway does. */
const behindStage = (app: WebApp): WebApp => ({
  fetch: (request, context) => app.fetch(new Request(request.url.replace("/geo/", "/"), request), context),
});

/** One of the two sites, open. */
export interface OpenSite {
  readonly name: string;
  readonly id: number;
  readonly url: string;
  readonly adminToken: string;
  readonly readToken: string;
  readonly siteTable: MemoryTable;
  readonly rowTable: MemoryTable;
  readonly bulkWorkflow: MemoryWorkflow;
  /** Does what was asked for many rows, as the workflow would, to its end. */
  readonly workThrough: () => Promise<void>;
  /** Every call of it so far. */
  readonly took: readonly Took[];
  /** Has it look at itself, and a secondary tell the primary. */
  readonly look: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

const openSite = async (
  name: string,
  role: SiteRole,
  region: string,
  primary: { readonly name: string; readonly siteTable: MemoryTable } | undefined,
  clock: MovableClock,
): Promise<OpenSite> => {
  const siteTable = new MemoryTable({ name: `${name}-site` });
  const primarySiteTable = primary?.siteTable ?? siteTable;
  const rowTable = new MemoryTable({
    name: `${name}-rows`,
    indexes: [{ name: DUE_INDEX, pk: "due_pk", sk: "due_at", include: [] }],
  });
  const bulkWorkflow = new MemoryWorkflow({ name: "bulk-update", clock });
  const served = {
    site: { name, role, region },
    replicables,
    siteTable,
    primarySiteTable,
    rows: rowTable,
    bulkWorkflow,
    destroys: new MemoryWorkflow({ name: "batch-destroy", clock }),
    randomBytes,
    chance: systemChance,
    syncObjectStorage: true,
    syncTimeoutSeconds: SYNC_TIMEOUT_SECONDS.standard,
    redrivable: [],
    switches: new CachedSwitches(primarySiteTable, replicables, clock),
    primary,
    clock,
    telemetry: new MemoryTelemetry(),
  };
  const queue = (queueName: string) =>
    Object.assign(new MemoryQueue({ name: queueName, clock, chance: systemChance }), {
      backlog: () => Promise.resolve(0),
    });
  const bulkSite = {
    ...served,
    role,
    workflow: bulkWorkflow,
    lookQueue: queue("look"),
    verificationQueue: role === "primary" ? undefined : queue("verification"),
  };
  const workThrough = async (): Promise<void> => {
    for (const { name: execution, input, status } of bulkWorkflow.executions) {
      if (status !== "running") continue;
      const step = readBulkStep({ ...Object(input), step: "slice" });
      for (let answer = await takeBulkStep(bulkSite, step, clock.now() + MINUTE_MS); answer.status !== "ended";) {
        answer = await takeBulkStep(bulkSite, step, clock.now() + MINUTE_MS);
      }
      bulkWorkflow.end(execution, { status: "succeeded", output: undefined });
    }
  };
  const page = await buildPage();
  const { url, server, took } = await serve(() =>
    behindStage(withPage(page, admitted(statusApp(served), { site: siteTable, clock }))),
  );
  const token = async (scope: "admin_geo" | "read_geo"): Promise<string> =>
    (await issueToken({ site: siteTable, clock, randomBytes }, { name: "alice", scope, days: 1 })).token;
  return {
    name,
    id: siteId(name),
    url,
    adminToken: await token("admin_geo"),
    readToken: await token("read_geo"),
    siteTable,
    rowTable,
    bulkWorkflow,
    workThrough,
    took,
    look: () => gatherStatus({ ...served, apiUrl: url }, clock.now() + MINUTE_MS),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

/** Puts rows into a site's table and has them counted. */
const fill = async (site: OpenSite, role: SiteRole, now: number): Promise<void> => {
  const changes: RowChange[] = [];
  const stop = site.rowTable.onChange(({ sequenceNumber, after }) => {
    if (after !== undefined) changes.push({ sequenceNumber: String(sequenceNumber), after });
  });
  for (const row of rowsOf(now)) await site.rowTable.put(itemOf(row, now, role));
  stop();
  await countChanges(site.siteTable, { table: countedTable(role), shard: "rows", changes });
};

/** Opens both sites, as they are after an hour of work. */
export const pagePair = async (): Promise<{
  readonly primary: OpenSite;
  readonly secondary: OpenSite;
  readonly close: () => Promise<void>;
}> => {
  const clock = movableClock();
  clock.moveTo(66 * MINUTE_MS);
  const primary = await openSite("virginia", "primary", "us-east-1", undefined, clock);
  const secondary = await openSite(
    "ireland",
    "secondary",
    "eu-west-1",
    { name: "virginia", siteTable: primary.siteTable },
    clock,
  );
  const registryTable = "s3-geo-ireland-registry";
  await primary.siteTable.update(noteSecondary({ name: "ireland", region: "eu-west-1", registryTable }, clock.now()));
  await fill(primary, "primary", Date.now());
  await fill(secondary, "secondary", Date.now());
  for (let step = 0; step <= 12; step += 1) {
    clock.moveTo((61 - step * 5) * MINUTE_MS);
    await putCounts(primary.siteTable, "primary", clock.now(), {});
    await putCounts(secondary.siteTable, "secondary", clock.now(), lagAfter(step));
    await primary.look();
    await secondary.look();
  }
  clock.moveTo(0);
  await primary.look();
  await secondary.look();
  return {
    primary,
    secondary,
    close: async () => {
      await Promise.all([primary.close(), secondary.close()]);
    },
  };
};
