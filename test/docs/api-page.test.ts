import { describe, expect, test } from "vitest";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { API_PAGE, apiPage } from "../../infra/local/api-page.ts";
import { API_ROUTES } from "../../shared/client/api-routes.ts";
import { ROOT, textOf } from "./support/repository.ts";

describe("docs/api/README.md", () => {
  test("is what the routes come to (npm run docs:api writes it)", async () => {
    expect(textOf(API_PAGE)).toBe(await formatted(ROOT, API_PAGE, apiPage()));
  });

  test("has each route once, those under the older word in a sentence", () => {
    const shown = [...textOf(API_PAGE).matchAll(/^\| `((?:GET|POST|PUT|DELETE) [^`]+)`/gm)].map(
      ([, call = ""]) => call,
    );
    const routes = API_ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(shown.toSorted()).toEqual(routes.filter((route) => !route.includes("/geo_nodes")).toSorted());
    const older = routes.filter((route) => route.includes("/geo_nodes"));
    expect(older.map((route) => route.replace("geo_nodes", "geo_sites")).filter((one) => !shown.includes(one))).toEqual(
      [],
    );
  });

  test("refuses a route that would stand in no chapter", () => {
    const [first] = API_ROUTES;
    if (first === undefined) throw new Error("the API has no routes");
    expect(() => apiPage([{ ...first, path: "/api/v4/secrets" }])).toThrow("no chapter for /api/v4/secrets");
  });
});
