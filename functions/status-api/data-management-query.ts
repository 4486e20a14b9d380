import { quoted } from "../../shared/geo/key-codec.ts";
import { VERIFICATION_STATE, type VerificationState } from "../../shared/geo/verification-state.ts";
import { keyOfIdentifier } from "../../shared/geo/data-management.ts";

/** Most identifiers in one call, and most records on a page. */
export const IDENTIFIERS_MAX = 100;
const PAGE = { standard: 20, most: 100 } as const;

/** What a list of records is asked for by. */
export interface RecordsQuery {
  /** Absent: all. */
  readonly keys?: readonly string[];
  readonly state?: VerificationState;
  readonly descending: boolean;
  readonly perPage: number;
  readonly cursor?: string;
}

const STATES = Object.keys(VERIFICATION_STATE);
const isState = (text: string): text is VerificationState => STATES.includes(text);

/** Reads a query. Everything that is wrong is named together: what was expected, and what came. */
export const parseRecordsQuery = (
  query: URLSearchParams,
): { readonly query: RecordsQuery } | { readonly problems: readonly string[] } => {
  const problems: string[] = [];
  const one = (name: string, expected: string, fits: (value: string) => boolean): string | undefined => {
    const values = query.getAll(name);
    const [value] = values;
    if (value === undefined || (values.length === 1 && fits(value))) return value;
    problems.push(`${name}: expected ${expected}, got ${values.map(quoted).join(" and ").slice(0, 200)}`);
    return undefined;
  };
  one("pagination", "keyset", (value) => value === "keyset");
  one("order_by", "id", (value) => value === "id");
  const state = one("checksum_state", `one of ${STATES.join(", ")}`, isState);
  const sort = one("sort", "asc or desc", (value) => value === "asc" || value === "desc");
  const perPage = one("per_page", "a whole number from 1", (value) => /^[1-9]\d{0,8}$/.test(value));
  const cursor = one("cursor", "one cursor of this list", (value) => value !== "");
  const identifiers = query.getAll("identifiers[]");
  const keys = identifiers.flatMap((identifier) => keyOfIdentifier(identifier) ?? []);
  if (identifiers.length > IDENTIFIERS_MAX) {
    problems.push(`identifiers[]: expected at most ${IDENTIFIERS_MAX}, got ${identifiers.length}`);
  } else if (keys.length < identifiers.length) {
    const strange = identifiers.find((identifier) => keyOfIdentifier(identifier) === undefined) ?? "";
    problems.push(`identifiers[]: expected record identifiers of this API, got ${quoted(strange)}`);
  }
  if (problems.length > 0) return { problems };
  return {
    query: {
      descending: sort === "desc",
      perPage: Math.min(PAGE.most, Number(perPage ?? PAGE.standard)),
      ...(identifiers.length === 0 ? {} : { keys }),
      ...(state !== undefined && isState(state) ? { state } : {}),
      ...(cursor === undefined ? {} : { cursor }),
    },
  };
};
