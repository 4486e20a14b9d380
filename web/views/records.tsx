import { useState } from "preact/hooks";
import type { ManagedRecord } from "../../shared/client/data-management-contract.ts";
import type { CallProblem } from "../api.ts";
import { bytes } from "../format.ts";
import { asProblem, useLoaded } from "../loading.ts";
import { goTo, hrefOf, place } from "../navigation.ts";
import { announce } from "../parts/announcer.tsx";
import { Heading, Link, Problem, Time, Waiting } from "../parts/basics.tsx";
import { Choice } from "../parts/choice.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Pages } from "../parts/pages.tsx";
import { Search } from "../parts/search.tsx";
import { Checksum, CHECKSUM_CHOICES } from "../parts/states.tsx";
import { checksumAll, checksumRecord, loadRecords, type RecordFilter } from "../records.ts";
import { keyOf, opaqueFor } from "../registries.ts";
import { loadSites } from "../sites.ts";
import type { TypeNames } from "../type-names.ts";
import { typesOf } from "../progress.ts";
import { declaredTypes, typeOfModel } from "../types.ts";

const EVERY_MS = 15_000;

const SORTS = [
  ["asc", "Identifier, ascending"],
  ["desc", "Identifier, descending"],
] as const;

const filterOf = (query: URLSearchParams): RecordFilter => ({
  state: query.get("checksum_state") ?? "",
  search: query.get("search") ?? "",
  sort: query.get("sort") ?? "",
  cursor: query.get("cursor") ?? "",
});

/** What a search names: a key has a slash or a dot somewhere, and an identifier never has one. */
const identifiersOf = (search: string): readonly string[] => {
  if (search === "") return [];
  const words = search.split(/[\s,]+/).filter((word) => word !== "");
  return words.every((word) => /^[A-Za-z0-9_-]+$/.test(word)) ? words : [opaqueFor(search)];
};

const change = (model: string, filter: RecordFilter, changed: Partial<RecordFilter>): void => {
  const { state, search, sort, cursor } = { ...filter, cursor: "", ...changed };
  goTo(hrefOf({ view: "records", model }, { checksum_state: state, search, sort, cursor }));
};

/** The primary's list of a type's objects and their checksums. */
export const Records = ({ model }: { readonly model: string | undefined }) => {
  const { value: sites, problem, reload } = useLoaded("sites", loadSites);
  if (problem !== undefined) return <Problem problem={problem} retry={reload} />;
  if (sites === undefined) return <Waiting what="the site" />;
  const primary = sites.find(({ settings }) => settings.primary && settings.current);
  if (primary === undefined) {
    return (
      <>
        <Heading>Data management</Heading>
        <p class="notice">
          Checksums of originals are the primary&apos;s. Open this page at the primary&apos;s own address; the replicas
          of this site are in the <Link to={{ view: "sites" }}>overview</Link>.
        </p>
      </>
    );
  }
  const known = primary.status === undefined ? [] : typesOf(primary.status, new Set());
  const types = known.length === 0 ? declaredTypes : known.map(({ type }) => type);
  const first = known.find(({ count }) => count > 0)?.type ?? types[0];
  const type = model === undefined ? first : typeOfModel(model);
  return type === undefined ? null : <List type={type} types={types} />;
};

