import { globalId, parseGlobalId } from "../../../shared/geo/global-id.ts";
import { quoted } from "../../../shared/geo/key-codec.ts";
import { keyOfRecord } from "../../../shared/geo/key-pattern.ts";
import type { RegistryRow } from "../../../shared/geo/registry-row.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import type { ReplicationState } from "../../../shared/geo/replication-state.ts";
import type { RowPlace } from "../../../shared/geo/row-place.ts";
import { readCursor, signCursor } from "../../../shared/geo/signed-cursor.ts";
import type { VerificationState } from "../../../shared/geo/verification-state.ts";
import { countRows, findRows } from "../../../shared/services/find-rows/find-rows.ts";
import {
  PAGE_ROWS_MAX,
  type PageWanted,
  type RowFilter,
  type RowPage,
} from "../../../shared/services/find-rows/row-search.ts";
import type { GraphQLCall, RegistryParent } from "./call.ts";
import { type OrderName, orderOf } from "./enums.ts";
import { Refusal } from "./refusal.ts";

/** What a list of registries is asked for by. */
export interface RegistriesArgs {
  readonly ids?: readonly string[] | null | undefined;
  readonly replicationState?: ReplicationState | null | undefined;
  readonly verificationState?: VerificationState | null | undefined;
  readonly keyword?: string | null | undefined;
  readonly sort?: OrderName | null | undefined;
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
  readonly after?: string | null | undefined;
}

/** Counts above this are not told, as in GitLab. */
export const COUNT_LIMIT = 1_000;

interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

interface Edge {
  readonly cursor: string;
  readonly node: RegistryParent;
}

/** A list of registries. Nothing is read of the table before somebody asks for it. */
export interface CountedConnection {
  readonly edges: Promise<readonly Edge[]> | readonly Edge[];
  readonly pageInfo: Promise<PageInfo> | PageInfo;
  count(limit: number): Promise<number> | number;
}

/** A list in which nothing is: of another site, or of a type that is switched off. */
export const NO_REGISTRIES: CountedConnection = {
  edges: [],
  pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  count: () => 0,
};

/** The key of one of a type's registries, by its id. */
export const keyOfId = ({ names }: Replicable, id: string): string => {
  const read = parseGlobalId(id);
  if ("problem" in read) throw new Refusal(`ids: ${read.problem}`);
  if (read.registryClass !== names.registryClass) {
    throw new Refusal(`ids: expected ids of ${names.registryClass}, got one of ${quoted(read.registryClass)}`);
  }
  return read.key;
};

/** The key of a record by its id. The id of a partitioned type's record begins with the partition's name. */
const keyOfRecordId = ({ replicables }: GraphQLCall, replicable: Replicable, id: string): string | undefined => {
  const own = keyOfRecord(replicable.keyPattern, id);
  if (own !== undefined) return own;
  const [first = ""] = id.split("/", 1);
  const partition = replicables.find(({ name, partitionOf }) => name === first && partitionOf === replicable.name);
  return partition && keyOfRecord(partition.keyPattern, id.slice(first.length + 1));
};

/** The key that a keyword is, or the key of the record that it is the id of. There is no index of parts of keys. */
const keyOfKeyword = async (call: GraphQLCall, replicable: Replicable, keyword: string): Promise<string> => {
  for (const key of [keyword, keyOfRecordId(call, replicable, keyword)]) {
    if (key !== undefined && (await call.match(key))?.replicable.name === replicable.name) return key;
  }
  throw new Refusal(
    `keyword: expected the whole S3 key of one of ${replicable.names.titlePlural}, or its modelRecordId,` +
      ` got ${quoted(keyword)}; parts of keys can not be searched for`,
  );
};

const filterOf = async (call: GraphQLCall, replicable: Replicable, args: RegistriesArgs): Promise<RowFilter> => {
  const { ids, keyword, replicationState, verificationState, sort } = args;
  if (ids && ids.length > PAGE_ROWS_MAX) {
    throw new Refusal(`ids: expected at most ${PAGE_ROWS_MAX}, got ${ids.length}`);
  }
  const asksForVerification = Boolean(verificationState) || orderOf(sort).by === "verified_at";
  if (asksForVerification && !(await call.switches.of(replicable.name)).verification) {
    const what = verificationState ? "verificationState" : "sort";
    throw new Refusal(`${what}: ${replicable.names.titlePlural} are not verified, so they can not be asked for by it`);
  }
  const named = ids?.map((id) => keyOfId(replicable, id));
  const wanted = keyword ? [await keyOfKeyword(call, replicable, keyword)] : undefined;
  const keys = named && wanted ? named.filter((key) => wanted.includes(key)) : (named ?? wanted);
  return {
    replicableName: replicable.name,
    ...(keys === undefined ? {} : { keys }),
    ...(replicationState ? { replicationState } : {}),
    ...(verificationState ? { verificationState } : {}),
  };
};

/** Everything that a cursor is for: who asked for which rows in which order. */
const bindingOf = (call: GraphQLCall, filter: RowFilter, sort: OrderName): string => {
  const { replicableName, keys = null, replicationState = null, verificationState = null } = filter;
  return JSON.stringify([call.site.name, call.caller, replicableName, keys, replicationState, verificationState, sort]);
};

