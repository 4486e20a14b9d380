import type { CallContext, WebApp } from "../../shared/lambda/http-handler.ts";
import type { BuiltPage } from "./built-page.ts";

/** Nothing but this site's own files and its own API, and nobody may put the page into a frame of theirs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const GUARDS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "x-frame-options": "DENY",
};

/** Everything that the page's own routes know (web/routes.ts); the script decides what each of them shows. */
const VIEWS: readonly RegExp[] = [
  /^\/admin\/geo\/?$/,
  /^\/admin\/geo\/sites\/?$/,
  /^\/admin\/geo\/sites\/\d+(\/edit)?\/?$/,
  /^\/admin\/geo\/sites\/\d+\/replication(\/[a-z0-9_]+(\/[A-Za-z0-9_-]+)?)?\/?$/,
  /^\/admin\/(geo\/)?data_management(\/[a-z0-9_]+(\/[A-Za-z0-9_-]+)?)?\/?$/,
];

/**
 * Where what people shorten an address to leads, as seen from there: a browser takes what is relative from the last slash on.
 */
const SHORTENED: Readonly<Record<string, string>> = { "/admin": "admin/geo/sites", "/admin/": "geo/sites" };

/** A year: the name of a file changes with its text. */
const FOR_EVER = "public, max-age=31536000, immutable";

/**
 * From a view back to `/admin/`. Relative, so that it is right behind any stage and any domain: the function is not told what
 * stands in front of its paths.
 */
const upTo = (path: string): string => "../".repeat(path.split("/").length - 3);

const documentOf = ({ script, style, icon }: BuiltPage, path: string): string => {
  const assets = `${upTo(path)}assets`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Geo sites</title>
<link rel="icon" type="image/svg+xml" href="${assets}/${icon.name}">
<link rel="stylesheet" href="${assets}/${style.name}">
<script type="module" src="${assets}/${script.name}"></script>
</head>
<body>
<div id="page"><noscript>This page needs JavaScript. The same is told by the API: GET /api/v4/geo_sites/status.</noscript></div>
</body>
</html>
`;
};

const answer = (status: number, type: string, caching: string, text: string): Response =>
  new Response(text, {
    status,
    headers: { ...GUARDS, "content-type": `${type}; charset=utf-8`, "cache-control": caching },
  });

const refused = (status: number, message: string): Response =>
  answer(status, "application/json", "no-store", JSON.stringify({ message }));

/**
 * Serves the admin page. It holds no data and asks nobody for a token: what it shows, the page's script asks the site's API
 * for, with the token that the person in front of it has.
 *
 * - each view's path, `/admin/geo/sites` and beneath, and `/admin/data_management/…`: the same document, kept by nobody
 * - `/admin`: on to the sites
 * - `/admin/assets/<name>`: the script, the style sheet and the icon, kept for ever
 *
 * Another path is a 404 and another method a 405, in the form of the API's.
 */
export const pageApp = (page: BuiltPage): WebApp => {
  const assets = [
    { file: page.script, type: "text/javascript" },
    { file: page.style, type: "text/css" },
    { file: page.icon, type: "image/svg+xml" },
  ];
  return {
    fetch: (request: Request): Response => {
      const { pathname: path } = new URL(request.url);
      if (request.method !== "GET" && request.method !== "HEAD") return refused(405, "405 Method Not Allowed");
      const asset = assets.find(({ file }) => path === `/admin/assets/${file.name}`);
      if (asset !== undefined) return answer(200, asset.type, FOR_EVER, asset.file.text);
      const location = SHORTENED[path];
      if (location !== undefined) return new Response(undefined, { status: 302, headers: { ...GUARDS, location } });
      if (VIEWS.some((view) => view.test(path))) return answer(200, "text/html", "no-store", documentOf(page, path));
      return refused(404, "404 Not Found");
    },
  };
};

/** A site's API with the page beside it, in one process: what API Gateway makes of the two functions. For worlds without one. */
export const withPage = (page: BuiltPage, api: WebApp): WebApp => {
  const pages = pageApp(page);
  return {
    fetch: (request: Request, context: CallContext) =>
      (/^\/admin(\/|$)/.test(new URL(request.url).pathname) ? pages : api).fetch(request, context),
  };
};
