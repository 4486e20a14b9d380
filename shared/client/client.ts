import * as z from "zod/mini";
import { GeoError } from "../geo/errors.ts";
import type { ReplicableNames } from "../geo/naming.ts";
import type { ReleaseRequest } from "../geo/release-request.ts";
import {
  type Destroy,
  DestroyContract,
  type DestroyProgress,
  DestroyProgressContract,
  DestroysContract,
  type DestroyWish,
} from "./destroy-contract.ts";
import { DeadLetterListContract, type DeadLettersState } from "./further-contracts.ts";
import { RegistriesContract, registriesQuery, type RegistriesWish, type RegistryPage } from "./registry-contract.ts";
import { type SiteUsage, UsageContract } from "./usage-contract.ts";
import { ObjectContract, type ObjectState, QueuesContract, type QueueState } from "./object-contract.ts";
import {
  BulkUpdateContract,
  BulkUpdatesContract,
  type BulkUpdateState,
  type BulkUpdateWish,
  FeatureContract,
  FeaturesContract,
  type FeatureState,
  ReleaseContract,
  type ReleaseState,
  RemovalGuardsContract,
  type RemovalGuardState,
  type SiteChange,
  type NewSiteWish,
  SiteContract,
  SitesContract,
  type SiteSettingsAnswer,
  type SiteStatusAnswer,
  SiteStatusContract,
  SiteStatusesContract,
  type WalkAsked,
  WalkAskedContract,
} from "./contract.ts";

/** How long a call may take, in milliseconds, unless somebody asks otherwise: what API Gateway waits, and a second. */
const TIMEOUT_DEFAULT_MS = 30_000;

/** How much of an answer that can not be used is shown; of a refusal more, since it names everything that is wrong. */
const SHOWN_LENGTH_MAX = 200;
const SHOWN_REFUSAL_MAX = 4_000;

/** Which API, and who calls. */
export interface GeoClientOptions {
  /** Where the site's API is, stage included: `https://…amazonaws.com/geo`. A slash at the end is fine. */
  readonly url: string;
  readonly token: string;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** Default: the runtime's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Why a call did not give what was asked for.
 * - `unreachable`: no answer, or none in time
 * - `unauthorized`: no token was sent (401); `forbidden`: it is not good, or not good for this (403)
 * - `invalid`: what was sent is not what was expected (400, 413); `conflict`: something speaks against it now (409)
 * - `not_found`, `throttled`: 404, 429; `failed`: any other status
 * - `unexpected`: an answer that is not what this client knows: another version, or something that is no Geo API
 */
export type CallFailure =
  | "unreachable"
  | "unauthorized"
  | "forbidden"
  | "invalid"
  | "conflict"
  | "not_found"
  | "throttled"
  | "failed"
  | "unexpected";

/** A call of the API that failed. The message says what to do, and never holds the token. */
export class GeoApiError extends GeoError {
  readonly reason: CallFailure;
  /** The HTTP status; absent when there was no answer. */
  readonly status: number | undefined;

  constructor(reason: CallFailure, message: string, options?: { readonly status?: number; readonly cause?: unknown }) {
    super(reason === "unreachable" ? "GEO_API_UNREACHABLE" : "GEO_API_REFUSED", message, { cause: options?.cause });
    this.name = "GeoApiError";
    this.reason = reason;
    this.status = options?.status;
  }
}

const ADVICE: Readonly<Record<number, readonly [CallFailure, string]>> = {
  400: ["invalid", "what was sent can not be used"],
  401: [
    "unauthorized",
    "the API got no token; expected one in the PRIVATE-TOKEN header (make one with: geo token create)",
  ],
  403: ["forbidden", "the token is unknown, expired, revoked, or its scope does not allow this (see: geo token list)"],
  404: ["not_found", "there is nothing at this address; check the API's URL (stage included) and the site's id"],
  409: ["conflict", "this can not be done now, or not here"],
  413: ["invalid", "what was sent is too large"],
  429: ["throttled", "too many requests; try again later"],
};

const messageOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  // `fetch failed` says nothing; its cause says which connection was refused.
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
};

const shorten = (text: string, most = SHOWN_LENGTH_MAX): string =>
  text.length > most ? `${text.slice(0, most)}…` : text;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A typed client of one site's API: what the command line, the tests and the demo use. */
