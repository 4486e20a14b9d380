import { useState } from "preact/hooks";
import type { CallProblem } from "../api.ts";
import { whole } from "../format.ts";
import { asProblem, useLoaded } from "../loading.ts";
import { goTo, hrefOf, place } from "../navigation.ts";
import { announce } from "../parts/announcer.tsx";
import { Heading, Link, Problem, Waiting } from "../parts/basics.tsx";
import { Choice } from "../parts/choice.tsx";
import { Pages } from "../parts/pages.tsx";
import { Search } from "../parts/search.tsx";
import { SYNC_CHOICES, VERIFICATION_CHOICES } from "../parts/states.tsx";
import { COUNT_MAX, loadRegistries, type Registry, type RegistryFilter, updateRegistry } from "../registries.ts";
import { loadSites, type Site, webAddress } from "../sites.ts";
import type { TypeNames } from "../type-names.ts";
import { typesOf } from "../progress.ts";
import { declaredTypes, typeOf } from "../types.ts";
import { BulkActions } from "./bulk.tsx";
import { RegistryRow } from "./registry-row.tsx";

/** How often a list is brought up to date, and how often once something was asked for, milliseconds. */
const EVERY_MS = 15_000;
const SOON_MS = 2_000;
const SOON_FOR_MS = 20_000;

const SORTS = [
  ["ID_ASC", "Registry id, ascending"],
  ["ID_DESC", "Registry id, descending"],
  ["LAST_SYNCED_AT_ASC", "Last synced, oldest first"],
  ["LAST_SYNCED_AT_DESC", "Last synced, newest first"],
  ["VERIFIED_AT_ASC", "Last verified, oldest first"],
  ["VERIFIED_AT_DESC", "Last verified, newest first"],
] as const;

const filterOf = (query: URLSearchParams): RegistryFilter => ({
  replication: query.get("replication_status") ?? "",
  verification: query.get("verification_status") ?? "",
  search: query.get("search") ?? "",
  sort: query.get("sort") ?? "",
  after: query.get("after") ?? "",
  before: query.get("before") ?? "",
});

/** The replication details of a type at this site. Those of another site are at its own page. */
export const Registries = ({ id, plural }: { readonly id: number; readonly plural: string | undefined }) => {
  const { value: sites, problem, reload } = useLoaded("sites", loadSites);
  if (problem !== undefined) return <Problem problem={problem} retry={reload} />;
  if (sites === undefined) return <Waiting what="the site" />;
  const site = sites.find(({ settings }) => settings.id === id);
  if (site === undefined || !site.settings.current || site.settings.primary) return <Elsewhere site={site} />;
  const known = site.status === undefined ? [] : typesOf(site.status, new Set());
  const first = known.find(({ count }) => count > 0)?.type ?? known[0]?.type ?? declaredTypes[0];
  const type = plural === undefined ? first : typeOf(plural);
  const all = known.length === 0 ? declaredTypes : known.map((one) => one.type);
  return type === undefined ? <Elsewhere site={undefined} /> : <List site={site} type={type} types={all} />;
};

const Elsewhere = ({ site }: { readonly site: Site | undefined }) => {
  const base = webAddress(site?.settings.url);
  return (
    <>
      <Heading>Replication details</Heading>
      <div class="notice">
        {site === undefined ? (
          <p>
            This site knows no site of that number. A secondary knows itself alone; the primary knows all: look at the{" "}
            <Link to={{ view: "sites" }}>overview</Link>.
          </p>
        ) : site.settings.primary ? (
          <p>
            {site.settings.name} is the primary: it has no replicas. Its own objects and their checksums are in{" "}
            <Link to={{ view: "records", model: undefined }}>data management</Link>.
          </p>
        ) : (
          <p>
            The rows of {site.settings.name} are in its own region, and its own page shows them
            {base === undefined ? "." : ": "}
            {base !== undefined && (
              <a href={`${base.replace(/\/$/, "")}/admin/geo/sites/${site.settings.id}/replication`} rel="noreferrer">
                open {site.settings.name}
              </a>
            )}
          </p>
        )}
      </div>
    </>
  );
};

/** Shows the same list with something changed; other filters begin at the first page. */
const change = (id: number, plural: string, filter: RegistryFilter, changed: Partial<RegistryFilter>): void => {
  const { replication, verification, search, sort, after, before } = { ...filter, after: "", before: "", ...changed };
  goTo(
    hrefOf(
      { view: "registries", id, plural },
      { replication_status: replication, verification_status: verification, search, sort, after, before },
    ),
  );
};

