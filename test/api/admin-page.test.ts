import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { pageApp } from "../../functions/admin-page/page-app.ts";
import { buildPage } from "../../web/build.ts";
import { API_URL } from "./support/site.ts";

/** What is served of the admin page, without a browser. */

/** JavaScript of the whole page, which is its first view's as well: bytes, minified and not compressed. */
const SCRIPT_BYTES_MAX = 120_000;

const page = await buildPage();
const app = pageApp(page);
const get = async (path: string, method = "GET"): Promise<Response> =>
  app.fetch(new Request(`https://api.invalid${path}`, { method }), { apiUrl: API_URL });

const VIEWS = [
  "/admin/geo/sites",
  "/admin/geo/sites/",
  "/admin/geo/sites/855214060",
  "/admin/geo/sites/855214060/edit",
  "/admin/geo/sites/855214060/replication",
  "/admin/geo/sites/855214060/replication/lfs_objects",
  "/admin/geo/sites/855214060/replication/lfs_objects/bGZzX29iamVjdHMvNDIvNGMvOGU",
  "/admin/data_management",
  "/admin/data_management/ci_job_artifacts",
  "/admin/data_management/ci_job_artifacts/bGZzX29iamVjdHMvNDIvNGMvOGU",
  "/admin/geo/data_management/lfs_objects",
];

describe("the admin page (F94)", () => {
  test("has less JavaScript than 120 KB, the same at each build, and nothing in it that only Node has", async () => {
    const { script } = page;
    expect(Buffer.byteLength(script.text)).toBeLessThan(SCRIPT_BYTES_MAX);
    expect(gzipSync(script.text).length).toBeLessThan(SCRIPT_BYTES_MAX / 3);
    expect(await buildPage()).toEqual(page);
    expect(script.text).not.toMatch(/from\s*"node:|require\(/);
  });

  test("has no address in it but those of names that are never asked", () => {
    const addresses = Object.values(page).flatMap(({ text }) => text.match(/https?:\/\/[a-z0-9][a-z0-9.-]+/gi) ?? []);
    // Names of XML's vocabularies, and the base of a relative address that is taken apart.
    expect(addresses.filter((url) => !/^https?:\/\/(www\.w3\.org|api\.invalid)$/.test(url))).toEqual([]);
  });

  test.each(VIEWS)("is the same document at %s, kept by nobody, and refers to its files from there", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
    const references = [...(await response.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, reference = ""]) => reference,
    );
    expect(references).toHaveLength(3);
    // Behind a stage, which API Gateway takes off the path before the function sees it.
    for (const reference of references) {
      const { pathname } = new URL(reference, `https://api.example.com/geo${path}`);
      expect(pathname).toMatch(/^\/geo\/admin\/assets\/main-[0-9a-f]{16}\.(js|css|svg)$/);
      expect((await get(pathname.slice("/geo".length))).status).toBe(200);
    }
  });

  test.each(["/admin", "/admin/"])("leads from %s on to the sites, whatever stands in front of it", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(302);
    const { pathname } = new URL(response.headers.get("location") ?? "", `https://api.example.com/geo${path}`);
    expect(pathname).toBe("/geo/admin/geo/sites");
  });

  test("has files that may be kept for ever, under names that change with them", async () => {
    const response = await get(`/admin/assets/${page.script.name}`);
    expect(await response.text()).toBe(page.script.text);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test.each([
    ["/admin/assets/main-0000000000000000.js", "GET", 404],
    ["/admin/geo/sites/../../secrets", "GET", 404],
    ["/admin/geo/sites/ireland", "GET", 404],
    ["/admin/geo/sites/1/replication/LFS/x", "GET", 404],
    ["/admin/geo/sites", "POST", 405],
  ])("answers %s by %s with %i", async (path, method, status) => {
    const response = await get(path, method);
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});