export interface GeoClient {
  /** Statuses of all sites that this site knows, its own first; the first hundred. */
  siteStatuses(): Promise<readonly SiteStatusAnswer[]>;
  /** One of them, by `geo_node_id`. */
  siteStatus(id: number): Promise<SiteStatusAnswer>;
  /** All sites that this site knows, with their settings, itself first; the first hundred. */
  sites(): Promise<readonly SiteSettingsAnswer[]>;
  /** A site with its settings. */
  site(id: number): Promise<SiteSettingsAnswer>;
  /** Notes a site that is to be deployed. The primary's API only; an administrator's token. */
  noteSite(wish: NewSiteWish): Promise<SiteSettingsAnswer>;
  /** Forgets a site that is not deployed any more. As `noteSite`. */
  forgetSite(id: number): Promise<void>;
  /** Has the site that answers look at itself anew, and tells its status. An administrator's token. */
  repairSite(id: number): Promise<SiteStatusAnswer>;
  /** Changes settings of a site while it runs, and tells the site as it is then. Takes an administrator's token. */
  changeSite(id: number, change: SiteChange): Promise<SiteSettingsAnswer>;
  /** Every feature flag, by name. */
  features(): Promise<readonly FeatureState[]>;
  /** Sets a flag for all sites. The primary's API only; an administrator's token. */
  setFeature(name: string, value: boolean): Promise<FeatureState>;
  /** Gives a flag back to its declaration. As `setFeature`. */
  resetFeature(name: string): Promise<FeatureState>;
  /** Has a type walked through soon. A secondary's API only; an administrator's token. */
  askForWalk(siteId: number, replicableName: string): Promise<WalkAsked>;
  /** Has something done to many rows, or says how far the same has come. An administrator's token. */
  askForBulkUpdate(siteId: number, wish: BulkUpdateWish): Promise<BulkUpdateState>;
  /** All that are remembered, the latest first. */
  /** A dry run of a batch destroy. The primary's API only, as all that is about destroys; an administrator's token. */
  planDestroy(siteId: number, wish: DestroyWish): Promise<Destroy>;
  /** Begins what a dry run has shown, by the number that it showed, or goes on with it. */
  confirmDestroy(siteId: number, id: string, objectCount: number): Promise<Destroy>;
  /** The newest destroys. */
  destroys(siteId: number): Promise<readonly Destroy[]>;
  /** One of them, with its progress. */
  destroy(siteId: number, id: string): Promise<DestroyProgress>;
  cancelDestroy(siteId: number, id: string): Promise<Destroy>;
  /** Brings back what a destroy has hidden. */
  undoDestroy(siteId: number, id: string): Promise<Destroy>;
  bulkUpdates(siteId: number): Promise<readonly BulkUpdateState[]>;
  bulkUpdate(siteId: number, id: string): Promise<BulkUpdateState>;
  /** About how much is in each queue of the site that answers. */
  queues(siteId: number): Promise<readonly QueueState[]>;
  /** What holds removals back, type by type. A secondary's API only. */
  removalGuards(siteId: number): Promise<readonly RemovalGuardState[]>;
  /** Lets so many more removals of a type through, within so many minutes. A secondary's API; an administrator's token. */
  releaseRemovals(siteId: number, replicableName: string, wish: ReleaseRequest): Promise<ReleaseState>;
  /** What lies in its dead-letter queues, and why. */
  deadLetters(siteId: number): Promise<readonly DeadLettersState[]>;
  /** Everything that the site that answers knows of one key. An administrator's token. */
  object(siteId: number, key: string): Promise<ObjectState>;
  /** What was done at the site that answers, on each of the last days. */
  usage(siteId: number, days: number): Promise<SiteUsage>;
  /** A page of a type's registries. A secondary's API; an administrator's token. */
  registries(type: Pick<ReplicableNames, "registriesField">, wish: RegistriesWish): Promise<RegistryPage>;
  /** Ends one. An administrator's token. */
  cancelBulkUpdate(siteId: number, id: string): Promise<BulkUpdateState>;
}

/** The answer of a call that has nothing to say. */
const NoContent = z.undefined();