const List = ({ type, types }: { readonly type: TypeNames; readonly types: readonly TypeNames[] }) => {
  const { model } = type;
  const filter = filterOf(place.value.query);
  const [isAsking, setIsAsking] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [refused, setRefused] = useState<CallProblem>();
  const load = (signal: AbortSignal) => loadRecords(model, filter, identifiersOf(filter.search), signal);
  const { value: page, problem, reload } = useLoaded(JSON.stringify([model, filter]), load, EVERY_MS);

  const doing = async (what: () => Promise<string>): Promise<void> => {
    setIsBusy(true);
    setRefused(undefined);
    try {
      announce(await what());
    } catch (error) {
      setRefused(asProblem(error));
    }
    setIsBusy(false);
    setIsAsking(false);
    reload();
  };

  return (
    <>
      <Heading>Data management: {type.title}</Heading>
      <p class="lead">Every object of the primary, with the checksum that its replicas are held against.</p>
      <p class="actions">
        <button type="button" onClick={() => setIsAsking(true)}>
          Checksum all
        </button>
      </p>
      <div class="filters">
        <Choice
          label="Type"
          value={model}
          choices={types.map((one) => [one.model, one.title] as const)}
          onChoose={(chosen) => change(chosen, filter, { search: "" })}
        />
        <Choice
          label="Checksum status"
          value={filter.state}
          all="All"
          choices={CHECKSUM_CHOICES}
          onChoose={(state) => change(model, filter, { state })}
        />
        <Choice
          label="Sort by"
          value={filter.sort === "" ? "asc" : filter.sort}
          choices={SORTS}
          onChoose={(sort) => change(model, filter, { sort })}
        />
        <Search
          label="Search by identifier or key"
          hint="identifiers, or a whole S3 key"
          value={filter.search}
          onSearch={(search) => change(model, filter, { search })}
        />
      </div>
      {refused !== undefined && <Problem problem={refused} />}
      {problem !== undefined && <Problem problem={problem} retry={reload} />}
      {page === undefined && problem === undefined && <Waiting what={type.title.toLowerCase()} />}
      {page !== undefined && page.records.length === 0 && (
        <p class="nothing">
          {page.next === undefined
            ? "No record fits."
            : "None of the records that were looked at fit; there are more on the next page."}
        </p>
      )}
      {page !== undefined && page.records.length > 0 && (
        <ul class="rows" aria-label={type.title}>
          {page.records.map((record) => (
            <Row
              key={record.record_identifier}
              model={model}
              record={record}
              isBusy={isBusy}
              onChecksum={() => void doing(() => checksumRecord(model, record.record_identifier))}
            />
          ))}
        </ul>
      )}
      {page !== undefined && (
        <Pages
          what={type.title}
          previous={filter.cursor === "" ? undefined : () => history.back()}
          next={page.next === undefined ? undefined : () => change(model, filter, { cursor: page.next ?? "" })}
        />
      )}
      {isAsking && (
        <Confirm
          title={`Checksum all: ${type.title}?`}
          does="Checksum all"
          isBusy={isBusy}
          onConfirm={() => void doing(async () => (await checksumAll(model)).message)}
          onClose={() => setIsAsking(false)}
        >
          <p>
            Each object of the type is read at the primary and its checksum made anew; then every secondary reads its
            replica again. Filters and searches on the page do not narrow it.
          </p>
        </Confirm>
      )}
    </>
  );
};

const Row = ({
  model,
  record,
  isBusy,
  onChecksum,
}: {
  readonly model: string;
  readonly record: ManagedRecord;
  readonly isBusy: boolean;
  readonly onChecksum: () => void;
}) => {
  const { record_identifier: identifier, checksum_information: information, file_size: size } = record;
  const key = keyOf(identifier);
  return (
    <li class="row">
      <div class="row-main">
        <p class="row-name">
          <Link to={{ view: "record", model, identifier }}>{key}</Link>
        </p>
        <p class="row-states">
          <Checksum state={information.checksum_state} />
        </p>
        <p class="facts-line">
          <span>{size === null ? "size not known yet" : bytes(size)}</span>
          <span>
            Checksummed <Time at={information.last_checksum} />
          </span>
          {information.checksum_retry_at !== null && (
            <span>
              Next retry <Time at={information.checksum_retry_at} />
            </span>
          )}
        </p>
        {information.checksum_failure !== null && <p class="row-failure">{information.checksum_failure}</p>}
      </div>
      <p class="actions">
        <button type="button" class="small" disabled={isBusy} onClick={onChecksum}>
          Checksum<span class="unseen"> {key}</span>
        </button>
      </p>
    </li>
  );
};
