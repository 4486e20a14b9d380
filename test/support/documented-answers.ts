import { API_ROUTES, type ApiRoute } from "../../shared/client/api-routes.ts";
import { RefusalContract, GraphQLContract } from "../../shared/client/further-contracts.ts";
import { refusalsOf } from "../../shared/client/openapi.ts";

const PATTERNS = API_ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(/:\w+/g, "[^/]+")}$`),
  /** Parts that do not vary: `/status` goes before `/:id`. */
  fixed: route.path.split("/").filter((part) => !part.startsWith(":")).length,
}));

/** The route that a call goes to; nothing when there is none, as with a method that a more particular path does not have. */
const routeOf = (method: string, path: string): ApiRoute | undefined => {
  const fitting = PATTERNS.filter(({ pattern }) => pattern.test(path));
  const fixed = Math.max(...fitting.map((each) => each.fixed));
  return fitting.find((each) => each.fixed === fixed && each.route.method === method)?.route;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** What is wrong with an answer, held against the API's description; nothing when it is as described. */
export const undocumented = async (method: string, path: string, response: Response): Promise<string | undefined> => {
  const { status } = response;
  const text = await response.clone().text();
  const what = `${method} ${path} answered ${status} ${text.slice(0, 300)}`;
  const isRefusal = status >= 400;
  const route = routeOf(method === "HEAD" ? "GET" : method, path);
  if (route === undefined) return status === 404 || status === 405 || isRefusal ? undefined : `${what}: no such route`;
  if (method === "HEAD") return undefined;
  if (!isRefusal && !(status in route.answers)) return `${what}: a status that is not described`;
  if (isRefusal && !refusalsOf(route).includes(status)) return `${what}: a refusal that is not described`;
  const contract = isRefusal ? RefusalContract : route.answers[status];
  if (contract === null || contract === undefined) return text === "" ? undefined : `${what}: expected nothing`;
  const body = route.media === undefined ? parsed(text) : isRefusal ? parsed(text) : text;
  const fits =
    contract.safeParse(body).success || (route.operation === "graphql" && GraphQLContract.safeParse(body).success);
  return fits ? undefined : `${what}: ${JSON.stringify(contract.safeParse(body).error?.issues).slice(0, 500)}`;
};
