/** Pages of a list, as GitLab's API has them: `page` and `per_page`, and headers that say where one is. Pure. */

export const PER_PAGE = { standard: 20, most: 100 } as const;

/** Which part of a list is asked for. */
export interface Page {
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
}

/** Nine digits: more pages than any list has. */
const WHOLE_NUMBER = /^[1-9]\d{0,8}$/;

/** How much of a wrong value is shown. */
const SHOWN_LENGTH_MAX = 100;

const shown = (values: readonly string[]): string => {
  const text = values.map((value) => JSON.stringify(value)).join(" and ");
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
};

const readNumber = (query: URLSearchParams, name: string, standard: number, problems: string[]): number => {
  const values = query.getAll(name);
  const [value] = values;
  if (value === undefined) return standard;
  if (values.length === 1 && WHOLE_NUMBER.test(value)) return Number(value);
  problems.push(`${name}: expected one whole number from 1, got ${shown(values)}`);
  return standard;
};

/** Reads `page` and `per_page`; more than 100 on a page are 100, as in GitLab. Everything that is wrong is named together. */
export const parsePage = (
  query: URLSearchParams,
): { readonly page: Page } | { readonly problems: readonly string[] } => {
  const problems: string[] = [];
  const page = readNumber(query, "page", 1, problems);
  const perPage = Math.min(PER_PAGE.most, readNumber(query, "per_page", PER_PAGE.standard, problems));
  return problems.length > 0 ? { problems } : { page: { page, perPage } };
};

/** What is on a page; nothing beyond the last one. */
export const onPage = <Entry>(entries: readonly Entry[], { page, perPage }: Page): readonly Entry[] =>
  entries.slice((page - 1) * perPage, page * perPage);

/**
 * GitLab's headers of a page, `Link` among them.
 * @param url where the list is, without a query
 * @param query what else was asked for; it stays in the links
 */
export const pageHeaders = (
  url: string,
  query: URLSearchParams,
  total: number,
  { page, perPage }: Page,
): Readonly<Record<string, string>> => {
  const pages = Math.ceil(total / perPage);
  const last = Math.max(1, pages);
  const previous = page > 1 ? Math.min(page - 1, last) : undefined;
  const next = page < last ? page + 1 : undefined;
  const linkTo = (rel: string, to: number | undefined): readonly string[] => {
    if (to === undefined) return [];
    const asked = new URLSearchParams(query);
    asked.set("page", String(to));
    asked.set("per_page", String(perPage));
    return [`<${url}?${asked.toString()}>; rel="${rel}"`];
  };
  return {
    link: [...linkTo("prev", previous), ...linkTo("next", next), ...linkTo("first", 1), ...linkTo("last", last)].join(
      ", ",
    ),
    "x-total": String(total),
    "x-total-pages": String(pages),
    "x-page": String(page),
    "x-per-page": String(perPage),
    "x-next-page": next === undefined ? "" : String(next),
    "x-prev-page": previous === undefined ? "" : String(previous),
  };
};
