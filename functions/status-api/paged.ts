import type { Context } from "hono";
import { type Page, pageHeaders, parsePage } from "../../shared/geo/pagination.ts";
import { type ApiEnv, apiUrlOf } from "./site-paths.ts";

/**
 * Answers a page of a list: `page` and `per_page`, and GitLab's headers. 400 for a page that is none.
 * @param path where the list is, beneath the API's address
 * @param read what is on the page that is asked for, and how many there are in all
 */
export const paged = async (
  context: Context<ApiEnv>,
  path: string,
  read: (page: Page) => Promise<{ readonly entries: readonly object[]; readonly total: number }>,
): Promise<Response> => {
  const query = new URL(context.req.url).searchParams;
  const parsed = parsePage(query);
  if ("problems" in parsed) {
    return context.json({ message: `400 Bad request - ${parsed.problems.join("; ")}` }, 400);
  }
  const { entries, total } = await read(parsed.page);
  const headers = pageHeaders(`${apiUrlOf(context)}${path}`, query, total, parsed.page);
  for (const [name, value] of Object.entries(headers)) context.header(name, value);
  return context.json(entries);
};