const sizeOf = (name: "first" | "last", size: number): number => {
  if (Number.isInteger(size) && size >= 0 && size <= PAGE_ROWS_MAX) return size;
  throw new Refusal(`${name}: expected a number from 0 to ${PAGE_ROWS_MAX}, got ${size}`);
};

const pageWanted = (args: RegistriesArgs, placeOf: (name: "before" | "after") => RowPlace | undefined): PageWanted => {
  const { first, last, sort } = args;
  if (typeof first === "number" && typeof last === "number") {
    throw new Refusal("first, last: expected one of them, got both");
  }
  const backwards = typeof last === "number";
  const size = backwards ? sizeOf("last", last) : sizeOf("first", first ?? PAGE_ROWS_MAX);
  const [behind, inFront] = [placeOf("after"), placeOf("before")];
  const [from, until] = backwards ? [inFront, behind] : [behind, inFront];
  return {
    size,
    backwards,
    order: orderOf(sort),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  };
};

/** Registries of a type at the site that answers. */
class RegistryConnection implements CountedConnection {
  readonly #call: GraphQLCall;
  readonly #replicable: Replicable;
  readonly #args: RegistriesArgs;
  readonly #searched: NonNullable<GraphQLCall["registry"]>;
  #filter: Promise<RowFilter> | undefined;
  #page: Promise<{ readonly edges: readonly Edge[]; readonly pageInfo: PageInfo }> | undefined;

  constructor(
    call: GraphQLCall,
    searched: NonNullable<GraphQLCall["registry"]>,
    replicable: Replicable,
    args: RegistriesArgs,
  ) {
    this.#call = call;
    this.#searched = searched;
    this.#replicable = replicable;
    this.#args = args;
  }

  get edges(): Promise<readonly Edge[]> {
    return this.#read().then(({ edges }) => edges);
  }

  get pageInfo(): Promise<PageInfo> {
    return this.#read().then(({ pageInfo }) => pageInfo);
  }

  async count(limit: number): Promise<number> {
    if (limit < 0) throw new Refusal(`limit: expected 0 or more, got ${limit}`);
    const count = await countRows(this.#searched, await this.#asked());
    return Math.min(count, Math.min(limit, COUNT_LIMIT) + 1);
  }

  #asked(): Promise<RowFilter> {
    this.#filter ??= filterOf(this.#call, this.#replicable, this.#args);
    return this.#filter;
  }

  #read() {
    this.#page ??= this.#find();
    return this.#page;
  }

  async #find() {
    const filter = await this.#asked();
    const secret = await this.#call.cursorKey.read();
    const binding = bindingOf(this.#call, filter, this.#args.sort ?? "ID_ASC");
    const page = pageWanted(this.#args, (name) => {
      const cursor = this.#args[name];
      if (!cursor) return undefined;
      const place = readCursor(secret, binding, cursor);
      if (place !== undefined) return place;
      throw new Refusal(
        `${name}: expected a cursor that this list has handed out to this token, for the same arguments; got ${quoted(cursor)}`,
      );
    });
    const found = await this.#pageOf(filter, page);
    const sign = (place: RowPlace): string => signCursor(secret, binding, place);
    const edges = found.rows.map(({ row, place }) => ({
      cursor: sign(place),
      node: { row, replicable: this.#replicable },
    }));
    return { edges, pageInfo: infoOf(page, found, sign) };
  }

  async #pageOf(filter: RowFilter, page: PageWanted): Promise<RowPage<RegistryRow>> {
    if (page.size === 0) return { rows: [], more: false, reached: undefined };
    const found = await findRows(this.#searched, { filter, page });
    if ("problem" in found) throw new Refusal(`sort: ${found.problem}`);
    return found;
  }
}

/** Where a search that found nothing has come to is told as well, or nobody could go on from there. */
const infoOf = (
  { backwards, from }: PageWanted,
  { rows, more, reached }: RowPage<RegistryRow>,
  sign: (place: RowPlace) => string,
): PageInfo => {
  const signed = (place: RowPlace | undefined): string | null => (place === undefined ? null : sign(place));
  const [head, tail] = [rows.at(0)?.place, rows.at(-1)?.place];
  return backwards
    ? {
        hasNextPage: from !== undefined,
        hasPreviousPage: more,
        startCursor: signed(reached ?? head),
        endCursor: signed(tail),
      }
    : {
        hasNextPage: more,
        hasPreviousPage: from !== undefined,
        startCursor: signed(head),
        endCursor: signed(reached ?? tail),
      };
};

/** The registries of a type that somebody asked a site for. */
export const registriesOf = async (
  call: GraphQLCall,
  isCurrent: boolean,
  replicable: Replicable,
  args: RegistriesArgs,
): Promise<CountedConnection> => {
  if (!isCurrent || call.registry === undefined) return NO_REGISTRIES;
  if (!(await call.switches.of(replicable.name)).replication) return NO_REGISTRIES;
  return new RegistryConnection(call, call.registry, replicable, args);
};

/** The id of a row. */
export const idOf = ({ replicable, row }: RegistryParent): string =>
  globalId({ registryClass: replicable.names.registryClass, key: row.sk });
