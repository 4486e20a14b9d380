import type * as z from "zod/mini";
import {
  BulkUpdateBody,
  ChecksumsBody,
  ConfirmBody,
  DestroyBody,
  FeatureBody,
  GraphQLBody,
  NewSiteBody,
  RedriveBody,
  ReleaseBody,
  SiteChangeBody,
} from "./api-bodies.ts";
import {
  BulkUpdateContract,
  BulkUpdatesContract,
  FeatureContract,
  FeaturesContract,
  ReleaseContract,
  RemovalGuardsContract,
  SiteContract,
  SitesContract,
  SiteStatusContract,
  SiteStatusesContract,
  WalkAskedContract,
} from "./contract.ts";
import { ChecksumsAskedContract, ManagedRecordContract, ManagedRecordsContract } from "./data-management-contract.ts";
import { DestroyContract, DestroyProgressContract, DestroysContract } from "./destroy-contract.ts";
import { ObjectContract, QueuesContract } from "./object-contract.ts";
import { UsageContract } from "./usage-contract.ts";
import {
  DeadLetterListContract,
  GraphQLContract,
  MetricsContract,
  RedriveContract,
  UsageDataContract,
} from "./further-contracts.ts";

/**
 * Every route of the API, once: what it takes and what it answers. docs/api/openapi.json is made of it (`npm run docs:api`),
 * tests hold it against the routes that the API has, and each answer that any test gets against what it says.
 */
export interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** As the API's router has it, with `:id` for a part that varies. */
  readonly path: string;
  /** Unique; in camel case. */
  readonly operation: string;
  /** In a sentence. */
  readonly summary: string;
  /** What a token needs to be for: `read_geo` unless said otherwise. */
  readonly scope?: "admin_geo";
  /** Where it is answered; absent: at every site. */
  readonly at?: "primary" | "secondary";
  /** What may stand in the query, and what it means. */
  readonly query?: Readonly<Record<string, string>>;
  /** What may be sent, as JSON. */
  readonly body?: z.ZodMiniType;
  /** What is answered when it went well, by status; null: nothing. */
  readonly answers: Readonly<Record<number, z.ZodMiniType | null>>;
  /** Statuses that it alone refuses calls with, beside those that follow from what it is. */
  readonly furtherRefusals?: readonly number[];
  /** Not JSON: the media type. */
  readonly media?: string;
}

const PAGES = { page: "from 1", per_page: "20 unless said otherwise, at most 100" } as const;

