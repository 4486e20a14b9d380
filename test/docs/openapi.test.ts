import { describe, expect, test } from "vitest";
import { OPENAPI_FILE, openApiText } from "../../infra/local/docs-api.ts";
import { API_ROUTES } from "../../shared/client/api-routes.ts";
import { apiSite } from "../api/support/site.ts";
import { undocumented } from "../support/documented-answers.ts";
import { textOf } from "./support/repository.ts";

/** What the API answers, method by method; what refuses all other methods is no route. */
const served = (): ReadonlySet<string> =>
  new Set(
    apiSite("primary")
      .app.routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`),
  );

const answered = (status: number, body: unknown): Response => Response.json(body, { status });

describe("docs/api/openapi.json", () => {
  test("is what `npm run docs:api` makes of the routes and contracts", async () => {
    expect(textOf(OPENAPI_FILE)).toBe(await openApiText());
  });

  test("has every route that the API has, and no other", () => {
    expect(API_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([...served()].toSorted());
    expect(served().size).toBeGreaterThan(50);
  });

  test("names each operation once", () => {
    expect(new Set(API_ROUTES.map(({ operation }) => operation))).toHaveLength(API_ROUTES.length);
  });
});

describe("what every test of the API holds its answers against", () => {
  test.each([
    ["a status that is not described", "GET", "/api/v4/features", answered(201, []), /a status that is not described/],
    [
      "a refusal that is not described",
      "GET",
      "/api/v4/features",
      answered(418, { message: "" }),
      /a refusal that is not/,
    ],
    ["a body of another form", "GET", "/api/v4/features", answered(200, [{ name: 1 }]), /"path":\[0,"name"\]/],
    ["a refusal of another form", "GET", "/api/v4/features", answered(403, "no"), /invalid_type/],
    [
      "a body where there is none",
      "DELETE",
      "/api/v4/geo_sites/7",
      answered(200, {}),
      /a status that is not described/,
    ],
    ["a route that nobody described", "GET", "/api/v4/secrets", answered(200, {}), /no such route/],
  ])("notices %s", async (_, method, path, response, said) => {
    expect(await undocumented(method, path, response)).toMatch(said);
  });

  test("takes what is described", async () => {
    expect(await undocumented("GET", "/api/v4/features", answered(200, []))).toBeUndefined();
    expect(await undocumented("GET", "/api/v4/features", answered(403, { message: "403 Forbidden" }))).toBeUndefined();
  });
});