const Toolbar = ({
  site,
  type,
  types,
  filter,
}: {
  readonly site: Site;
  readonly type: TypeNames;
  readonly types: readonly TypeNames[];
  readonly filter: RegistryFilter;
}) => {
  const { id } = site.settings;
  return (
    <div class="filters">
      <Choice
        label="Type"
        value={type.plural}
        choices={types.map((one) => [one.plural, one.title] as const)}
        onChoose={(chosen) => change(id, chosen, filter, { search: "" })}
      />
      <Choice
        label="Replication status"
        value={filter.replication}
        all="All"
        choices={SYNC_CHOICES}
        onChoose={(replication) => change(id, type.plural, filter, { replication })}
      />
      <Choice
        label="Verification status"
        value={filter.verification}
        all="All"
        choices={VERIFICATION_CHOICES}
        onChoose={(verification) => change(id, type.plural, filter, { verification })}
      />
      <Choice
        label="Sort by"
        value={filter.sort === "" ? "ID_ASC" : filter.sort}
        choices={SORTS}
        onChoose={(sort) => change(id, type.plural, filter, { sort })}
      />
      <Search
        label="Search by registry id or key"
        hint="gid://geo/… or a whole S3 key"
        value={filter.search}
        onSearch={(search) => change(id, type.plural, filter, { search })}
      />
    </div>
  );
};

const List = ({
  site,
  type,
  types,
}: {
  readonly site: Site;
  readonly type: TypeNames;
  readonly types: readonly TypeNames[];
}) => {
  const { id, name } = site.settings;
  const filter = filterOf(place.value.query);
  const [askedAt, setAskedAt] = useState(0);
  const [refused, setRefused] = useState<CallProblem>();
  const isSoon = Date.now() - askedAt < SOON_FOR_MS;
  const key = JSON.stringify([type.plural, filter]);
  const load = (signal: AbortSignal) => loadRegistries(type, filter, signal);
  const { value: page, problem, reload, isLoading } = useLoaded(key, load, isSoon ? SOON_MS : EVERY_MS);
  const counts =
    site.status === undefined
      ? undefined
      : typesOf(site.status, new Set()).find((one) => one.type.plural === type.plural);

  const update = async (registry: Registry, action: "RESYNC" | "REVERIFY"): Promise<void> => {
    setRefused(undefined);
    try {
      await updateRegistry(registry.id, action);
      announce(
        action === "RESYNC" ? "The object will be copied again." : "The replica will be read and compared again.",
      );
      setAskedAt(Date.now());
      reload();
    } catch (error) {
      setRefused(asProblem(error));
    }
  };

  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <Link to={{ view: "sites" }}>Sites</Link> <span aria-hidden="true">/</span>{" "}
        <Link to={{ view: "site", id }}>{name}</Link>
      </nav>
      <Heading>{type.title}</Heading>
      <BulkActions siteId={id} type={type} counts={counts} onAsked={() => setAskedAt(Date.now())} />
      <Toolbar site={site} type={type} types={types} filter={filter} />
      {refused !== undefined && <Problem problem={refused} />}
      {problem !== undefined && <Problem problem={problem} retry={reload} />}
      {page === undefined && problem === undefined && <Waiting what={type.title.toLowerCase()} />}
      {page !== undefined && (
        <>
          <p class="found" role="status">
            {page.count > COUNT_MAX ? `more than ${whole(COUNT_MAX)}` : whole(page.count)} found
            {isLoading && <span class="spinner" aria-hidden="true" />}
          </p>
          {page.nodes.length === 0 ? (
            <Empty filter={filter} hasMore={page.pageInfo.hasNextPage} />
          ) : (
            <ul class="rows" aria-label={type.title}>
              {page.nodes.map((registry) => (
                <RegistryRow
                  key={registry.id}
                  siteId={id}
                  plural={type.plural}
                  registry={registry}
                  onUpdate={(action) => update(registry, action)}
                />
              ))}
            </ul>
          )}
          <Pages
            what={type.title}
            previous={
              page.pageInfo.hasPreviousPage && page.pageInfo.startCursor !== null
                ? () => change(id, type.plural, filter, { before: page.pageInfo.startCursor ?? "" })
                : undefined
            }
            next={
              page.pageInfo.hasNextPage && page.pageInfo.endCursor !== null
                ? () => change(id, type.plural, filter, { after: page.pageInfo.endCursor ?? "" })
                : undefined
            }
          />
        </>
      )}
    </>
  );
};

const Empty = ({ filter, hasMore }: { readonly filter: RegistryFilter; readonly hasMore: boolean }) => {
  const isFiltered = filter.replication !== "" || filter.verification !== "" || filter.search !== "";
  if (hasMore) {
    return <p class="nothing">None of the rows that were looked at fit; there are more. Go on to the next page.</p>;
  }
  return (
    <p class="nothing">
      {isFiltered
        ? "Nothing fits these filters. Clear them to see everything."
        : "There are no objects of this type here. If the primary has some, look whether the type is switched on and whether this site is restricted; the runbook's section on registry-consistency goes on from there."}
    </p>
  );
};