/** What both words for sites have; `geo_nodes` is the older one. */
const OF_SITES: readonly ApiRoute[] = [
  {
    method: "GET",
    path: "",
    operation: "listSites",
    summary: "Every site that this one knows, itself first.",
    query: PAGES,
    answers: { 200: SitesContract },
  },
  {
    method: "POST",
    path: "",
    operation: "noteSite",
    summary: "Notes a site that is to be deployed.",
    scope: "admin_geo",
    at: "primary",
    body: NewSiteBody,
    answers: { 201: SiteContract },
  },
  {
    method: "GET",
    path: "/status",
    operation: "listStatuses",
    summary: "The statuses of all sites that this one knows: its own as of now, others as they last reported.",
    query: PAGES,
    answers: { 200: SiteStatusesContract },
  },
  {
    method: "GET",
    path: "/:id/status",
    operation: "readStatus",
    summary: "One site's status.",
    query: { refresh: "true or false; taken for compatibility" },
    answers: { 200: SiteStatusContract },
  },
  {
    method: "GET",
    path: "/:id",
    operation: "readSite",
    summary: "A site with its settings.",
    answers: { 200: SiteContract },
  },
  {
    method: "PUT",
    path: "/:id",
    operation: "changeSite",
    summary: "Changes settings of a site while it runs, or what is noted of one.",
    scope: "admin_geo",
    body: SiteChangeBody,
    answers: { 200: SiteContract },
  },
  {
    method: "DELETE",
    path: "/:id",
    operation: "removeSite",
    summary: "Forgets a site that is gone.",
    scope: "admin_geo",
    at: "primary",
    answers: { 204: null },
  },
  {
    method: "POST",
    path: "/:id/repair",
    operation: "repairSite",
    summary: "Has the site look at itself anew, and answers its status.",
    scope: "admin_geo",
    answers: { 200: SiteStatusContract },
  },
  {
    method: "GET",
    path: "/:id/removal_guards",
    operation: "listRemovalGuards",
    summary: "What holds removals back, type by type.",
    at: "secondary",
    answers: { 200: RemovalGuardsContract },
  },
  {
    method: "POST",
    path: "/:id/removal_guards/:replicable_name/release",
    operation: "releaseRemovals",
    summary: "Lets so many removals of a type through.",
    scope: "admin_geo",
    at: "secondary",
    body: ReleaseBody,
    answers: { 200: ReleaseContract },
  },
  {
    method: "POST",
    path: "/:id/registry_consistency/:replicable_name/walk",
    operation: "askForWalk",
    summary: "Has a type walked through on both sides, now.",
    scope: "admin_geo",
    at: "secondary",
    answers: { 202: WalkAskedContract },
  },
  {
    method: "GET",
    path: "/:id/bulk_updates",
    operation: "listBulkUpdates",
    summary: "What was asked for many rows, the latest first.",
    answers: { 200: BulkUpdatesContract },
  },
  {
    method: "POST",
    path: "/:id/bulk_updates",
    operation: "askForBulkUpdate",
    summary:
      "Has something done to many rows; 202 when it was begun or goes on, 200 when the same is under way or was done.",
    scope: "admin_geo",
    body: BulkUpdateBody,
    answers: { 200: BulkUpdateContract, 202: BulkUpdateContract },
  },
  {
    method: "GET",
    path: "/:id/bulk_updates/:bulk_id",
    operation: "readBulkUpdate",
    summary: "One of them.",
    answers: { 200: BulkUpdateContract },
  },
  {
    method: "POST",
    path: "/:id/bulk_updates/:bulk_id/cancel",
    operation: "cancelBulkUpdate",
    summary: "Ends it.",
    scope: "admin_geo",
    answers: { 200: BulkUpdateContract },
  },
  {
    method: "GET",
    path: "/:id/destroys",
    operation: "listDestroys",
    summary: "The newest batch destroys.",
    at: "primary",
    answers: { 200: DestroysContract },
  },
  {
    method: "POST",
    path: "/:id/destroys",
    operation: "planDestroy",
    summary: "A dry run: lists all objects of a parent, and destroys nothing.",
    scope: "admin_geo",
    at: "primary",
    body: DestroyBody,
    answers: { 202: DestroyContract },
  },
  {
    method: "GET",
    path: "/:id/destroys/:destroy_id",
    operation: "readDestroy",
    summary: "How far a destroy has come, on every site.",
    at: "primary",
    answers: { 200: DestroyProgressContract },
  },
  {
    method: "POST",
    path: "/:id/destroys/:destroy_id/confirm",
    operation: "confirmDestroy",
    summary: "Destroys what the dry run has shown.",
    scope: "admin_geo",
    at: "primary",
    body: ConfirmBody,
    answers: { 202: DestroyContract },
  },
  {
    method: "POST",
    path: "/:id/destroys/:destroy_id/cancel",
    operation: "cancelDestroy",
    summary: "Ends a destroy; what is hidden stays hidden.",
    scope: "admin_geo",
    at: "primary",
    answers: { 200: DestroyContract },
  },
  {
    method: "POST",
    path: "/:id/destroys/:destroy_id/undo",
    operation: "undoDestroy",
    summary: "Brings back what a destroy has hidden.",
    scope: "admin_geo",
    at: "primary",
    answers: { 202: DestroyContract },
  },
  {
    method: "GET",
    path: "/:id/queues",
    operation: "measureQueues",
    summary: "About how much is in each queue of the site that answers.",
    answers: { 200: QueuesContract },
  },
  {
    method: "GET",
    path: "/:id/objects",
    operation: "lookAtObject",
    summary: "Everything that the site that answers knows of one key.",
    scope: "admin_geo",
    query: { key: "the S3 key, percent-encoded; 1 to 1,024 bytes" },
    answers: { 200: ObjectContract },
  },
  {
    method: "GET",
    path: "/:id/usage",
    operation: "readUsage",
    summary: "What was done at the site that answers, day by day and type by type.",
    query: { days: "how many of the last days, today included: 1 to 400, 30 unless said otherwise" },
    answers: { 200: UsageContract },
  },
  {
    method: "GET",
    path: "/:id/dead_letters",
    operation: "listDeadLetters",
    summary: "What lies in dead-letter queues, and why.",
    answers: { 200: DeadLetterListContract },
  },
  {
    method: "POST",
    path: "/:id/dead_letters/:queue/redrive",
    operation: "redrive",
    summary: "Sends dead letters back, 1,000 at the most.",
    scope: "admin_geo",
    body: RedriveBody,
    answers: { 200: RedriveContract },
  },
];

