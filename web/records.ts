import type { ChecksumsAsked, ManagedRecord } from "../shared/client/data-management-contract.ts";
import { call } from "./api.ts";

/** The primary's own objects with their checksums: data management in GitLab's words. */

/** Records of a page. */
const PAGE_ROWS = 20;

export interface RecordFilter {
  readonly state: string;
  /** Record identifiers, with spaces or commas between them, or one S3 key. */
  readonly search: string;
  readonly sort: string;
  readonly cursor: string;
}

export interface RecordPage {
  readonly records: readonly ManagedRecord[];
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

const pathOf = (model: string): string => `api/v4/admin/data_management/${encodeURIComponent(model)}`;

/** Where the next page begins: out of the `Link` header. */
const nextOf = (header: string | null): string | undefined => {
  const [, url] = /<([^>]+)>;\s*rel="next"/.exec(header ?? "") ?? [];
  return url === undefined ? undefined : (new URL(url, "https://api.invalid").searchParams.get("cursor") ?? undefined);
};

/** @param identifiers what the search box came to */
export const loadRecords = async (
  model: string,
  { state, sort, cursor }: RecordFilter,
  identifiers: readonly string[],
  signal: AbortSignal,
): Promise<RecordPage> => {
  const query = new URLSearchParams({ per_page: String(PAGE_ROWS), pagination: "keyset" });
  if (state !== "") query.set("checksum_state", state);
  if (sort !== "") query.set("sort", sort);
  if (cursor !== "") query.set("cursor", cursor);
  for (const identifier of identifiers) query.append("identifiers[]", identifier);
  const { json, headers } = await call("GET", `${pathOf(model)}?${query.toString()}`, { signal });
  // ManagedRecordsContract: an answer of the API that this page was deployed with, as are those below.
  return { records: json as readonly ManagedRecord[], next: nextOf(headers.get("link")) };
};

export const loadRecord = async (model: string, identifier: string, signal: AbortSignal): Promise<ManagedRecord> => {
  const { json } = await call("GET", `${pathOf(model)}/${encodeURIComponent(identifier)}`, { signal });
  return json as ManagedRecord; // ManagedRecordContract
};

const ACCEPTED = 202;

/**
 * Has one checksum made anew. The answer is there when it was, or after 20 seconds.
 * @returns what came of it, in words
 */
export const checksumRecord = async (model: string, identifier: string): Promise<string> => {
  const { status } = await call("PUT", `${pathOf(model)}/${encodeURIComponent(identifier)}/checksum`);
  return status === ACCEPTED
    ? "The checksum is still being made: it takes longer than 20 seconds."
    : "The checksum was made anew.";
};

/** Has all checksums of a type made anew, in the background. */
export const checksumAll = async (model: string): Promise<ChecksumsAsked> => {
  const { json } = await call("PUT", `${pathOf(model)}/checksum`);
  return json as ChecksumsAsked; // ChecksumsAskedContract
};