/** What a header may carry; anything else the runtime would refuse with the token in its message. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** Makes a client. Every method throws `GeoApiError` when it has not got its answer, and so does a token that can be none. */
export const geoClient = (options: GeoClientOptions): GeoClient => {
  const { token, timeoutMs = TIMEOUT_DEFAULT_MS } = options;
  const send = options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));
  if (!SENDABLE.test(token)) {
    throw new GeoApiError(
      "unauthorized",
      "the token is empty or has characters that no token has, a space or a line break",
    );
  }
  const base = options.url.replace(/\/+$/, "");

  const exchange = async (
    method: string,
    url: string,
    sent: unknown,
  ): Promise<{ readonly status: number; readonly body: string }> => {
    try {
      const headers = {
        "PRIVATE-TOKEN": token,
        accept: "application/json",
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
      };
      const response = await send(url, {
        method,
        headers,
        ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
        redirect: "error", // one would carry the token to wherever it points
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: response.status, body: await response.text() };
    } catch (cause) {
      throw new GeoApiError("unreachable", `${url} can not be reached: ${messageOf(cause)}`, { cause });
    }
  };

  const call = async <Contract extends z.ZodMiniType>(
    method: string,
    path: string,
    contract: Contract,
    sent?: unknown,
  ): Promise<z.output<Contract>> => {
    const url = `${base}${path}`;
    const { status, body } = await exchange(method, url, sent);
    if (status < 200 || status > 299) {
      const [reason, advice] = ADVICE[status] ?? (["failed", "expected 200"] as const);
      const said = shorten(body, SHOWN_REFUSAL_MAX);
      throw new GeoApiError(reason, `${url} answered ${status}: ${advice}. It said: ${said}`, { status });
    }
    const parsed = contract.safeParse(parseJson(body));
    if (parsed.success) return parsed.data;
    const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole answer").join(", ");
    throw new GeoApiError("unexpected", `${url} answered something else than expected (${fields}): ${shorten(body)}`, {
      status,
    });
  };

  const registries: GeoClient["registries"] = async (type, wish) => {
    const sent = registriesQuery(type, wish);
    const { data, errors: [first] = [] } = await call("POST", "/api/graphql", RegistriesContract, sent);
    if (first !== undefined) {
      const reason = first.extensions?.code === "UNAVAILABLE" ? "failed" : "invalid";
      throw new GeoApiError(reason, `${base}/api/graphql can not answer: ${shorten(first.message)}`, { status: 200 });
    }
    if (data?.geoNode == null) {
      throw new GeoApiError("forbidden", `${base} shows registries to a token of scope admin_geo alone`, {
        status: 200,
      });
    }
    const page = data.geoNode.registries;
    return {
      registries: page?.nodes ?? [],
      next: page?.pageInfo.hasNextPage === true ? page.pageInfo.endCursor : null,
    };
  };

  const sites = "/api/v4/geo_sites";
  const destroysOf = (siteId: number): string => `${sites}/${siteId}/destroys`;
  const destroyOf = (siteId: number, id: string): string => `${destroysOf(siteId)}/${encodeURIComponent(id)}`;
  const features = "/api/v4/features";
  const feature = (name: string): string => `${features}/${encodeURIComponent(name)}`;
  return {
    siteStatuses: () => call("GET", `${sites}/status?per_page=100`, SiteStatusesContract),
    sites: () => call("GET", `${sites}?per_page=100`, SitesContract),
    noteSite: (wish) => call("POST", sites, SiteContract, wish),
    forgetSite: async (id) => {
      await call("DELETE", `${sites}/${id}`, NoContent);
    },
    repairSite: (id) => call("POST", `${sites}/${id}/repair`, SiteStatusContract),
    siteStatus: (id) => call("GET", `${sites}/${id}/status`, SiteStatusContract),
    site: (id) => call("GET", `${sites}/${id}`, SiteContract),
    changeSite: (id, change) => call("PUT", `${sites}/${id}`, SiteContract, change),
    features: () => call("GET", features, FeaturesContract),
    setFeature: (name, value) => call("POST", feature(name), FeatureContract, { value }),
    resetFeature: (name) => call("DELETE", feature(name), FeatureContract),
    askForWalk: (siteId, name) =>
      call("POST", `${sites}/${siteId}/registry_consistency/${encodeURIComponent(name)}/walk`, WalkAskedContract),
    planDestroy: (siteId, wish) => call("POST", destroysOf(siteId), DestroyContract, wish),
    confirmDestroy: (siteId, id, objectCount) =>
      call("POST", `${destroyOf(siteId, id)}/confirm`, DestroyContract, { object_count: objectCount }),
    destroys: (siteId) => call("GET", destroysOf(siteId), DestroysContract),
    destroy: (siteId, id) => call("GET", destroyOf(siteId, id), DestroyProgressContract),
    cancelDestroy: (siteId, id) => call("POST", `${destroyOf(siteId, id)}/cancel`, DestroyContract),
    undoDestroy: (siteId, id) => call("POST", `${destroyOf(siteId, id)}/undo`, DestroyContract),
    askForBulkUpdate: (siteId, wish) => call("POST", `${sites}/${siteId}/bulk_updates`, BulkUpdateContract, wish),
    bulkUpdates: (siteId) => call("GET", `${sites}/${siteId}/bulk_updates`, BulkUpdatesContract),
    bulkUpdate: (siteId, id) =>
      call("GET", `${sites}/${siteId}/bulk_updates/${encodeURIComponent(id)}`, BulkUpdateContract),
    queues: (siteId) => call("GET", `${sites}/${siteId}/queues`, QueuesContract),
    releaseRemovals: (siteId, name, wish) =>
      call("POST", `${sites}/${siteId}/removal_guards/${encodeURIComponent(name)}/release`, ReleaseContract, wish),
    removalGuards: (siteId) => call("GET", `${sites}/${siteId}/removal_guards`, RemovalGuardsContract),
    deadLetters: (siteId) => call("GET", `${sites}/${siteId}/dead_letters`, DeadLetterListContract),
    object: (siteId, key) => call("GET", `${sites}/${siteId}/objects?key=${encodeURIComponent(key)}`, ObjectContract),
    usage: (siteId, days) => call("GET", `${sites}/${siteId}/usage?days=${days}`, UsageContract),
    registries,
    cancelBulkUpdate: (siteId, id) =>
      call("POST", `${sites}/${siteId}/bulk_updates/${encodeURIComponent(id)}/cancel`, BulkUpdateContract),
  };
};