const OTHERS: readonly ApiRoute[] = [
  {
    method: "GET",
    path: "/api/v4/features",
    operation: "listFeatures",
    summary: "Every feature flag.",
    answers: { 200: FeaturesContract },
  },
  {
    method: "POST",
    path: "/api/v4/features/:name",
    operation: "setFeature",
    summary: "Sets a flag, for all sites.",
    scope: "admin_geo",
    at: "primary",
    body: FeatureBody,
    answers: { 200: FeatureContract },
  },
  {
    method: "DELETE",
    path: "/api/v4/features/:name",
    operation: "resetFeature",
    summary: "Gives a flag back to its declaration.",
    scope: "admin_geo",
    at: "primary",
    answers: { 200: FeatureContract },
  },
  {
    method: "GET",
    path: "/api/v4/admin/data_management/:model_name",
    operation: "listRecords",
    summary: "The primary's objects with their checksums, a page at a time.",
    scope: "admin_geo",
    at: "primary",
    query: {
      "identifiers[]": "record identifiers, at most 100",
      checksum_state: "pending, started, succeeded, failed or disabled",
      sort: "asc or desc",
      order_by: "id",
      pagination: "keyset",
      per_page: PAGES.per_page,
      cursor: "from the Link header of the page before",
    },
    answers: { 200: ManagedRecordsContract },
  },
  {
    method: "PUT",
    path: "/api/v4/admin/data_management/:model_name/checksum",
    operation: "makeChecksums",
    summary: "Has checksums made anew, in the background.",
    scope: "admin_geo",
    at: "primary",
    body: ChecksumsBody,
    answers: { 200: ChecksumsAskedContract },
  },
  {
    method: "GET",
    path: "/api/v4/admin/data_management/:model_name/:id",
    operation: "readRecord",
    summary: "One of them.",
    scope: "admin_geo",
    at: "primary",
    answers: { 200: ManagedRecordContract },
  },
  {
    method: "PUT",
    path: "/api/v4/admin/data_management/:model_name/:id/checksum",
    operation: "makeChecksum",
    summary: "Has one checksum made anew and waits for it; 202 when that takes longer than 20 seconds.",
    scope: "admin_geo",
    at: "primary",
    answers: { 200: ManagedRecordContract, 202: ManagedRecordContract },
  },
  {
    method: "GET",
    path: "/api/v4/usage_data/geo",
    operation: "readUsageData",
    summary: "The usage object.",
    at: "primary",
    answers: { 200: UsageDataContract },
  },
  {
    method: "POST",
    path: "/api/graphql",
    operation: "graphql",
    summary: "GraphQL: the registries of this site. Tokens that may only read see nothing of them.",
    body: GraphQLBody,
    answers: { 200: GraphQLContract },
    furtherRefusals: [406, 415],
  },
  {
    method: "GET",
    path: "/metrics",
    operation: "readMetrics",
    summary: "The metrics of this site and, at the primary, of its secondaries, for Prometheus.",
    answers: { 200: MetricsContract },
    media: "text/plain; version=0.0.4; charset=utf-8",
  },
];

/** Under both words. The operations of the older one bear its name. */
const underBoth = (route: ApiRoute): readonly ApiRoute[] => [
  { ...route, path: `/api/v4/geo_sites${route.path}` },
  { ...route, path: `/api/v4/geo_nodes${route.path}`, operation: `${route.operation}OfNodes` },
];

export const API_ROUTES: readonly ApiRoute[] = [...OF_SITES.flatMap(underBoth), ...OTHERS];
