import type { SiteSettingsAnswer, SiteStatusAnswer } from "../../shared/client/contract.ts";
import { printable } from "../output/texts.ts";

/** Which objects a site wants. */
export interface Selection {
  readonly type: "namespaces" | "shards" | "organizations" | null;
  readonly ids: readonly string[];
}

export const selectionOf = (settings: SiteSettingsAnswer): Selection => {
  const type = settings.selective_sync_type;
  if (type === null) return { type, ids: [] };
  const lists = {
    namespaces: settings.selective_sync_namespace_ids,
    shards: settings.selective_sync_shards,
    organizations: settings.selective_sync_organization_ids,
  };
  return { type, ids: lists[type].map(String) };
};

/** In Geo's words: `Full`, `Selective (namespaces: 7, 42)`. */
export const selectionText = ({ type, ids }: Selection): string =>
  type === null ? "Full" : `Selective (${type}${ids.length === 0 ? "" : `: ${printable(ids.join(", "))}`})`;

/** The same of a site of which perhaps only its status is known, which has no ids but those of namespaces. */
export const syncSettings = ({
  status,
  settings,
}: {
  readonly status: SiteStatusAnswer;
  readonly settings: SiteSettingsAnswer | undefined;
}): string =>
  selectionText(
    settings === undefined
      ? { type: status.selective_sync_type, ids: status.namespaces.map(({ id }) => String(id)) }
      : selectionOf(settings),
  );
