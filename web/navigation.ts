import { signal } from "@preact/signals";
import { type Route, pathOf, routeOf } from "./routes.ts";

/** Where the API is, with a slash at its end: two folders above the page's script, behind whatever stage and domain. */
export const API_BASE: URL = new URL("../../", import.meta.url);

const here = (): Place => ({
  route: routeOf(location.pathname.slice(API_BASE.pathname.length - 1)),
  query: new URLSearchParams(location.search),
});

interface Place {
  readonly route: Route;
  readonly query: URLSearchParams;
}

/** The view that is shown, and what its address says beside it. */
export const place = signal<Place>(here());

/** The address of a view. Values that are empty are left out of the query. */
export const hrefOf = (route: Route, query: Readonly<Record<string, string | undefined>> = {}): string => {
  const url = new URL(pathOf(route), API_BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url.pathname + url.search;
};

/** Goes to a view without loading the document again. */
export const goTo = (href: string): void => {
  const { route } = place.value;
  history.pushState(null, "", href);
  place.value = here();
  // Another view begins at its top; other filters of the same list leave the reader where he is.
  if (JSON.stringify(route) !== JSON.stringify(place.value.route)) {
    scrollTo(0, 0);
    requestAnimationFrame(() => document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true }));
  }
};

addEventListener("popstate", () => {
  place.value = here();
});
