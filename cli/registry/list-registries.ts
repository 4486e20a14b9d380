import type { GeoClient } from "../../shared/client/client.ts";
import type { RegistriesWish } from "../../shared/client/registry-contract.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { type RegistryAnswer, registryAnswer } from "./registry-answer.ts";

/** Most rows that the API tells at once. */
const PAGE_ROWS_MAX = 100;

/** Pages that are asked for at most: where rows that fit are rare, pages are nearly empty, and each costs the site a search. */
const PAGES_MAX = 100;

/** A type, with what of it is asked for. */
export interface TypeWish {
  readonly replicable: Replicable;
  readonly wish: Omit<RegistriesWish, "first" | "after">;
}

/** Where a list goes on: in this type, behind this cursor; without one, at its beginning. */
interface ListPlace {
  readonly replicableName: string;
  readonly after: string | undefined;
}

export interface RegistryList {
  readonly registries: readonly RegistryAnswer[];
  /** What `--after` takes to go on; null at the end. */
  readonly next: string | null;
}

const placeText = ({ replicableName, after = "" }: ListPlace): string => `${replicableName}:${after}`;

/**
 * Reads what `--after` was given: `<type>:<cursor>`, as the page before has told it.
 * @throws CommandError of anything else
 */
const parsePlace = (text: string, types: readonly TypeWish[]): ListPlace => {
  const [, replicableName = "", after = ""] = /^([^:]*):(.*)$/.exec(text) ?? [];
  if (types.some(({ replicable }) => replicable.name === replicableName)) {
    return { replicableName, after: after === "" ? undefined : after };
  }
  throw new CommandError(
    EXIT.usage,
    `--after is ${JSON.stringify(text)}, expected what the page before has told, for the same options`,
  );
};

/**
 * Lists registries of some types, one type after the other, in as many calls as it takes to have so many or all.
 * @param after what the list before has told as its `next`
 * @throws CommandError of an `after` that no such list has told; GeoApiError when the site does not answer
 */
export const listRegistries = async (
  client: Pick<GeoClient, "registries">,
  types: readonly TypeWish[],
  limit: number,
  after: string | undefined,
): Promise<RegistryList> => {
  const from = after === undefined ? undefined : parsePlace(after, types);
  const begins = from === undefined ? 0 : types.findIndex(({ replicable }) => replicable.name === from.replicableName);
  const registries: RegistryAnswer[] = [];
  let cursor = from?.after;
  let pages = 0;
  for (const { replicable, wish } of types.slice(begins)) {
    const { name, names } = replicable;
    do {
      if (registries.length >= limit || pages >= PAGES_MAX) {
        return { registries, next: placeText({ replicableName: name, after: cursor }) };
      }
      const first = Math.min(PAGE_ROWS_MAX, limit - registries.length);
      const page = await client.registries(names, {
        ...wish,
        first,
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      registries.push(...page.registries.map((registry) => registryAnswer(name, registry)));
      cursor = page.next ?? undefined;
      pages += 1;
    } while (cursor !== undefined);
  }
  return { registries, next: null };
};
